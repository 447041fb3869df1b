"""Compressed bodies, inflated step by step and never beyond the limit."""

import zlib
from collections.abc import Iterator

from collector.core.errors import InvalidRequest, TooLarge

ENCODINGS = ("identity", "gzip", "deflate")
"""What is taken (and ``x-gzip``, an old name of gzip)."""

# zlib's window bits: 16 + 15 reads gzip, 15 reads zlib, which is what HTTP calls deflate (RFC 9110, 8.4.1.2).
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}

MOST_MEMBERS = 4_096
"""Of one gzip body. A writer that begins another one for every 64 KiB, as some do, makes a thousand of 64 MiB."""

_STEP_BYTES = 2**20
"""Of what one step gives: a millisecond or two."""

_LEAST_WINDOW_BYTES, _MOST_WINDOW_BYTES = 4_096, 2**18
"""Of what is looked at in one step, behind the end of a member and later: zlib copies what it does not use."""


class Inflater:
    """Takes the pieces of one body.

    Args:
        encoding: Of the body; one of `ENCODINGS`.
        limit: Of the body, as it comes and inflated, in bytes.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding
        self._limit = limit
        self._bits = _WINDOW_BITS.get(encoding)
        self._stream = zlib.decompressobj(self._bits) if self._bits else None
        self._pieces: list[bytes] = []
        self._size = 0
        self._members = 0
        self._began = False

    @staticmethod
    def knows(encoding: str) -> bool:
        """Whether bodies of that encoding can be taken."""
        return encoding == "identity" or encoding in _WINDOW_BITS

    def feed(self, piece: bytes) -> Iterator[int]:
        """Takes the next piece in steps, each of which costs little; yields by how much the body grew in each.

        Raises:
            InvalidRequest: it is not of that encoding, or made of too many members.
            TooLarge: the body is larger than the limit.
        """
        if self._stream is None or not piece:
            yield self._keep(piece)
            return
        self._began = True
        view, at, window = memoryview(piece), 0, _MOST_WINDOW_BYTES
        full = False
        while at < len(piece) or (full and not self._stream.eof):
            if self._stream.eof:
                self._next_member(len(piece) - at)
                window = _LEAST_WINDOW_BYTES
            given = view[at : at + window]
            grown, left = self._step(given)
            yield grown
            at += len(given) - left
            full = grown >= _STEP_BYTES  # there may be more in the stream than was looked for
            window = min(2 * window, _MOST_WINDOW_BYTES)

    def _step(self, given: memoryview) -> tuple[int, int]:
        """Inflates as much as a step gives; returns by how much the body grew, and how much was not looked at."""
        assert self._stream is not None
        try:
            inflated = self._stream.decompress(given, min(_STEP_BYTES, self._limit + 1 - self._size))
        except zlib.error as error:
            raise InvalidRequest(f"the body is not {self._encoding}: {error}") from None
        unused = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return self._keep(inflated), len(unused)

    def _next_member(self, left: int) -> None:
        """Gzip allows one member after the other (RFC 1952, 2.2)."""
        if self._bits != 31:
            raise InvalidRequest(f"the {self._encoding} body is followed by {left} bytes that are not part of it")
        self._members += 1
        if self._members >= MOST_MEMBERS:
            raise InvalidRequest(f"the gzip body has more than {MOST_MEMBERS} members; compress it as one")
        self._stream = zlib.decompressobj(31)

    def _keep(self, piece: bytes) -> int:
        self._size += len(piece)
        if self._size > self._limit:
            raise TooLarge(f"the body is longer than {self._limit} bytes (decompressed); send smaller batches")
        if piece:
            self._pieces.append(piece)
        return len(piece)

    def body(self) -> bytes:
        """The whole body.

        Raises:
            InvalidRequest: it ends too early.
        """
        if self._stream is not None and self._began and not self._stream.eof:
            raise InvalidRequest(f"the {self._encoding} body is cut off")
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
