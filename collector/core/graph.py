"""The OPTO trace graph: a DAG of parameters, inputs and operations whose edges say where they come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from graphlib import CycleError, TopologicalSorter
from typing import ClassVar, NamedTuple, TypeAlias

from collector.core.errors import GraphError
from collector.core.feedback import Feedback
from collector.core.span import AnyValue

NodeId: TypeAlias = str
"""``span:<span id>``, ``param:<service>/<key>@<version or hash>`` or ``input:<span id>:<name>``."""


class NodeKind(Enum):
    """What a node stands for."""

    PARAMETER = "parameter"
    INPUT = "input"
    OPERATION = "operation"


class EdgeOrigin(Enum):
    """Where the knowledge of an edge comes from, the most certain first."""

    LINK = "link"
    CONTENT = "content"
    CALL = "call"
    CONTROL = "control"
    SEQUENCE = "sequence"


class Node(NamedTuple):
    """A node of the graph.

    Attributes:
        name: The parameter's key, the input's name, or the operation's name.
        span_id: The operation's span; for an input, the span that takes it; None for a parameter.
        value: The parameter's value, the input, or the operation's output; decoded where it was JSON.
        incomplete: The span says that something of it was dropped or cut.
        service: Of an operation or a parameter.
        twins: Further spans of the same call, recorded by a second instrumentation; this node stands for them.
        description: Of an operation: what it does, in its developers' words, as far as its span says.
    """

    id: NodeId
    kind: NodeKind
    name: str
    span_id: str | None = None
    value: AnyValue = None
    incomplete: bool = False
    service: str = ""
    twins: tuple[str, ...] = ()
    description: str = ""


class Edge(NamedTuple):
    """Dataflow: the source's value went into the target.

    Attributes:
        confidence: In [0, 1]; 1 where it was stated.
        argument: The name under which the target took it; empty if unknown.
        reason: Why the edge is there, in words for people: ``span link opto.arg=question``. Empty where the origin
            and the kind of the source say it all.
        rule: The name of the rule that made it; empty where a span records an input or names a parameter.
    """

    source: NodeId
    target: NodeId
    origin: EdgeOrigin
    confidence: float = 1.0
    argument: str = ""
    reason: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class GraphParameter:
    """A parameter in one version, and the spans that used it.

    Attributes:
        version: The number of the release that brought the value; None for the code's own.
        text: The value in words; None where it is not known.
        discovered: Nobody declared it and no span calls it a parameter, it only looks like a prompt; never trainable.
    """

    key: str
    version: int | None
    text: str | None
    trainable: bool
    used_by: tuple[str, ...]
    node: NodeId
    discovered: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A final output of the trace: a node and its value."""

    node: NodeId
    value: AnyValue


@dataclass(frozen=True, slots=True)
class SourcePosition:
    """A place in a program; 0 and empty texts are unknown."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """An exception or an ERROR status.

    Attributes:
        handled: The operation itself or one around it ended without an error all the same.
        retried: The same operation was started once more in the same place afterwards.
        position: Where it was raised.
    """

    span_id: str
    type: str
    message: str
    stacktrace: str = ""
    handled: bool = False
    retried: bool = False
    position: SourcePosition | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing or was refused: said, not guessed.

    Attributes:
        kind: One of `KINDS`.
        span_id: Where.
        detail: What, in words for people.
    """

    KINDS: ClassVar[Mapping[str, str]] = {
        "missing_parent": "a span's parent has not come, though it ran in the same process",
        "missing_link": "a span names another one that has not come, or that is in a trace beyond reach",
        "link_to_ancestor": "a span names one that runs around it: refused, it would be a circle",
        "unknown_value": "a parameter's value is not on the span, and its release or hash is not known",
        "parent_circle": "a span's parent is the span itself or one below it: passed over, the span is a topmost one",
        "duplicate_span": "copies of one span differ; the one that ended last is kept, of those the one that says most",
        "lost_context": "a trace has several roots: the context was lost on the way; they are reported, not joined",
    }
    """With what each means."""

    kind: str
    span_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class TraceGraph:
    """g of the Trace paper (Cheng, Nie, Swaminathan, NeurIPS 2024, section 2): the DAG of one trace.

    The order of nodes and edges does not depend on the order in which spans arrived.
    """

    trace_id: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    parameters: tuple[GraphParameter, ...] = ()
    outputs: tuple[Output, ...] = ()
    exceptions: tuple[ExceptionRecord, ...] = ()
    gaps: tuple[Gap, ...] = ()
    release: int | None = None
    feedback: tuple[Feedback, ...] = field(default=())

    def by_id(self) -> Mapping[NodeId, Node]:
        """The nodes by their ids."""
        return {node.id: node for node in self.nodes}

    def operation(self, span_id: str) -> NodeId:
        """The node that stands for a span, be it as its twin; of an unknown span the id that it would have."""
        for node in self.nodes:
            if span_id in node.twins:
                return node.id
        return f"span:{span_id}"

    def topological(self) -> Iterator[Node]:
        """Sources before their targets.

        Raises:
            GraphError: naming a node of the cycle, if there is one.
        """
        sorter: TopologicalSorter[NodeId] = TopologicalSorter({node.id: () for node in self.nodes})
        for edge in self.edges:
            sorter.add(edge.target, edge.source)
        nodes = self.by_id()
        try:
            return iter([nodes[node_id] for node_id in sorter.static_order()])
        except CycleError as error:
            around = " -> ".join(error.args[1])
            raise GraphError(f"trace {self.trace_id}: the dataflow runs in a circle: {around}") from error


@dataclass(frozen=True, slots=True)
class TraceFeedback:
    """tau = (f, g) of the Trace paper: feedback and the minimal subgraph that leads to the judged output."""

    feedback: Feedback
    graph: TraceGraph
