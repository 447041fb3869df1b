"""The dataflow that spans state: by links, by ids of spans, by ids of messages."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from collector.core.graph import Edge, EdgeOrigin, Gap, NodeId
from collector.core.span import SpanContext
from collector.graph.rules import ARGUMENT, LINK, Find
from collector.graph.spans.trace import Trace

Edges: TypeAlias = dict[str, dict[tuple[str, str], Edge]]
"""By consumer, then by the producer's span and, where it is stated, argument."""


def stated(trace: Trace, gaps: list[Gap]) -> Edges:
    """The edges of arguments; statements that are refused become gaps."""
    into: Edges = {}
    spans, position, end = trace.forest.spans, trace.forest.position, trace.forest.end
    for span_id, said in trace.facts.items():
        if not said.arguments:
            continue
        trace_id, place = spans[span_id].context.trace_id, position[span_id]
        edges: dict[tuple[str, str], Edge] = {}
        for argument, producers in said.arguments.items():
            for context in producers:
                producer = trace.twins.get(context.span_id, context.span_id)
                known = producer in spans and context.trace_id == trace_id
                if not known or position[producer] <= place < end[producer]:
                    gaps.append(_refused(trace, span_id, argument, context, producer))
                else:
                    maker = _maker(trace, producer, span_id)
                    edges[maker, argument] = _edge(trace.nodes, maker, span_id, argument)
        if edges:
            into[span_id] = edges
    if any(said.references for said in trace.facts.values()):
        _refer(trace, into)
    return into


def linked(trace: Trace, gaps: list[Gap]) -> Iterator[Find]:
    """Links by which a span names what caused it: the message that it works on, the results that it collects."""
    spans = trace.forest.spans
    for span_id, span in spans.items():
        if not span.links or trace.facts[span_id].arguments:
            continue
        for link in span.links:
            cause = trace.twins.get(link.context.span_id, link.context.span_id)
            if cause not in spans:
                detail = f"span {link.context.span_id} of trace {link.context.trace_id}, which it links to, is not here"
                gaps.append(Gap("missing_link", span_id, detail))
            elif not trace.forest.nested(cause, span_id):
                yield Find(cause, span_id, LINK, reason="the span links to it")


def _edge(nodes: Mapping[str, NodeId], producer: str, consumer: str, argument: str) -> Edge:
    return Edge(nodes[producer], nodes[consumer], EdgeOrigin.LINK, 1.0, argument, "", ARGUMENT.name)


def _maker(trace: Trace, producer: str, consumer: str) -> str:
    """The operation whose output a relay passes on."""
    around = trace.forest.parent(producer) if trace.facts[producer].relay else None
    if around is None or trace.forest.encloses(around, consumer) or trace.ends[around] > trace.ends[consumer]:
        return producer
    return around


def _refer(trace: Trace, into: Edges) -> None:
    by_message: dict[str, list[str]] = {}
    for span_id, said in trace.facts.items():
        if said.message_id:
            by_message.setdefault(said.message_id, []).append(span_id)
    for span_id, said in trace.facts.items():
        for argument, message_id in said.references.items():
            named = [one for one in by_message.get(message_id, ()) if trace.ends[one] <= trace.starts[span_id]]
            if named and not trace.forest.encloses(named[-1], span_id):
                edge = _edge(trace.nodes, named[-1], span_id, argument)
                into.setdefault(span_id, {})[named[-1], argument] = edge


def _refused(trace: Trace, span_id: str, argument: str, context: SpanContext, producer: str) -> Gap:
    kind = "missing_link"
    if context.trace_id != trace.forest.spans[span_id].context.trace_id:
        fault = f"belongs to another trace, {context.trace_id}"
    elif producer not in trace.forest.spans:
        fault = "has not come"
    else:
        kind, fault = "link_to_ancestor", "encloses this one, its output is not there yet"
    return Gap(kind, span_id, f"argument {argument!r}: span {context.span_id} {fault}")
