"""A segment: a stretch of requests, in the order of their coming, and its index."""

import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from collector.core.errors import InvalidRequest
from collector.core.telemetry import OtlpRequest, Signal
from collector.counters import Counters
from collector.otlp.request import reread
from collector.storage.integrity.damage import ASIDE, Damage, DamageLog
from collector.storage.integrity.frames import IDENTITY_BYTES, Format2, Frame
from collector.storage.integrity.seal import Seal, checksum_of
from collector.storage.patience import Patience
from collector.storage.segments.responses import ResponseIndex
from collector.storage.segments.segment_file import Gap, SegmentFile
from collector.storage.segments.segment_index import VERSION, Extent, Place, SegmentIndex

_NUMBER_SHIFT = 40
"""A position is the segment's number, then the offset in its file: files stay far under a tebibyte."""

_LAST_NUMBER = 2**22
"""Positions are numbers of 63 bits."""

_FURTHEST = 2**20
"""Numbers count up by one; a file that stands further ahead is somebody's copy under another name."""

_AT_ONCE = 64
_MOST_ANSWERING = 64
"""Requests that name one and the same answer; of more the last are looked at."""

_NO_FRAME = "no whole request lies there"
_NAME = re.compile(r"([0-9]{8})\.otlp")


class IndexDamaged(sqlite3.DatabaseError):
    """An index is not what was saved any more. It is made again when it is used next: the work can be begun again."""


class Segment:
    """One file of requests with its index: open while it is written to, then sealed.

    Args:
        number: Counts up; what comes later has the higher one.
        file: The requests.
        damages: What is found damaged goes there.
        index: Of all requests in the file, while it grows; a sealed one finds its own.

    Attributes:
        sealing: Its index is being written; it must not be deleted meanwhile.
        appendable: Whether it may grow. An offset is never given twice, and earlier forms are read only.
    """

    def __init__(self, number: int, file: SegmentFile, damages: DamageLog, index: SegmentIndex | None = None) -> None:
        self.number = number
        self.file = file
        self.sealing = False
        self.appendable = True
        self._damages = damages
        self._index = index
        self._saved = False
        self._building = threading.Lock()
        self._readable: set[int] = set()
        self._extent: Extent | None = None
        self._responses = ResponseIndex(_responses_path(file), bytes.fromhex(self._identity()))
        if file.header is not None and file.header.number != number:
            what = f"it was written as segment {file.header.number}, and renamed or copied"
            damages.found(Damage(file.path.name, 0, 0, what))

    @classmethod
    def opened(
        cls,
        directory: Path,
        number: int,
        damages: DamageLog | None = None,
        identify: Callable[[], bytes] = lambda: secrets.token_bytes(IDENTITY_BYTES),
    ) -> "Segment":
        """The segment of that number, to go on with where it is `appendable`; a new one if it is not there.

        A torn end is kept aside and cut off. Everything else that cannot be read stays where it is.

        Args:
            directory: Of all segments.
            number: See above.
            damages: What is found damaged goes there.
            identify: Gives a new one its identity: eight random bytes.

        Raises:
            OSError: it cannot be opened, or not be written to.
        """
        damages = damages or DamageLog(directory / ASIDE, Counters())
        segment = cls(number, SegmentFile(directory / f"{number:08d}.otlp"), damages)
        segment._index, end = segment._indexed()
        if end is not None:
            segment._cut_off(end)
        segment.appendable = segment.file.appendable and end is None
        if segment.file.size == 0:
            segment.file.begin(number, identify())
            segment.appendable = True
        return segment

    @classmethod
    def sealed(cls, directory: Path, number: int, damages: DamageLog, *, writable: bool = True) -> "Segment":
        """A segment to which nothing is appended any more.

        Raises:
            OSError: it cannot be opened.
        """
        return cls(number, SegmentFile(directory / f"{number:08d}.otlp", writable=writable), damages)

    @property
    def path(self) -> Path:
        """Of the file that holds the requests."""
        return self.file.path

    @property
    def index(self) -> SegmentIndex:
        """Of the requests that can be read. A sealed segment's is looked for, checked or made again on first use."""
        index = self._index
        if index is None:
            with self._building:
                index = self._index or self.trusted() or self._again()
                self._index = index
        return index

    @property
    def saved(self) -> bool:
        """Whether the index is in a file of its own, and is what was written there."""
        return self._saved

    def append(self, requests: Sequence[OtlpRequest]) -> None:
        """Durable and indexed on return.

        Raises:
            OSError: nothing was kept. Nor was it with any other error, which is the fault of one of the requests.
        """
        end = self.file.size
        offsets = self.file.append(requests)
        try:
            self.index.add(list(zip(offsets, requests, strict=True)))
        except BaseException:
            self.file.cut_off(end)
            raise

    def body(self, place: Place, signal: Signal = Signal.TRACES) -> bytes:
        """The request at a place that the index named; an empty one, which holds nothing, where it is damaged.

        Raises:
            IndexDamaged: the index named a wrong place.
        """
        body = self.file.body(place.offset, place.length)
        if body is None or not self._can_be_read(place.offset, body, signal):
            gap = self.file.around(place.offset, place.length)
            if not self._damages.knows(self.path.name, gap.offset):
                if self.look_again():  # the place was wrong, not what lies there
                    raise IndexDamaged(f"the index of segment {self.number} was damaged")
                self._found(gap, "a request does not match its checksum")
            return b""
        return body

    def _can_be_read(self, offset: int, body: bytes, signal: Signal) -> bool:
        """Files of format 1 have checksums that let most damage pass; their requests are parsed once before use."""
        if isinstance(self.file.format, Format2) or offset in self._readable:
            return True
        try:
            reread(signal, body, 0, ())
        except InvalidRequest:
            return False
        self._readable.add(offset)
        return True

    def can_be_read(self, frame: Frame) -> bool:
        """Whether the request in a whole frame is one; notes it where not."""
        return isinstance(self.file.format, Format2) or self._reread(frame) is not None

    def bodies(self, trace_id: bytes, signal: Signal) -> list[bytes]:
        """The requests that touch a trace, in the order of their coming."""
        return [self.body(place, signal) for place in self.index.places(trace_id, signal)]

    def answering(self, response_ids: Collection[str], patience: Patience) -> Iterator[tuple[bytes, Collection[str]]]:
        """The requests that may hold answers of models, and which; the last first.

        Raises:
            OutOfTime: there was more to read; it is gone on with the next time.
        """

        def requests(behind: int) -> Iterator[tuple[int, bytes]]:
            for place in self.index.places_behind(behind):
                patience.go_on()
                yield place.offset, self.body(place)

        found = self._responses.offsets(response_ids, requests, self.file.size if self.saved else 0)
        named: dict[int, set[str]] = {}
        for response_id, offsets in found.items():
            for offset in offsets[-_MOST_ANSWERING:]:
                named.setdefault(offset, set()).add(response_id)
        for place in self.index.places_at(sorted(named, reverse=True)):
            patience.go_on()
            yield self.body(place), named[place.offset]

    def pieces(self, offset: int) -> Iterator[Frame | Gap]:
        """Requests and what cannot be read between them, from an offset on, in order."""
        for piece in self.file.pieces(offset):
            if isinstance(piece, Gap):
                self._found(piece, _NO_FRAME)
            yield piece

    def position(self, offset: int) -> int:
        """Of an offset in this segment, among all segments."""
        return position_of(self.number, offset)

    def _indexed(self) -> tuple[SegmentIndex, Gap | None]:
        """The index of what can be read, in memory, and the gap at the end. Notes the other gaps."""
        index = SegmentIndex.in_memory()
        batch: list[tuple[int, OtlpRequest]] = []
        gap: Gap | None = None
        for piece in self.file.pieces():
            if gap is not None:
                self._found(gap, _NO_FRAME)
            gap = piece if isinstance(piece, Gap) else None
            request = None if isinstance(piece, Gap) else self._reread(piece)
            if request is not None and isinstance(piece, Frame):
                batch.append((piece.body_offset, request))
            if len(batch) == _AT_ONCE:
                index.add(batch)
                batch.clear()
        index.add(batch)
        return index, gap

    def _cut_off(self, end: Gap) -> None:
        """What a power failure or a killed process left of a write. Damage is not cut off."""
        if not end.torn and not self.file.is_blank(end):
            self._found(end, _NO_FRAME)
        elif self._damages.torn(self.path.name, end.offset, end.end, lambda path: self.file.copy(end, path)):
            self.file.cut_off(end.offset)

    def _reread(self, frame: Frame) -> OtlpRequest | None:
        try:
            request = reread(frame.signal, frame.body, frame.received_unix_nano, frame.hops)
        except InvalidRequest as error:
            self._found(Gap(frame.offset, frame.end, frame.items), str(error))
            return None
        return replace(request, body=frame.body)  # the index is of what lies there, whatever is refused today

    def _found(self, gap: Gap, what: str) -> bool:
        damage = Damage(self.path.name, gap.offset, gap.end - gap.offset, what, gap.items)
        return self._damages.found(damage, lambda path: self.file.copy(gap, path))

    def trusted(self) -> SegmentIndex | None:
        """The index that was saved, newly opened, if it is still the one and covers the file as it is."""
        path, seal = _index_path(self.file), Seal.read(_seal_path(self.file))
        if seal is not None and seal.segment_bytes > self.file.size and seal.identity == self._identity():
            missing = seal.segment_bytes - self.file.size
            self._damages.found(Damage(self.path.name, self.file.size, missing, "the file was cut short"))
        try:
            if seal is not None and seal == self._seal_of(path):
                index = SegmentIndex.in_file(path)
                self._saved = True
                return index
        except (OSError, sqlite3.Error):
            return None
        return None

    def _seal_of(self, index_path: Path) -> Seal:
        size = index_path.stat().st_size
        return Seal(self._identity(), self.file.size, VERSION, size, checksum_of(index_path))

    def _identity(self) -> str:
        return self.file.header.identity.hex() if self.file.header is not None else ""

    def _again(self) -> SegmentIndex:
        """A new index of a sealed segment, saved if there is room for it."""
        path = _index_path(self.file)
        self._damages.rebuilt(path.name, "it was not whole" if path.exists() else "it was not there")
        index, end = self._indexed()
        if end is not None:
            self._found(end, _NO_FRAME)
        try:
            return self._save(index)
        except (OSError, sqlite3.Error):  # it stays in memory, and is made again at the next start
            return index

    def _save(self, index: SegmentIndex) -> SegmentIndex:
        path, seal = _index_path(self.file), _seal_path(self.file)
        seal.unlink(missing_ok=True)
        index.save(path)
        self._seal_of(path).write(seal)
        saved = SegmentIndex.in_file(path)
        self._saved = True
        return saved

    def seal(self) -> None:
        """Writes the index into a file and reads it from there. Nothing may be appended any more.

        Raises:
            OSError, sqlite3.Error: it stays in memory.
        """
        self._index = self._save(self.index)

    def look_again(self) -> bool:
        """Asks whether the saved index is still whole; where it is not, it is made again when it is used next."""
        with self._building:
            if not self._saved or self.trusted() is not None:
                return False
            self._index, self._saved, self._extent = None, False, None
        return True

    def looks_sealed(self) -> bool:
        """Whether an index was written for it, whatever has become of that."""
        return _seal_path(self.file).exists() or _index_path(self.file).exists()

    def extent(self) -> Extent:
        """What it holds; remembered once it is sealed."""
        known = self._extent
        if known is None:
            index, saved = self.index, self.saved
            known = index.extent()
            self._extent = known if saved else None
        return known

    def size_bytes(self) -> int:
        """Of its files."""
        beside = (_index_path(self.file), _responses_path(self.file))
        return self.file.size + sum(path.stat().st_size for path in beside if path.exists())

    def delete(self) -> None:
        """Removes its files. Who reads it at the moment can finish."""
        _seal_path(self.file).unlink(missing_ok=True)
        _index_path(self.file).unlink(missing_ok=True)
        _responses_path(self.file).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self._damages.forget(self.path.name)

    def close(self) -> None:
        """Nothing can be read any more."""
        self.file.close()
        if self._index is not None:
            self._index.close()


def position_of(number: int, offset: int) -> int:
    """Of an offset in the segment of that number."""
    return number << _NUMBER_SHIFT | offset


def segment_of(position: int) -> tuple[int, int]:
    """The number of the segment and the offset in it that a position means."""
    return position >> _NUMBER_SHIFT, position & (1 << _NUMBER_SHIFT) - 1


def numbers_in(directory: Path) -> list[int]:
    """The segments in a directory, the oldest first.

    What has another name, is no file, or stands further ahead than any that could have been written, is not ours.
    """
    matches = (_NAME.fullmatch(path.name) for path in directory.iterdir() if path.is_file())
    found: list[int] = []
    for number in sorted(int(match[1]) for match in matches if match):
        if 0 < number < _LAST_NUMBER and (not found or number - found[-1] <= _FURTHEST):
            found.append(number)
    return found


def _index_path(file: SegmentFile) -> Path:
    return file.path.with_suffix(".index")


def _responses_path(file: SegmentFile) -> Path:
    return file.path.with_suffix(".responses")


def _seal_path(file: SegmentFile) -> Path:
    return file.path.with_suffix(".seal")
