"""Why a graph says what it says of one span: what was read from where, and which rule made each of its edges."""

from dataclasses import dataclass
from typing import NamedTuple

from collector.core.graph import Edge, NodeId
from collector.core.span import AnyValue


class Statement(NamedTuple):
    """One fact that a span states.

    Attributes:
        fact: ``role``, ``input question``, ``output``, ``parameter planner.prompt``, …
        keys: What it was read from: keys of attributes, ``a.b.*`` of those that spell out a list, ``event NAME``,
            ``links``, ``name`` of the span's name.
        convention: By which table or code.
    """

    fact: str
    value: AnyValue
    keys: tuple[str, ...]
    convention: str


class ReasonedEdge(NamedTuple):
    """An edge of the span's node.

    Attributes:
        source: The name of its source.
        target: Likewise.
        why: Why its rule is believed; empty where a span states the edge.
    """

    edge: Edge
    source: str
    target: str
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one span, and whence.

    Attributes:
        node: That stands for the span; another span's where two instrumentations recorded one call.
        statements: Of the span itself.
        edges: Into its node, then out of it.
    """

    trace_id: str
    span_id: str
    node: NodeId
    name: str
    statements: tuple[Statement, ...]
    edges: tuple[ReasonedEdge, ...]
