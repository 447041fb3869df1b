"""What the API answers of graphs, as types; a graph itself is `collector/render/published.py`."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from collector.render.published import GraphDocument


class NodeCounts(TypedDict):
    """How many there are."""

    nodes: int
    """In the whole graph."""
    shown: int
    """In the part that was asked for."""
    edges: int


class NodesPage(GraphDocument):
    """A page of a graph's nodes, without edges and outputs."""

    counts: NodeCounts
    next_cursor: NotRequired[str]


class TraceGraphJson(TypedDict):
    """Trace-Graph JSON, for OpenTrace (docs/tgj.md)."""

    tgj: Literal["1.0"]
    run_id: str
    agent_id: str
    graph_id: str
    scope: str
    nodes: list[dict[str, Any]]
    exports: dict[str, Any]
    feedback: list[dict[str, Any]]
