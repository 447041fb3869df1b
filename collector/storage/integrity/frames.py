"""The two forms of a frame: how a request lies in a segment file, and how it is told from damage.

A file of format 2 begins with a header that holds eight random bytes, the file's identity. Every frame begins with a
mark that repeats them, so that the next frame is found again behind a damaged stretch, and so that bytes which somebody
sent as the value of an attribute are never taken for a frame. Head, body and hops have a checksum each (XXH3): a frame
whose body is damaged still says where the next one begins and how much is lost.

Format 1 is what earlier versions wrote. It is read, never written: no identity, and a checksum over every 256th byte.
"""

import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from xxhash import xxh3_64_intdigest

from collector.core.telemetry import OtlpRequest, Signal
from collector.core.times import bounded

IDENTITY_BYTES = 8
_FILE_HEADER = struct.Struct("<8sQ8sQ")
"""Magic, number of the segment, identity, checksum of what is in front of it."""

_FILE_MAGIC = b"OTLPSEG2"
_FIELDS_2 = struct.Struct("<4s8sQQIIIIB3x")
"""Magic, identity, reception in Unix nanoseconds, checksum and length of the body, items, checksum and length of the
hops, signal. A checksum of these 48 bytes follows (4 bytes), then the body, then the hops."""

_HEAD_2_BYTES = _FIELDS_2.size + 4
_MAGIC_2 = b"OTL2"
_HEADER_1 = struct.Struct("<4sIIIQHBx")
"""Magic, checksum, length of the body, items, reception, length of the hops, signal. Then the hops, then the body."""

_MAGIC_1 = b"OTL1"
_STRIDE_1 = 256
_LONGEST_HOPS_1 = 1_024
_SIGNALS = {Signal.TRACES: 1, Signal.LOGS: 2}
_BY_NUMBER = {number: signal for signal, number in _SIGNALS.items()}
_LOW_32 = 2**32 - 1
_CHUNK_BYTES = 2**20
_ANY_MAGIC = re.compile(rb"OTL[12]")

Read = Callable[[int, int], bytes]
"""Reads that many bytes from an offset on; fewer at the end of the file."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A request as it is read back, whole.

    Attributes:
        offset: Where the frame begins.
        end: Where the next one begins.
        body_offset: Where the request's bytes begin.
    """

    offset: int
    end: int
    body_offset: int
    signal: Signal
    body: bytes
    items: int
    received_unix_nano: int
    hops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What a frame says of itself before its body is read.

    Attributes:
        end: Where the next frame begins.
        items: Spans or log records in it.
        sure: Whether a checksum of its own says that it is true.
    """

    end: int
    items: int
    sure: bool


class FrameFormat(Protocol):
    """How frames lie in a file."""

    @property
    def mark(self) -> bytes:
        """Every frame begins with it."""
        ...

    @property
    def head_bytes(self) -> int:
        """So many bytes make a head."""
        ...

    @property
    def first(self) -> int:
        """Where the first frame begins."""
        ...

    def head(self, data: bytes, offset: int) -> Head | None:
        """The head in these bytes, which stand at that offset; None where there is none."""
        ...

    def frame(self, data: bytes, offset: int) -> Frame | None:
        """The frame that these bytes are, from its head to its end; None where it is damaged."""
        ...

    def body(self, read: Read, body_offset: int, length: int) -> bytes | None:
        """The body that an index says is there; None where it is damaged or something else."""
        ...


class Format2:
    """See `FrameFormat`; what is written today.

    Args:
        identity: Of the file.
    """

    head_bytes = _HEAD_2_BYTES
    first = _FILE_HEADER.size

    def __init__(self, identity: bytes) -> None:
        self.identity = identity
        self.mark = _MAGIC_2 + identity

    def written(self, request: OtlpRequest) -> tuple[bytes, bytes, bytes]:
        """Head, body and hops of a request. A clock before 1970 or after 2262 is bounded."""
        hops = ",".join(request.hops).encode()
        fields = _FIELDS_2.pack(
            _MAGIC_2,
            self.identity,
            bounded(request.received_unix_nano),
            xxh3_64_intdigest(request.body),
            len(request.body),
            request.items,
            xxh3_64_intdigest(hops) & _LOW_32 if hops else 0,
            len(hops),
            _SIGNALS[request.signal],
        )
        return fields + _short(fields), request.body, hops

    def head(self, data: bytes, offset: int) -> Head | None:
        """See `FrameFormat`."""
        if len(data) < _HEAD_2_BYTES or not data.startswith(self.mark):
            return None
        fields = data[: _FIELDS_2.size]
        if _short(fields) != data[_FIELDS_2.size : _HEAD_2_BYTES]:
            return None
        _, _, _, _, length, items, _, hops_length, number = _FIELDS_2.unpack(fields)
        if number not in _BY_NUMBER:
            return None
        return Head(offset + _HEAD_2_BYTES + length + hops_length, items, sure=True)

    def frame(self, data: bytes, offset: int) -> Frame | None:
        """See `FrameFormat`."""
        _, _, received, checksum, length, items, hops_checksum, _, number = _FIELDS_2.unpack_from(data)
        body, hops = data[_HEAD_2_BYTES : _HEAD_2_BYTES + length], data[_HEAD_2_BYTES + length :]
        if xxh3_64_intdigest(body) != checksum or (hops and xxh3_64_intdigest(hops) & _LOW_32 != hops_checksum):
            return None
        return Frame(
            offset, offset + len(data), offset + _HEAD_2_BYTES, _BY_NUMBER[number], body, items, received, _hops(hops)
        )

    def body(self, read: Read, body_offset: int, length: int) -> bytes | None:
        """See `FrameFormat`."""
        data = read(body_offset - _HEAD_2_BYTES, _HEAD_2_BYTES + length)
        if not data.startswith(self.mark) or len(data) != _HEAD_2_BYTES + length:
            return None
        _, _, _, checksum, stated, *_ = _FIELDS_2.unpack_from(data)
        body = data[_HEAD_2_BYTES:]
        return body if stated == length and xxh3_64_intdigest(body) == checksum else None


class Format1:
    """See `FrameFormat`; what earlier versions wrote."""

    mark = _MAGIC_1
    head_bytes = _HEADER_1.size
    first = 0

    def head(self, data: bytes, offset: int) -> Head | None:
        """See `FrameFormat`."""
        if len(data) < _HEADER_1.size or not data.startswith(_MAGIC_1):
            return None
        _, _, length, items, _, hops_length, number = _HEADER_1.unpack_from(data)
        if number not in _BY_NUMBER or hops_length > _LONGEST_HOPS_1:
            return None
        return Head(offset + _HEADER_1.size + hops_length + length, items, sure=False)

    def frame(self, data: bytes, offset: int) -> Frame | None:
        """See `FrameFormat`."""
        _, checksum, _, items, received, hops_length, number = _HEADER_1.unpack_from(data)
        at = _HEADER_1.size + hops_length
        hops, body = data[_HEADER_1.size : at], data[at:]
        if zlib.crc32(body[::_STRIDE_1], zlib.crc32(hops, zlib.crc32(data[8 : _HEADER_1.size]))) != checksum:
            return None
        return Frame(offset, offset + len(data), offset + at, _BY_NUMBER[number], body, items, received, _hops(hops))

    def body(self, read: Read, body_offset: int, length: int) -> bytes | None:
        """See `FrameFormat`. The hops lie between head and body, so that the head is looked for."""
        before = min(body_offset, _HEADER_1.size + _LONGEST_HOPS_1)
        data = read(body_offset - before, before + length)
        at = data.rfind(_MAGIC_1, 0, before - _HEADER_1.size + len(_MAGIC_1))
        while at >= 0:
            head = self.head(data[at:], at)
            if head is not None and head.end == before + length == len(data):
                frame = self.frame(data[at:], at)
                if frame is not None and frame.body_offset == before:
                    return frame.body
            at = data.rfind(_MAGIC_1, 0, at + len(_MAGIC_1) - 1)
        return None


def file_header(number: int, identity: bytes) -> bytes:
    """What a file of format 2 begins with."""
    fields = _FILE_HEADER.pack(_FILE_MAGIC, number, identity, 0)[:-8]
    return fields + xxh3_64_intdigest(fields).to_bytes(8, "little")


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What a file says of itself at its beginning."""

    number: int
    identity: bytes


def file_header_of(data: bytes) -> FileHeader | None:
    """The header in these bytes; None where it is damaged, or of another format."""
    if len(data) < _FILE_HEADER.size or xxh3_64_intdigest(data[: _FILE_HEADER.size - 8]) != int.from_bytes(
        data[_FILE_HEADER.size - 8 : _FILE_HEADER.size], "little"
    ):
        return None
    magic, number, identity, _ = _FILE_HEADER.unpack_from(data)
    return FileHeader(number, identity) if magic == _FILE_MAGIC else None


def format_of(read: Read, size: int) -> FrameFormat | None:
    """How the frames of a file lie; None where nothing in it can be told for a frame.

    Where its beginning is damaged the frames themselves say it: that form counts of which there are most bytes, because
    what somebody sent to look like frames always lies inside of true ones, which are larger.
    """
    beginning = read(0, _FILE_HEADER.size)
    header = file_header_of(beginning)
    if header is not None:
        return Format2(header.identity)
    if beginning.startswith(_MAGIC_1):
        return Format1()
    found: Counter[bytes] = Counter()
    for offset in _offsets(read, size, _ANY_MAGIC):
        data = read(offset, _HEAD_2_BYTES)
        identity = data[4 : 4 + IDENTITY_BYTES] if data.startswith(_MAGIC_2) else b""
        head = (Format2(identity) if identity else Format1()).head(data, offset)
        if head is not None and head.end <= size:
            found[identity] += head.end - offset
    if not found:
        return None
    ((identity, _),) = found.most_common(1)
    return Format2(identity) if identity else Format1()


def marks(read: Read, size: int, form: FrameFormat, offset: int) -> Iterator[int]:
    """Where frames may begin, from an offset on."""
    return _offsets(read, size, re.compile(re.escape(form.mark)), offset)


def _offsets(read: Read, size: int, pattern: re.Pattern[bytes], offset: int = 0) -> Iterator[int]:
    longest = len(_MAGIC_2) + IDENTITY_BYTES
    while offset < size:
        chunk = read(offset, _CHUNK_BYTES + longest - 1)
        for match in pattern.finditer(chunk):
            if match.start() < _CHUNK_BYTES:
                yield offset + match.start()
        offset += _CHUNK_BYTES


def _short(data: bytes) -> bytes:
    return (xxh3_64_intdigest(data) & _LOW_32).to_bytes(4, "little")


def _hops(hops: bytes) -> tuple[str, ...]:
    return tuple(hops.decode(errors="replace").split(",")) if hops else ()
