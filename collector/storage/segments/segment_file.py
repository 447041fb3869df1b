"""One append-only file of export requests, as they came, and what of it can be read when bytes of it are damaged."""

import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.core.telemetry import OtlpRequest
from collector.storage.integrity.frames import (
    Format2,
    Frame,
    FrameFormat,
    Head,
    file_header,
    file_header_of,
    format_of,
    marks,
)
from collector.storage.integrity.sectors import read_at

_MAX_BUFFERS = 512
"""Of one writev call; Linux takes 1024."""

_COPY_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which no whole frame lies.

    Attributes:
        offset: Where it begins.
        end: Where it ends: a frame, or the end of the file.
        items: Spans and log records in it, as far as heads that are whole say.
        torn: Whether it is the beginning of a frame that ends behind the end of the file.
    """

    offset: int
    end: int
    items: int = 0
    torn: bool = False


class SegmentFile:
    """Appends by one thread, reads by any. Closed with `close`, or when nobody holds it any more.

    Args:
        path: Of the file.
        writable: Whether it is opened for appending; else it must be there.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        how = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        self._descriptor = os.open(path, how | os.O_CLOEXEC, 0o600)
        self.close = weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size
        self.header = file_header_of(self.read(0, Format2.first))
        self._format: FrameFormat | None = None if self.header is None else Format2(self.header.identity)

    @property
    def format(self) -> FrameFormat | None:
        """How its frames lie; None where there are none that can be told."""
        if self._format is None:
            self._format = format_of(self.read, self.size)
        return self._format

    @property
    def appendable(self) -> bool:
        """Whether it is in the form that is written today, from its beginning on."""
        return self.header is not None

    def begin(self, number: int, identity: bytes) -> None:
        """Makes an empty file ready for appending.

        Raises:
            OSError: it cannot be written.
        """
        try:
            self._write([file_header(number, identity)])
        except OSError:
            os.ftruncate(self._descriptor, 0)
            raise
        self.size = Format2.first
        self.header = file_header_of(self.read(0, Format2.first))
        self._format = Format2(identity)
        directory = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)  # the name of the file must survive as well as what is in it
        finally:
            os.close(directory)

    def append(self, requests: Sequence[OtlpRequest]) -> list[int]:
        """Writes the requests one after the other and returns the offsets of their bodies once they are durable.

        Raises:
            OSError: none of them is kept; the file is as it was before.
        """
        form = self._format
        assert isinstance(form, Format2)
        buffers: list[bytes] = []
        offsets = []
        end = self.size
        for request in requests:
            head, body, hops = form.written(request)
            offsets.append(end + len(head))
            buffers += (head, body, hops)
            end += len(head) + len(body) + len(hops)
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
        """Raw bytes; zeros where the disk cannot read them, fewer at the end of the file."""
        return read_at(self._descriptor, length, offset)

    def body(self, offset: int, length: int) -> bytes | None:
        """A request's own bytes, at a place that an index names; None where they are damaged or something else."""
        return None if self.format is None else self.format.body(self.read, offset, length)

    def around(self, offset: int, length: int) -> Gap:
        """The frame in which a body lies, as far as that can be told without it."""
        head_bytes = 0 if self.format is None else self.format.head_bytes
        return Gap(max(offset - head_bytes, 0), min(offset + length, self.size))

    def frames(self, offset: int = 0) -> Iterator[Frame]:
        """The whole frames from an offset on."""
        return (piece for piece in self.pieces(offset) if isinstance(piece, Frame))

    def pieces(self, offset: int = 0) -> Iterator[Frame | Gap]:
        """Frames and the gaps between them, from an offset on, without anything left out. A torn gap stands alone."""
        form = self.format
        if form is None:
            if offset < self.size:
                yield Gap(offset, self.size)
            return
        size = self.size
        gap: Gap | None = None
        if self.header is not None:
            offset = max(offset, form.first)
        while offset < size:
            piece = self._piece(form, offset, size)
            if isinstance(piece, Gap) and not piece.torn:
                gap = piece if gap is None else Gap(gap.offset, piece.end, gap.items + piece.items)
            else:
                if gap is not None:
                    yield gap
                    gap = None
                yield piece
            offset = piece.end
        if gap is not None:
            yield gap

    def _piece(self, form: FrameFormat, offset: int, size: int) -> Frame | Gap:
        head = form.head(self.read(offset, form.head_bytes), offset)
        if head is not None and head.end <= size:
            frame = form.frame(self.read(offset, head.end - offset), offset)
            if frame is not None:
                return frame
            if head.end == size or self._begins(form, head.end):
                return Gap(offset, head.end, head.items if head.sure else 0)
        for at in marks(self.read, size, form, offset + 1):
            if self._leads_on(form, at, size):
                return Gap(offset, at)
        return Gap(offset, size, torn=self._is_torn(form, head, offset, size))

    def _is_torn(self, form: FrameFormat, head: Head | None, offset: int, size: int) -> bool:
        if head is None and size - offset < form.head_bytes:
            return form.mark.startswith(self.read(offset, min(size - offset, len(form.mark))))
        return head is not None and head.end > size

    def _begins(self, form: FrameFormat, offset: int) -> bool:
        return form.head(self.read(offset, form.head_bytes), offset) is not None

    def _leads_on(self, form: FrameFormat, offset: int, size: int) -> bool:
        """Whether a frame begins there, as far as can be told."""
        head = form.head(self.read(offset, form.head_bytes), offset)
        if head is None or head.sure:
            return head is not None
        return head.end <= size and form.frame(self.read(offset, head.end - offset), offset) is not None

    def is_blank(self, gap: Gap) -> bool:
        """Whether its bytes are all zero: a place that was never written to."""
        spans = range(gap.offset, gap.end, _COPY_BYTES)
        return not any(any(self.read(at, min(_COPY_BYTES, gap.end - at))) for at in spans)

    def copy(self, gap: Gap, path: Path) -> None:
        """Writes the bytes of a gap into a file of their own, unless that is there or they are all zero.

        Raises:
            OSError: it cannot be written; nothing is left of it.
        """
        if path.exists() or self.is_blank(gap):
            return
        spans = range(gap.offset, gap.end, _COPY_BYTES)
        unfinished = path.with_name(path.name + ".unfinished")
        try:
            with unfinished.open("wb") as file:
                for at in spans:
                    file.write(self.read(at, min(_COPY_BYTES, gap.end - at)))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def cut_off(self, size: int) -> None:
        """Forgets a torn end."""
        os.ftruncate(self._descriptor, size)
        self.size = size
