"""Finders of edges: what spans state, calls of tools, which output stands in which input, what came before."""

from typing import NamedTuple


class Find(NamedTuple):
    """Something of a producer's output is among a consumer's inputs, or the one decided that the other ran.

    Attributes:
        producer: Its span id.
        consumer: Likewise.
        argument: The input; empty if it is not known which.
        reason: Why, in words for people; empty where the rule's own reason says it all.
    """

    producer: str
    consumer: str
    argument: str = ""
    reason: str = ""
