"""Compressed bodies, inflated piece by piece and never beyond the limit."""

import zlib

from collector.core.errors import InvalidRequest, TooLarge

ENCODINGS = ("identity", "gzip", "deflate")
"""What is taken (and ``x-gzip``, an old name of gzip)."""

# zlib's window bits: 16 + 15 reads gzip, 15 reads zlib, which is what HTTP calls deflate (RFC 9110, 8.4.1.2).
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


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
        self._began = False

    @staticmethod
    def knows(encoding: str) -> bool:
        """Whether bodies of that encoding can be taken."""
        return encoding == "identity" or encoding in _WINDOW_BITS

    def feed(self, piece: bytes) -> int:
        """Takes the next piece; returns by how much the body has grown.

        Raises:
            InvalidRequest: it is not of that encoding.
            TooLarge: the body is larger than the limit.
        """
        before = self._size
        if self._stream is None:
            self._keep(piece)
        while self._stream is not None and piece:
            self._began = True
            try:
                self._keep(self._stream.decompress(piece, self._limit + 1 - self._size))
            except zlib.error as error:
                raise InvalidRequest(f"the body is not {self._encoding}: {error}") from None
            piece = self._stream.unused_data
            if piece and self._bits == 31:  # gzip allows one member after the other (RFC 1952, 2.2)
                self._stream = zlib.decompressobj(31)
            elif piece:
                raise InvalidRequest(
                    f"the {self._encoding} body is followed by {len(piece)} bytes that are not part of it"
                )
        return self._size - before

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise TooLarge(f"the body is longer than {self._limit} bytes (decompressed); send smaller batches")
        self._pieces.append(piece)

    def body(self) -> bytes:
        """The whole body.

        Raises:
            InvalidRequest: it ends too early.
        """
        if self._stream is not None and self._began and not self._stream.eof:
            raise InvalidRequest(f"the {self._encoding} body is cut off")
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
