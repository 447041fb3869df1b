"""A graph as one JSON-ready object."""

import base64
import math
from collections.abc import Mapping, Sequence

from collector.core.feedback import Feedback
from collector.core.graph import Edge, ExceptionRecord, GraphParameter, Node, TraceGraph
from collector.core.span import AnyValue
from collector.render.published import (
    EdgeDocument,
    ExceptionDocument,
    FeedbackDocument,
    GraphDocument,
    NodeDocument,
    ParameterDocument,
)
from collector.render.reason import reason_of


def graph_document(graph: TraceGraph) -> GraphDocument:
    """The graph in the published form."""
    nodes = graph.by_id()
    return {
        "trace_id": graph.trace_id,
        "nodes": [_node(node) for node in graph.nodes],
        "edges": [_edge(edge, nodes[edge.source]) for edge in graph.edges],
        "parameters": [_parameter(parameter) for parameter in graph.parameters],
        "outputs": [{"node": output.node, "value": plain(output.value)} for output in graph.outputs],
        "feedback": [_feedback(feedback) for feedback in graph.feedback],
        "exceptions": [_exception(record) for record in graph.exceptions],
        "gaps": [{"kind": gap.kind, "span_id": gap.span_id, "detail": gap.detail} for gap in graph.gaps],
        "release": graph.release,
    }


def plain(value: AnyValue) -> object:
    """The value in JSON's types; what JSON has no number for becomes ``nan``, ``inf`` or ``-inf``."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _node(node: Node) -> NodeDocument:
    return {
        "id": node.id,
        "kind": node.kind.value,
        "name": node.name,
        "span_id": node.span_id,
        "incomplete": node.incomplete,
        "value": plain(node.value),
        "service": node.service,
        "description": node.description,
    }


def _edge(edge: Edge, source: Node) -> EdgeDocument:
    return {
        "source": edge.source,
        "target": edge.target,
        "origin": edge.origin.value,
        "confidence": edge.confidence,
        "argument": edge.argument,
        "reason": reason_of(edge, source),
        "rule": edge.rule,
    }


def _parameter(parameter: GraphParameter) -> ParameterDocument:
    return {
        "key": parameter.key,
        "version": parameter.version,
        "text": parameter.text,
        "trainable": parameter.trainable,
        "used_by": list(parameter.used_by),
        "node": parameter.node,
        "discovered": parameter.discovered,
    }


def _exception(record: ExceptionRecord) -> ExceptionDocument:
    return {
        "span_id": record.span_id,
        "type": record.type,
        "message": record.message,
        "handled": record.handled,
        "stacktrace": record.stacktrace,
    }


def _feedback(feedback: Feedback) -> FeedbackDocument:
    return {
        "trace_id": feedback.target.trace_id,
        "span_id": feedback.target.span_id,
        "name": feedback.name,
        "score": feedback.score,
        "label": feedback.label,
        "text": feedback.text,
        "source": feedback.source,
        "attributes": dict(feedback.attributes),
        "time_unix_nano": feedback.time_unix_nano,
    }
