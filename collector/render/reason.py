"""Why an edge is there, in words."""

from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind

_INFERRED = {
    EdgeOrigin.CONTENT: "the output is found in the input",
    EdgeOrigin.CALL: "the call returned to its caller",
    EdgeOrigin.CONTROL: "the answer names the operation that ran next",
    EdgeOrigin.SEQUENCE: "the one came before the other, and nothing else is known",
}
_STATED = {
    NodeKind.PARAMETER: "the span names the parameter",
    NodeKind.INPUT: "the span records the input",
    NodeKind.OPERATION: "the span names the producer",
}


def reason_of(edge: Edge, source: Node) -> str:
    """What was said when the edge was made, else what its origin and the kind of its source mean; never empty."""
    if edge.reason:
        return edge.reason
    return _STATED[source.kind] if edge.origin is EdgeOrigin.LINK else _INFERRED[edge.origin]
