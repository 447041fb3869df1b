"""How a collector and its workers talk: frames of a kind, a length and a pickle, or bytes as they are."""

import pickle
import struct
from enum import Enum
from typing import IO, Any

_HEAD = struct.Struct("<cQ")


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
    data = content if kind is Kind.BYTES else pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    stream.write(_HEAD.pack(kind.value, len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[Kind, Any]:
    """Reads one frame.

    Raises:
        Closed: the other end is gone.
    """
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise Closed
    kind, length = _HEAD.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise Closed
    return Kind(kind), data if kind == Kind.BYTES.value else pickle.loads(data)  # noqa: S301 - our own processes
