"""The trace graph of a run, by the collector's own code: spans as they go over the wire."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from collector.assembly.assembly import AssemblyLimits
from collector.core.errors import GraphError
from collector.core.feedback import Feedback
from collector.core.graph import EdgeOrigin, Node, NodeKind, TraceFeedback, TraceGraph
from collector.core.span import Span
from collector.graph.builder import build
from collector.graph.subgraph import Dataflow
from collector.otlp.decode import spans_of
from otel_opto import semconv
from otel_opto.capture import Capture, Failures
from otel_opto.spec import ParameterSpec

_SHOWN = 20


def recorded(spans: Sequence[ReadableSpan]) -> bytes:
    """The spans as an OTLP export request."""
    return encode_spans(spans).SerializeToString()


@dataclass(frozen=True, slots=True)
class Traced:
    """A run as a graph.

    Attributes:
        graph: Of the whole run.
        top: The span whose output is the run's.
    """

    graph: TraceGraph
    top: str

    def leading_to(self, feedback: Feedback, keys: Sequence[str]) -> TraceFeedback:
        """The feedback with the minimal subgraph from these parameters to the output that it judges.

        As in a study that says nothing of it, edges that are hardly more than a guess are not in it.
        """
        target = self.graph.operation(feedback.target.span_id)
        nodes = [parameter.node for parameter in self.graph.parameters if parameter.key in keys]
        certain = tuple(edge for edge in self.graph.edges if edge.confidence >= AssemblyLimits().min_confidence)
        return TraceFeedback(feedback, Dataflow(replace(self.graph, edges=certain)).leading_to(target, nodes))


def traced(body: bytes, root: tuple[str, str], specs: Mapping[str, ParameterSpec]) -> Traced:
    """The graph of a run's spans.

    The span that was opened around the run stands for it only where it says something itself: where all that happened
    in it is one operation, that one is the run.

    Args:
        body: An OTLP export request with all spans.
        root: Trace id and span id of the span around the run.
        specs: The declared parameters.

    Raises:
        GraphError: there is no span, or the spans make no DAG.
    """
    spans = spans_of(body)
    if not any(span.context == root for span in spans):
        raise GraphError(
            f"run {root[0]}: its own span was not recorded; the run may not have ended (look at it behind its `with`), "
            "a sampler may have dropped it, or OTEL_SDK_DISABLED is set: runs need every span"
        )
    spans, top = _without_frame(spans, root)
    services = {span.resource.service for span in spans}
    known = {(service, key): spec for service in services for key, spec in specs.items()}
    return Traced(build(root[0], spans, {}, known), top)


def _without_frame(spans: list[Span], root: tuple[str, str]) -> tuple[list[Span], str]:
    frame = next(span for span in spans if span.context == root)
    inner = [span for span in spans if span.parent_span_id == root[1] and span.context.trace_id == root[0]]
    if len(inner) != 1 or any(key.startswith(semconv.PARAM_PREFIX) for key in frame.attributes):
        return spans, root[1]
    (only,) = inner
    if frame.events and not only.events:
        return spans, root[1]  # it failed in code of its own
    own = frame.attributes.get(semconv.OUTPUT)
    if own is not None and own != only.attributes.get(semconv.OUTPUT):
        return spans, root[1]
    rest = [span for span in spans if span is not frame and span is not only]
    return [only._replace(parent_span_id=None), *rest], only.context.span_id


def node_of_value(graph: TraceGraph, value: object) -> Node:
    """The operation that gave a value: of several the last one, of one around another the outer one.

    Raises:
        LookupError: no operation gave it; says which ones there are.
    """
    wanted = json.loads(Capture(Failures()).text("return", value).text)
    found = [node for node in _operations(graph) if type(node.value) is type(wanted) and node.value == wanted]
    if not found:
        raise LookupError(f"no operation gave {value!r:.200}; operations of this run: {_listed(graph)}")
    callers = _callers(graph)
    ids = {node.id for node in found}
    outer = [node for node in found if not _below(node.id, callers, ids)]
    return (outer or found)[-1]


def node_named(graph: TraceGraph, name: str) -> Node:
    """The last operation of that name. Raises `LookupError` as `node_of_value`."""
    found = [node for node in _operations(graph) if node.name == name]
    if not found:
        raise LookupError(f"no operation is called {name!r}; operations of this run: {_listed(graph)}")
    return found[-1]


def _operations(graph: TraceGraph) -> Sequence[Node]:
    return [node for node in graph.nodes if node.kind is NodeKind.OPERATION]


def _callers(graph: TraceGraph) -> Mapping[str, str]:
    return {edge.source: edge.target for edge in graph.edges if edge.origin is EdgeOrigin.CALL}


def _below(node_id: str, callers: Mapping[str, str], others: set[str]) -> bool:
    at = callers.get(node_id)
    while at is not None:
        if at in others:
            return True
        at = callers.get(at)
    return False


def _listed(graph: TraceGraph) -> str:
    names = list(dict.fromkeys(node.name for node in _operations(graph)))
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "") or "none"


def with_feedback(graph: TraceGraph, feedback: Sequence[Feedback]) -> TraceGraph:
    """The graph as it is drawn once it has been judged."""
    return replace(graph, feedback=tuple(feedback))
