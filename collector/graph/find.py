"""An edge between operations that was found rather than stated."""

from typing import NamedTuple


class Find(NamedTuple):
    """Something of a producer's output is among a consumer's inputs.

    Attributes:
        producer: Its span id.
        consumer: Likewise.
        confidence: In [0, 1].
        argument: The input; empty if it is not known which.
        reason: Why, in words for people.
    """

    producer: str
    consumer: str
    confidence: float
    argument: str
    reason: str
