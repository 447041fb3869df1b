"""A trace as edges are looked for in it: each call once, what it says, when it ran by one clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.core.graph import Gap, NodeId
from collector.core.identity.roots import family_of
from collector.core.identity.sides import ToldApart, told_apart
from collector.core.span import Event, LogRecord, Span, SpanContext, StatusCode
from collector.graph.reading.conventions import OWN, installed
from collector.graph.reading.conventions.opto import alone
from collector.graph.reading.facts import Facts, Role, Source, event_of
from collector.graph.reading.reader import length_limit, read
from collector.graph.spans.clock import answered, one_clock
from collector.graph.spans.direction import directed
from collector.graph.spans.doubled import Records, records_of, twins, united
from collector.graph.spans.forest import Forest, grow
from otel_opto import semconv

_OURS: Final = Source(Span(SpanContext("", ""), None, "", 0, 0), {semconv.OUTPUT: ""}, ())
"""What our own convention alone is asked about, unless somebody else's is asked, too."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans of a trace, and what is known of them before any edge is.

    Attributes:
        forest: Who called whom.
        facts: By span, what it says.
        starts: By span, in nanoseconds, as the process of the trace's top would have measured it.
        ends: Likewise.
        nodes: By span, the id of its node.
        twins: By removed span, the one that stands for it.
        records: Which instrumentations recorded the same calls side by side.
        failed: Spans that ended with an error.
        events: By span, further events: of its log records and of its twins.
        gaps: What is missing, and copies that differ.
    """

    forest: Forest
    facts: Mapping[str, Facts]
    starts: Mapping[str, int]
    ends: Mapping[str, int]
    nodes: Mapping[str, NodeId]
    twins: Mapping[str, str]
    records: Records
    failed: frozenset[str]
    events: Mapping[str, tuple[Event, ...]]
    gaps: tuple[Gap, ...]

    def before(self, one: str, other: str) -> bool:
        """Whether one had ended when the other began; what runs around the other one never has."""
        return self.ends[one] <= self.starts[other] and not self.forest.nested(one, other)

    def ending(self, span_id: str) -> tuple[int, int, str]:
        """Larger for what ended later; of what ended together the outer one did."""
        return self.ends[span_id], -self.forest.position[span_id], span_id


def traced(spans: Sequence[Span], records: Sequence[LogRecord] = ()) -> Trace:
    """The trace of spans in any order and their log records, calls that were recorded twice united."""
    apart = told_apart(spans)
    once, forest = apart.spans, grow(family_of(apart.spans))
    of_span = _of_spans(apart, records) if records else {}
    facts = _read(once, of_span)
    events = {span_id: tuple(map(event_of, found)) for span_id, found in of_span.items()}
    doubled = twins(forest, facts)
    for inner, outer in doubled.items():
        facts[outer] = united(facts[outer], facts.pop(inner))
        events[outer] = (*events.get(outer, ()), *once[inner].events, *events.get(inner, ()))
    if doubled:
        kept = {
            span_id: span._replace(parent_span_id=doubled.get(span.parent_span_id or "", span.parent_span_id))
            for span_id, span in once.items()
            if span_id not in doubled
        }
        forest = grow(family_of(kept))
    times = answered(forest, one_clock(forest), carried_out(facts))
    said = directed(forest, facts, times)
    return Trace(
        forest=forest,
        facts=said,
        starts=times.starts,
        ends=times.ends,
        nodes={span_id: f"span:{span_id}" for span_id in forest.spans},
        twins=doubled,
        records=records_of(forest, said, times),
        failed=_failed(forest, said),
        events=events,
        gaps=(*_copies(apart), *_missing(forest)),
    )


def _read(once: Mapping[str, Span], of_span: Mapping[str, Sequence[LogRecord]]) -> dict[str, Facts]:
    """What each span says with its log records; most that is ours alone is read on the shorter way."""
    table = installed()
    ours = (*table.asked(_OURS),) == OWN
    known = {one: alone(span) if ours and one not in of_span else None for one, span in once.items()}
    limit = length_limit(once.values()) if None in known.values() else 0
    return {
        span_id: said or read(once[span_id], tuple(of_span.get(span_id, ())), table, limit)
        for span_id, said in known.items()
    }


def carried_out(facts: Mapping[str, Facts]) -> Mapping[str, Sequence[str]]:
    """By model, the tools that carried out what it asked for, by the ids of the calls."""
    tools: dict[str, list[str]] = {}
    for span_id, said in facts.items():
        if said.call_id and said.role is Role.TOOL:
            tools.setdefault(said.call_id, []).append(span_id)
    if not tools:
        return {}
    asked = ((span_id, call.id) for span_id, said in facts.items() for message in said.given for call in message.calls)
    found: dict[str, list[str]] = {}
    for span_id, call_id in asked:
        if call_id in tools:
            found.setdefault(span_id, []).extend(tools[call_id])
    return found


def _of_spans(apart: ToldApart, records: Sequence[LogRecord]) -> Mapping[str, Sequence[LogRecord]]:
    found: dict[str, list[LogRecord]] = {}
    for record in sorted(records, key=lambda one: (one.time_unix_nano, one.observed_time_unix_nano, repr(one.body))):
        span_id = apart.meant(record.context, record.resource.service) if record.context is not None else ""
        if span_id in apart.spans:
            found.setdefault(span_id, []).append(record)
    return found


def _failed(forest: Forest, facts: Mapping[str, Facts]) -> frozenset[str]:
    error, right = StatusCode.ERROR, StatusCode.OK
    return frozenset(
        span_id
        for span_id, span in forest.spans.items()
        if span.status_code == error or (facts[span_id].failure is not None and span.status_code != right)
    )


def _copies(apart: ToldApart) -> Iterator[Gap]:
    for span_id in sorted(apart.doubled):
        yield Gap("duplicate_span", span_id, "copies of this span differ; the one that ended last is kept")


def _missing(forest: Forest) -> Iterator[Gap]:
    for span_id in sorted(forest.family.circles):
        parent = forest.spans[span_id].parent_span_id
        yield Gap("parent_circle", span_id, f"its parent {parent} is itself or one below it, and is passed over")
    for span_id in forest.orphans:
        yield Gap("missing_parent", span_id, f"its parent {forest.spans[span_id].parent_span_id} has not come")
    first_roots: dict[str, str] = {}
    for span_id in forest.roots:
        if span_id in forest.family.circles:
            continue
        first = first_roots.setdefault(forest.spans[span_id].context.trace_id, span_id)
        if first != span_id:
            detail = f"a second root; the context of {first} or of its callers was lost on the way"
            yield Gap("lost_context", span_id, detail)
