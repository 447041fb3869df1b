"""How a collector and its workers talk: frames of a kind, a length and a pickle, or bytes as they are.

A `pickle.PickleBuffer` in what is sent goes beside the pickle and arrives as bytes: pickles of megabytes are copied
while nothing else runs.
"""

import pickle
import struct
from enum import Enum
from typing import IO, Any

_HEAD = struct.Struct("<cQI")
"""Kind, length, and how many buffers follow."""

_SIZE = struct.Struct("<Q")


class Kind(Enum):
    """What a frame holds."""

    WORK = b"W"
    """To the worker: a function, and its arguments."""
    ANSWER = b"A"
    """To the worker: what it asked for."""
    BYTES = b"B"
    """The result, as it is: a document of megabytes is not copied into a pickle and out of it."""
    RESULT = b"R"
    """The result."""
    QUESTION = b"Q"
    """What the worker needs to know to go on."""
    FAULT = b"F"
    """The exception that the function raised."""
    NO_MEMORY = b"M"
    """The function needed more memory than the worker may have."""


class Closed(Exception):
    """The other end is gone."""


def send(stream: IO[bytes], kind: Kind, content: Any) -> None:
    """Writes one frame.

    Raises:
        OSError: the other end is gone.
    """
    buffers: list[pickle.PickleBuffer] = []
    data = content if kind is Kind.BYTES else pickle.dumps(content, 5, buffer_callback=buffers.append)
    stream.write(_HEAD.pack(kind.value, len(data), len(buffers)))
    stream.write(data)
    for buffer in buffers:
        raw = buffer.raw()
        stream.write(_SIZE.pack(raw.nbytes))
        stream.write(raw)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[Kind, Any]:
    """Reads one frame.

    Raises:
        Closed: the other end is gone.
    """
    kind, length, count = _HEAD.unpack(_read(stream, _HEAD.size))
    data = _read(stream, length)
    buffers = [_read(stream, *_SIZE.unpack(_read(stream, _SIZE.size))) for _ in range(count)]
    if kind == Kind.BYTES.value:
        return Kind(kind), data
    return Kind(kind), pickle.loads(data, buffers=buffers)  # noqa: S301 - our own processes


def _read(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise Closed
    return data
