"""One append-only file of export requests, as they came.

A frame is a header, the names of the collectors that forwarded the request, and the request's own bytes. A checksum
says whether a frame is whole: one that a power failure tore is cut off when the file is opened again.
"""

import os
import struct
import weakref
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.core.telemetry import OtlpRequest, Signal

_HEADER = struct.Struct("<4sIIIQHBx")
"""Magic, checksum, body length, items, reception in Unix nanoseconds, length of the hops, signal."""

_MAGIC = b"OTL1"
_SIGNALS = {Signal.TRACES: 1, Signal.LOGS: 2}
_BY_NUMBER = {number: signal for signal, number in _SIGNALS.items()}
_STRIDE = 256
"""Every 256th byte of a body is in its checksum, which is there to find sectors that never reached the disk: these are
lost in stretches of 512 bytes and more. A checksum of all bytes costs a tenth of what a span costs altogether."""

_MAX_BUFFERS = 512
"""Of one writev call; Linux takes 1024."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A request as it is read back. `end`: where the next frame begins."""

    offset: int
    end: int
    signal: Signal
    body: bytes
    items: int
    received_unix_nano: int
    hops: tuple[str, ...]


class SegmentFile:
    """Appends by one thread, reads by any. Closed with `close`, or when nobody holds it any more.

    Args:
        path: Made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.close = weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size

    def append(self, requests: Sequence[OtlpRequest]) -> list[int]:
        """Writes the requests one after the other and returns their offsets once they are durable.

        Raises:
            OSError: none of them is kept; the file is as it was before.
        """
        buffers: list[bytes] = []
        offsets = []
        end = self.size
        for request in requests:
            offsets.append(end)
            frame = _frame(request)
            buffers += frame
            end += sum(map(len, frame))
        try:
            self._write(buffers)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size = end
        return offsets

    def _write(self, buffers: list[bytes]) -> None:
        at = self.size
        for first in range(0, len(buffers), _MAX_BUFFERS):
            group = buffers[first : first + _MAX_BUFFERS]
            expected = sum(map(len, group))
            written = os.pwritev(self._descriptor, group, at)
            if written < expected:  # a disk that fills up writes a part first, and says so at the next attempt
                rest = b"".join(group)[written:]
                while rest:
                    written = os.pwrite(self._descriptor, rest, at + expected - len(rest))
                    rest = rest[written:]
            at += expected

    def read(self, offset: int, length: int) -> bytes:
        """Raw bytes. The caller knows where a body lies from the index."""
        return os.pread(self._descriptor, length, offset)

    def frames(self, offset: int = 0) -> Iterator[Frame]:
        """The frames from an offset on, up to the end, or to the first that is not whole."""
        while offset + _HEADER.size <= self.size:
            header = self.read(offset, _HEADER.size)
            magic, checksum, length, items, received, hops_length, number = _HEADER.unpack(header)
            end = offset + _HEADER.size + hops_length + length
            if magic != _MAGIC or number not in _BY_NUMBER or end > self.size:
                return
            rest = self.read(offset + _HEADER.size, hops_length + length)
            if checksum != _checksum(header, rest[:hops_length], rest[hops_length:]):
                return
            hops = tuple(rest[:hops_length].decode().split(",")) if hops_length else ()
            yield Frame(offset, end, _BY_NUMBER[number], rest[hops_length:], items, received, hops)
            offset = end

    def cut_off(self, size: int) -> None:
        """Forgets what follows the last whole frame."""
        os.ftruncate(self._descriptor, size)
        self.size = size


def body_offset(offset: int, hops: Sequence[str]) -> int:
    """Where the body of a frame begins."""
    return offset + _HEADER.size + len(",".join(hops).encode())


def _frame(request: OtlpRequest) -> list[bytes]:
    hops = ",".join(request.hops).encode()
    number = _SIGNALS[request.signal]
    blank = _HEADER.pack(_MAGIC, 0, len(request.body), request.items, request.received_unix_nano, len(hops), number)
    checksum = _checksum(blank, hops, request.body)
    return [blank[:4] + checksum.to_bytes(4, "little") + blank[8:], hops, request.body]


def _checksum(header: bytes, hops: bytes, body: bytes) -> int:
    return zlib.crc32(body[::_STRIDE], zlib.crc32(hops, zlib.crc32(header[8:])))
