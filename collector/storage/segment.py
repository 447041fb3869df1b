"""A segment: a stretch of requests, in the order of their coming, and its index."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from collector.core.telemetry import OtlpRequest, Signal, StoredRequest
from collector.otlp.request import reread
from collector.storage.segment_file import SegmentFile, body_offset
from collector.storage.segment_index import Extent, Place, SegmentIndex

_NUMBER_SHIFT = 40
"""A position is the segment's number, then the offset in its file: files stay far under a tebibyte."""

_AT_ONCE = 64


class Segment:
    """One file of requests with its index: open while it is written to, then sealed.

    Args:
        number: Counts up; what comes later has the higher one.
        file: The requests.
        index: Of all requests in the file.
        saved: Whether the index is in a file of its own.

    Attributes:
        sealing: Its index is being written; it must not be deleted meanwhile.
    """

    def __init__(self, number: int, file: SegmentFile, index: SegmentIndex, *, saved: bool) -> None:
        self.number = number
        self.file = file
        self.index = index
        self.saved = saved
        self.sealing = False
        self._index_bytes = _index_path(file).stat().st_size if saved else 0
        self._extent: Extent | None = None

    @classmethod
    def opened(cls, directory: Path, number: int) -> "Segment":
        """The segment of that number, a new one if it is not there. Cuts off a torn end, makes a lost index anew."""
        file = SegmentFile(directory / f"{number:08d}.otlp")
        index_path = _index_path(file)
        if index_path.exists():
            with contextlib.suppress(sqlite3.Error):
                return cls(number, file, SegmentIndex.in_file(index_path), saved=True)
        index, end = SegmentIndex.in_memory(), 0
        batch: list[tuple[int, OtlpRequest]] = []
        for frame in file.frames():
            request = reread(frame.signal, frame.body, frame.received_unix_nano, frame.hops)
            batch.append((frame.end - len(frame.body), request))
            end = frame.end
            if len(batch) == _AT_ONCE:
                index.add(batch)
                batch.clear()
        index.add(batch)
        file.cut_off(end)
        return cls(number, file, index, saved=False)

    @property
    def path(self) -> Path:
        """Of the file that holds the requests."""
        return self.file.path

    def append(self, requests: Sequence[OtlpRequest]) -> None:
        """Durable and indexed on return.

        Raises:
            OSError: nothing was kept. Nor was it with any other error, which is the fault of one of the requests.
        """
        end = self.file.size
        offsets = self.file.append(requests)
        bodies = [body_offset(offset, request.hops) for offset, request in zip(offsets, requests, strict=True)]
        try:
            self.index.add(list(zip(bodies, requests, strict=True)))
        except BaseException:
            self.file.cut_off(end)
            raise

    def body(self, place: Place) -> bytes:
        """The request at a place that the index named."""
        return self.file.read(place.offset, place.length)

    def bodies(self, trace_id: bytes, signal: Signal) -> list[bytes]:
        """The requests that touch a trace, in the order of their coming."""
        return [self.body(place) for place in self.index.places(trace_id, signal)]

    def requests(self, offset: int) -> Iterator[StoredRequest]:
        """From an offset on, in order."""
        for frame in self.file.frames(offset):
            yield StoredRequest(self.position(frame.end), frame.signal, frame.body, frame.items, frame.hops)

    def position(self, offset: int) -> int:
        """Of an offset in this segment, among all segments."""
        return self.number << _NUMBER_SHIFT | offset

    def seal(self) -> None:
        """Writes the index into a file and reads it from there. Nothing may be appended any more."""
        path = _index_path(self.file)
        self.index.save(path)
        self._index_bytes = path.stat().st_size
        self.index = SegmentIndex.in_file(path)
        self.saved = True

    def extent(self) -> Extent:
        """What it holds; remembered once it is sealed."""
        if self._extent is None or not self.saved:
            self._extent = self.index.extent()
        return self._extent

    def size_bytes(self) -> int:
        """Of its files."""
        return self.file.size + self._index_bytes

    def delete(self) -> None:
        """Removes its files. Who reads it at the moment can finish."""
        _index_path(self.file).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing can be read any more."""
        self.file.close()
        self.index.close()


def segment_of(position: int) -> tuple[int, int]:
    """The number of the segment and the offset in it that a position means."""
    return position >> _NUMBER_SHIFT, position & (1 << _NUMBER_SHIFT) - 1


def numbers_in(directory: Path) -> list[int]:
    """The segments in a directory, the oldest first."""
    return sorted(int(path.stem) for path in directory.glob("*.otlp") if path.stem.isdecimal())


def _index_path(file: SegmentFile) -> Path:
    return file.path.with_suffix(".index")
