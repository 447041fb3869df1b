"""What the API answers of graphs, as types; a graph itself is `collector/render/published.py`."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from collector.render.published import EdgeDocument, GraphDocument


class NodeCounts(TypedDict):
    """How many there are."""

    nodes: int
    """In the whole graph."""
    shown: int
    """In the part that was asked for."""
    edges: int


class RuleCount(TypedDict):
    """How many edges of the graph a rule has made."""

    origin: str
    rule: str
    """Empty where none was needed."""
    edges: int
    confidence: float
    """On average."""
    why: str


class NodesPage(GraphDocument):
    """A page of a graph's nodes, without edges and outputs."""

    counts: NodeCounts
    rules: list[RuleCount]
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


class DiscoveredPrompt(TypedDict):
    """What looks like a prompt and was never declared."""

    key: str
    text: str
    """In the newest trace that has it."""
    texts: int
    """How many different ones there were."""
    fields: list[str]
    traces: int
    trace_id: str
    span_ids: list[str]
    code: str
    """The lines of Python that make it a parameter."""


class DiscoveriesFound(TypedDict):
    """Of a service's newest traces."""

    service: str
    traces: int
    """How many were looked at."""
    skipped: int
    """How many could not be."""
    discoveries: list[DiscoveredPrompt]


class Statement(TypedDict):
    """What was read of a span."""

    fact: str
    value: Any
    keys: list[str]
    convention: str


class ReasonedEdge(EdgeDocument):
    """An edge of the span's node, with the names of both ends."""

    source_name: str
    target_name: str
    why: str
    """What the rule that made it goes by, in words."""


class Explanation(TypedDict):
    """What was read of one span, by which convention, and what followed."""

    trace_id: str
    span_id: str
    node: str
    name: str
    statements: list[Statement]
    edges: list[ReasonedEdge]
