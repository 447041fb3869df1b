"""The few fields of spans that an index needs, taken from their bytes without parsing what lies between them.

Every encoder known writes the fields of a span in the order of their numbers, so that the ids stand at fixed places and
name, kind and times right behind them. That is checked, and spans among which one is written otherwise (a trace state,
a name of 128 bytes or more, no kind, another order) are parsed. Slicing costs a third of parsing.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from collector.core.telemetry import Contents, Operation
from collector.core.times import LATEST, bounded, end_of
from collector.otlp.v1.raw_pb2 import SpanHead

_TIMES = struct.Struct("<BQBQ").unpack_from
_PARENT_TAG = b"\x22\x08"
_ZERO_TRACE, _ZERO_SPAN = bytes(16), bytes(8)


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

    def read(self, spans: Sequence[bytes], service: str) -> list[int]:
        """Takes in serialized spans of one service; returns the indices of those that cannot be kept."""
        if not self._slice(spans, service):
            return [index for index, span in enumerate(spans) if not self._parse(span, service)]
        return []

    def _slice(self, spans: Sequence[bytes], service: str) -> bool:
        """Takes them all in, or none where one of them is not written as expected.

        Tags and lengths that come again and again are checked once for each distinct stretch of bytes, not for each
        span: this loop is most of what an ingested span costs in Python.
        """
        beginnings, names = set[bytes](), set[bytes]()
        earliest, latest, shortest, longest = self._earliest, self._latest, self._shortest, self._longest
        try:
            for span in spans:
                at = 38 if span[28:30] == _PARENT_TAG else 28
                end = at + 4 + span[at + 1]
                start_tag, start, end_tag, stop = _TIMES(span, end)
                if start_tag != 0x39 or end_tag != 0x41 or span.startswith(_ZERO_SPAN, 20):
                    return False
                beginnings.add(span[:20])
                names.add(span[at:end])
                duration = stop - start
                if start < earliest:
                    earliest = start
                if start > latest:
                    latest = start
                if duration < shortest:
                    shortest = duration
                if duration > longest:
                    longest = duration
        except (struct.error, IndexError):
            return False
        if shortest < 0 or latest > LATEST or latest + longest > LATEST:  # times to be bounded, one by one
            return False
        if not all(map(_begins_as_expected, beginnings)) or not all(map(_names_as_expected, names)):
            return False
        self.trace_ids.update(beginning[2:18] for beginning in beginnings)
        self._operations.update(Operation(service, name[2:-2].decode(), name[-1]) for name in names)
        self._earliest, self._latest, self._shortest, self._longest = earliest, latest, shortest, longest
        return True

    def _parse(self, span: bytes, service: str) -> bool:
        head = SpanHead.FromString(span)
        fault = _fault(head)
        if fault:
            self.faults.append(f"span {head.name!r}: {fault}")
            return False
        start = bounded(head.start_time_unix_nano)
        duration = end_of(start, head.end_time_unix_nano) - start
        self.trace_ids.add(head.trace_id)
        self._operations.add(Operation(service, head.name, head.kind))
        self._earliest, self._latest = min(start, self._earliest), max(start, self._latest)
        self._shortest, self._longest = min(duration, self._shortest), max(duration, self._longest)
        return True

    def contents(self) -> Contents:
        """What was gathered."""
        return Contents(frozenset(self._operations), self._earliest, self._latest, self._shortest, self._longest)


def _begins_as_expected(beginning: bytes) -> bool:
    """Field 1 of 16 bytes that are not all zero, then field 2 of 8 bytes."""
    return beginning[:2] == b"\x0a\x10" and beginning[18:] == b"\x12\x08" and beginning[2:18] != _ZERO_TRACE


def _names_as_expected(name: bytes) -> bool:
    """Field 5 of less than 128 bytes, then field 6 of one byte."""
    return name[0] == 0x2A and name[1] < 128 and name[-2] == 0x30


def _fault(head: SpanHead) -> str:
    lengths = (len(head.trace_id), len(head.span_id), len(head.parent_span_id))
    if lengths[:2] != (16, 8) or lengths[2] not in (0, 8):
        return "trace id of {}, span id of {}, parent span id of {} bytes; allowed are 16, 8, and 0 or 8".format(
            *lengths
        )
    if head.trace_id == _ZERO_TRACE or head.span_id == _ZERO_SPAN:
        return "its trace id or span id is all zero"
    return ""
