"""The dataflow that spans state: by links, by ids of spans, by ids of messages."""

from collections.abc import Iterator

from collector.core.graph import Gap
from collector.core.span import SpanContext
from collector.graph.edges import Find
from collector.graph.spans.trace import Trace

_make = tuple.__new__
"""Past the constructor, which takes twice as long."""


def arguments(trace: Trace, gaps: list[Gap]) -> Iterator[Find]:
    """The producers that spans name of their arguments; statements that are refused become gaps."""
    spans, position, end, twins = trace.forest.spans, trace.forest.position, trace.forest.end, trace.twins
    relays = {span_id for span_id, said in trace.facts.items() if said.relay}
    by_message: dict[str, list[str]] = {}
    for span_id, said in trace.facts.items():
        if said.message_id:
            by_message.setdefault(said.message_id, []).append(span_id)
        if not said.arguments:
            continue
        trace_id, place = spans[span_id].context.trace_id, position[span_id]
        for argument, context in said.arguments:
            of_trace, producer = context
            if twins:
                producer = twins.get(producer, producer)
            at = position.get(producer)
            if at is None or of_trace != trace_id or at <= place < end[producer]:
                gaps.append(_refused(trace, span_id, argument, context, producer))
            else:
                maker = _maker(trace, producer, span_id) if producer in relays else producer
                yield _make(Find, (maker, span_id, argument, ""))
    for span_id, said in trace.facts.items() if by_message else ():
        for argument, message_id in said.references.items():
            named = [one for one in by_message.get(message_id, ()) if trace.ends[one] <= trace.starts[span_id]]
            if named and not trace.forest.encloses(named[-1], span_id):
                yield Find(named[-1], span_id, argument)


def causes(trace: Trace, gaps: list[Gap]) -> Iterator[Find]:
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
                yield Find(cause, span_id, reason="the span links to it")


def _maker(trace: Trace, producer: str, consumer: str) -> str:
    """The operation whose output a relay, the producer, passes on."""
    around = trace.forest.parent(producer)
    if around is None or trace.forest.encloses(around, consumer) or trace.ends[around] > trace.ends[consumer]:
        return producer
    return around


def _refused(trace: Trace, span_id: str, argument: str, context: SpanContext, producer: str) -> Gap:
    kind = "missing_link"
    if context.trace_id != trace.forest.spans[span_id].context.trace_id:
        fault = f"belongs to another trace, {context.trace_id}"
    elif producer not in trace.forest.spans:
        fault = "has not come"
    else:
        kind, fault = "link_to_ancestor", "encloses this one, its output is not there yet"
    return Gap(kind, span_id, f"argument {argument!r}: span {context.span_id} {fault}")
