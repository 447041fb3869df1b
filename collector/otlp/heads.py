"""The few fields of spans that an index needs.

`heads_of` has protobuf's own parser read them, whatever order, repetition or length of varints they were written with,
and write them again: each field once, in the order of the numbers, as short as it can be. In *these* bytes the ids
stand at fixed places from the beginning and the times from the end, so that they can be sliced out for all spans
together. That costs a quarter of asking every span's message for its fields, and is the same for every encoder.
"""

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter, sub

from google.protobuf.message import DecodeError

from collector.core.telemetry import Contents, Operation
from collector.core.times import LATEST, bounded, end_of
from collector.otlp.v1.raw_pb2 import RawTraces, SpanHead, TraceHeads

_IDS, _TIMES = itemgetter(slice(0, 20)), itemgetter(slice(-18, None))
_PARENT_TAG, _PARENT_LENGTH = 0x22, 8
_ZERO_TRACE, _ZERO_SPAN = bytes(16), bytes(8)
_ZERO_SPAN_FIELD, _ZERO_BEGINNING = b"\x12\x08" + _ZERO_SPAN, b"\x0a\x10" + _ZERO_TRACE + b"\x12\x08"
_AT_ONCE = 512
_REMEMBERED, _LONG_NAME = 4_096, 300


@dataclass(frozen=True, slots=True)
class Heads:
    """A request's spans with nothing in them but ids, names, kinds and times, and these in their shortest form.

    Attributes:
        request: These spans in the groups of the request.
        zeros: Whether a span id of zeros may be among them.
    """

    request: RawTraces
    zeros: bool


def heads_of(body: bytes) -> Heads:
    """Those of a request.

    Raises:
        DecodeError: the bytes are no ``ExportTraceServiceRequest``.
    """
    heads = TraceHeads.FromString(body)
    heads.DiscardUnknownFields()
    shortest = heads.SerializeToString()
    return Heads(RawTraces.FromString(shortest), shortest.rfind(_ZERO_SPAN_FIELD) >= 0)


@dataclass(slots=True)
class HeadReader:
    """Gathers what a request's spans say, and which of them cannot be kept.

    Attributes:
        trace_ids: 16 bytes each.
        faults: One for each span that cannot be kept.
    """

    trace_ids: set[bytes] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    _operations: set[Operation] = field(default_factory=set)
    _earliest: int = LATEST
    _latest: int = 0
    _shortest: int = LATEST
    _longest: int = 0

    def read(self, spans: Sequence[bytes], service: str, *, zeros: bool) -> list[int]:
        """Takes in spans of one service; returns the indices of those that cannot be kept.

        Args:
            spans: As they stand in `Heads.request`.
            service: Theirs.
            zeros: See `Heads`.
        """
        bad: list[int] = []
        for first in range(0, len(spans), _AT_ONCE):
            stretch = spans[first : first + _AT_ONCE]
            if zeros or not self._slice(stretch, service):
                bad += [first + index for index, span in enumerate(stretch) if not self._parse(span, service)]
        return bad

    def _slice(self, spans: Sequence[bytes], service: str) -> bool:
        """Takes them all in, or none where one of them lacks a time or has an id of another length.

        What comes again and again is looked at once for each distinct stretch of bytes, not for each span.
        """
        count = len(spans)
        times = b"".join(map(_TIMES, spans))
        if len(times) != 18 * count or times[::18] != b"\x39" * count or times[9::18] != b"\x41" * count:
            return False
        beginnings = set(map(_IDS, spans))
        if not _begin_as_expected(beginnings):
            return False
        middles = {
            span[38:-18] if span[28] == _PARENT_TAG and span[29] == _PARENT_LENGTH else span[28:-18] for span in spans
        }
        if len(service) > _LONG_NAME or max(map(len, middles)) > _LONG_NAME:  # not to be remembered
            return False
        operations = [_operation(service, middle) for middle in middles]
        if None in operations:
            return False
        values = struct.unpack("<" + "xQxQ" * count, times)
        starts, ends = values[::2], values[1::2]
        durations = list(map(sub, ends, starts))
        if not self._take_times(min(starts), max(starts), min(durations), max(durations)):
            return False
        self.trace_ids.update(beginning[2:18] for beginning in beginnings)
        self._operations.update(filter(None, operations))
        return True

    def _parse(self, span: bytes, service: str) -> bool:
        head = SpanHead.FromString(span)
        fault = _fault(head)
        if fault:
            self.faults.append(f"span {head.name.decode()!r}: {fault}")
            return False
        start = bounded(head.start_time_unix_nano)
        self.trace_ids.add(head.trace_id)
        self._operations.add(Operation(service, head.name.decode(), head.kind))
        duration = end_of(start, head.end_time_unix_nano) - start
        self._take_times(start, start, duration, duration)
        return True

    def _take_times(self, earliest: int, latest: int, shortest: int, longest: int) -> bool:
        """Takes them in unless there may be times among them that have to be bounded, one by one."""
        if shortest < 0 or latest + longest > LATEST:
            return False
        self._earliest, self._latest = min(self._earliest, earliest), max(self._latest, latest)
        self._shortest, self._longest = min(self._shortest, shortest), max(self._longest, longest)
        return True

    def contents(self) -> Contents:
        """What was gathered."""
        return Contents(frozenset(self._operations), self._earliest, self._latest, self._shortest, self._longest)


def _begin_as_expected(beginnings: Collection[bytes]) -> bool:
    """Field 1 of 16 bytes that are not all zero, then field 2 of 8 bytes."""
    count, joined = len(beginnings), b"".join(beginnings)
    return (
        len(joined) == 20 * count
        and joined[::20] == b"\x0a" * count
        and joined[1::20] == b"\x10" * count
        and joined[18::20] == b"\x12" * count
        and joined[19::20] == b"\x08" * count
        and _ZERO_BEGINNING not in beginnings
    )


@lru_cache(_REMEMBERED)
def _operation(service: str, middle: bytes) -> Operation | None:
    """What stands between ids and times, read; None where that is not exactly a name and a kind."""
    try:
        head = SpanHead.FromString(middle)
    except DecodeError:
        return None
    alone = SpanHead(name=head.name, kind=head.kind).SerializeToString()
    return Operation(service, head.name.decode(), head.kind) if alone == middle else None


def _fault(head: SpanHead) -> str:
    lengths = (len(head.trace_id), len(head.span_id), len(head.parent_span_id))
    if lengths[:2] != (16, 8) or lengths[2] not in (0, 8):
        return "trace id of {}, span id of {}, parent span id of {} bytes; allowed are 16, 8, and 0 or 8".format(
            *lengths
        )
    if head.trace_id == _ZERO_TRACE or head.span_id == _ZERO_SPAN:
        return "its trace id or span id is all zero"
    return ""
