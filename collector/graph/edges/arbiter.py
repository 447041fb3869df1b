"""What flowed into what in one trace: every edge between operations, the stated ones first."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from collector.core.errors import GraphError
from collector.core.graph import Edge, EdgeOrigin, Gap
from collector.core.span import SpanContext
from collector.graph.clock import Times
from collector.graph.content.contents import Contents
from collector.graph.doubled import Records
from collector.graph.edges.calls import tool_calls
from collector.graph.edges.order import routed, sequence
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts
from collector.graph.rules import ARGUMENT, LINK, Find


@dataclass(frozen=True, slots=True)
class Flow:
    """The edges between operations.

    Attributes:
        into: By consumer, stated and inferred edges, by argument and source.
        gaps: Statements that were refused.
        parts: By consumer, outputs that are a part of one of its inputs, and who made them.
    """

    into: Mapping[str, Sequence[Edge]]
    gaps: tuple[Gap, ...]
    parts: Mapping[str, Mapping[str, str]]


def flow_of(
    forest: Forest,
    readings: Mapping[str, Facts],
    times: Times,
    aliases: Mapping[str, str],
    records: Records,
    failed: frozenset[str],
    off: Collection[str] = (),
) -> Flow:
    """Stated edges, then those that are found; what is found never contradicts what is stated, nor time.

    Args:
        forest: The spans.
        readings: What they say.
        times: When they ran.
        aliases: Spans that stand for others, for links to these.
        records: Which instrumentations recorded the same.
        failed: Spans that ended with an error.
        off: Rules that are not asked.

    Raises:
        GraphError: the stated dataflow runs in a circle; names its spans.
    """
    statements = _Statements(forest, readings, times, aliases)
    into = statements.into
    links = [*_linked(forest, readings, aliases, statements.gaps)] if LINK.name not in off else []
    rank = _ranks_with(forest, times, statements.sources, links)

    def add(finds: Iterable[Find]) -> None:
        for find in finds:
            if find.rule.name not in off and rank[find.producer] < rank[find.consumer]:
                _add(into, find)

    add(links)
    parts: Mapping[str, Mapping[str, str]] = {}
    if _unknown(readings):
        explained = {(target, edge.argument) for target, edges in into.items() for edge in edges.values()}
        linked = {(edge.source, target) for target, edges in into.items() for edge in edges.values()}
        contents = Contents(forest, readings, times, records, off)
        found = [*tool_calls(forest, readings, times, records), *contents.finds()]
        parts = contents.parts
        add(
            find
            for find in found
            if (find.consumer, find.argument) not in explained and (_node(find.producer), find.consumer) not in linked
        )
    add(sequence(forest, readings, times, list(into), failed))
    add(routed(forest, readings, times))
    ordered = {
        target: sorted(edges.values(), key=_by_argument) if len(edges) > 1 else list(edges.values())
        for target, edges in into.items()
    }
    return Flow(ordered, tuple(statements.gaps), parts)


def _linked(
    forest: Forest, readings: Mapping[str, Facts], aliases: Mapping[str, str], gaps: list[Gap]
) -> Iterator[Find]:
    """Links by which a span names what caused it: the message that it works on, the results that it collects."""
    for span_id, span in forest.spans.items():
        if not span.links or readings[span_id].arguments:
            continue
        for link in span.links:
            cause = aliases.get(link.context.span_id, link.context.span_id)
            if cause not in forest.spans:
                detail = f"span {link.context.span_id} of trace {link.context.trace_id}, which it links to, is not here"
                gaps.append(Gap("missing_link", span_id, detail))
            elif not forest.encloses(cause, span_id) and not forest.encloses(span_id, cause):
                yield Find(cause, span_id, LINK, reason="the span links to it")


_Edges: TypeAlias = dict[str, dict[tuple[str, str], Edge]]
"""By consumer, then by source and, where it is stated, argument."""


def _node(span_id: str) -> str:
    return f"span:{span_id}"


def _unknown(readings: Mapping[str, Facts]) -> bool:
    """Whether there is any input of which no source is stated."""
    return any(
        reading.taken
        or reading.both
        or (reading.inputs and not reading.inputs.keys() <= {*reading.arguments.keys(), *reading.references.keys()})
        for reading in readings.values()
    )


def _add(into: _Edges, find: Find) -> None:
    """One edge of a source and, where it is stated, an argument; of several that were found the most confident.

    That an answer names an operation is more than that it came before, and less than any flow.
    """
    edges = into.setdefault(find.consumer, {})
    source, rule = _node(find.producer), find.rule
    other = edges.get((source, ""))
    if other is not None and rule.origin is EdgeOrigin.CONTROL:
        better = other.origin is EdgeOrigin.SEQUENCE
    else:
        better = other is None or find.confidence > other.confidence
    if better:
        target = _node(find.consumer)
        edges[source, ""] = Edge(source, target, rule.origin, find.confidence, find.argument, find.reason, rule.name)


class _Statements:
    """The dataflow that spans state by links, span ids and ids of messages.

    Attributes:
        into: The edges.
        sources: By consumer, the producers.
        gaps: What was refused.
    """

    def __init__(self, forest: Forest, readings: Mapping[str, Facts], times: Times, aliases: Mapping[str, str]) -> None:
        self._forest = forest
        self._readings = readings
        self._times = times
        self.into: _Edges = {}
        self.sources: dict[str, list[str]] = {}
        self.gaps: list[Gap] = []
        relays = any(reading.relay for reading in readings.values())
        for span_id, reading in readings.items():
            for argument, producers in reading.arguments.items():
                for context in producers:
                    producer = aliases.get(context.span_id, context.span_id)
                    if not self._refused(span_id, argument, context, producer):
                        self._state(self._maker(producer, span_id) if relays else producer, span_id, argument)
        if any(reading.references for reading in readings.values()):
            self._refer()

    def _state(self, producer: str, consumer: str, argument: str) -> None:
        source = _node(producer)
        edge = Edge(source, _node(consumer), EdgeOrigin.LINK, 1.0, argument, "", ARGUMENT.name)
        self.into.setdefault(consumer, {})[source, argument] = edge
        self.sources.setdefault(consumer, []).append(producer)

    def _refer(self) -> None:
        by_message: dict[str, list[str]] = {}
        for span_id in self._forest.spans:
            if self._readings[span_id].message_id:
                by_message.setdefault(self._readings[span_id].message_id, []).append(span_id)
        ends, starts = self._times.ends, self._times.starts
        for span_id, reading in self._readings.items():
            for argument, message_id in reading.references.items():
                named = [one for one in by_message.get(message_id, ()) if ends[one] <= starts[span_id]]
                if named and not self._forest.encloses(named[-1], span_id):
                    self._state(named[-1], span_id, argument)

    def _maker(self, producer: str, consumer: str) -> str:
        """The operation whose output a relay passes on."""
        around = self._forest.parent(producer)
        if self._readings[producer].relay and around is not None and not self._forest.encloses(around, consumer):
            return around if self._times.ends[around] <= self._times.ends[consumer] else producer
        return producer

    def _refused(self, span_id: str, argument: str, context: SpanContext, producer: str) -> bool:
        forest = self._forest
        if context.trace_id != forest.spans[span_id].context.trace_id:
            fault = f"belongs to another trace, {context.trace_id}"
        elif producer not in forest.spans:
            fault = "has not come"
        elif forest.encloses(producer, span_id):
            fault = "encloses this one, its output is not there yet"
        else:
            return False
        kind = "link_to_ancestor" if fault.startswith("encloses") else "missing_link"
        self.gaps.append(Gap(kind, span_id, f"argument {argument!r}: span {context.span_id} {fault}"))
        return True


def _by_argument(edge: Edge) -> tuple[str, str]:
    return edge.argument, edge.source


def _ranks_with(
    forest: Forest, times: Times, sources: Mapping[str, Sequence[str]], links: Sequence[Find]
) -> Mapping[str, int]:
    """With links to causes that last longer than what they caused, as a queue does; without them if they go around."""
    late = [one for one in links if times.ends[one.producer] > times.ends[one.consumer]]
    if late:
        both = {target: [*found] for target, found in sources.items()}
        for one in links:
            if times.starts[one.producer] <= times.starts[one.consumer]:
                both.setdefault(one.consumer, []).append(one.producer)
        try:
            return _ranks(forest, times, both)
        except GraphError:
            pass
    return _ranks(forest, times, sources)


def _ranks(forest: Forest, times: Times, sources: Mapping[str, Sequence[str]]) -> Mapping[str, int]:
    """An order in which every stated edge and every call points forward: that of ending, as far as it goes."""
    position, ends = forest.position, times.ends
    order = sorted(forest.spans, key=lambda one: (ends[one], -position[one]))
    rank = {span_id: index for index, span_id in enumerate(order)}
    calls = [(span_id, parent) for span_id in order if (parent := forest.parent(span_id)) is not None]
    forward = all(rank[source] < rank[target] for target, found in sources.items() for source in found)
    if forward and all(rank[source] < rank[target] for source, target in calls):
        return rank
    targets: dict[str, list[str]] = {}
    waiting = dict.fromkeys(order, 0)
    stated = [(source, target) for target, found in sources.items() for source in found]
    for source, target in (*stated, *calls):
        targets.setdefault(source, []).append(target)
        waiting[target] += 1
    return _sorted(forest, rank, targets, waiting)


def _sorted(
    forest: Forest, wish: Mapping[str, int], targets: Mapping[str, Sequence[str]], waiting: dict[str, int]
) -> Mapping[str, int]:
    """Kahn's algorithm; of the spans that may come next the one that is wished first."""
    ready = [(wish[span_id], span_id) for span_id, count in waiting.items() if not count]
    heapq.heapify(ready)
    rank: dict[str, int] = {}
    while ready:
        _, span_id = heapq.heappop(ready)
        rank[span_id] = len(rank)
        for target in targets.get(span_id, ()):
            waiting[target] -= 1
            if not waiting[target]:
                heapq.heappush(ready, (wish[target], target))
    if len(rank) < len(waiting):
        raise GraphError(_circle(forest, targets, waiting.keys() - rank.keys()))
    return rank


def _circle(forest: Forest, targets: Mapping[str, Sequence[str]], left: Iterable[str]) -> str:
    """Names the spans of one circle among those that were left over: from any of them back to where it came from."""
    rest = set(left)
    sources = {target: source for source in sorted(rest) for target in targets.get(source, ()) if target in rest}
    span_id = min(rest)
    seen: dict[str, int] = {}
    path: list[str] = []
    while span_id not in seen:
        seen[span_id] = len(path)
        path.append(span_id)
        span_id = sources[span_id]
    around = [span_id, *reversed(path[seen[span_id] :])]
    trace_id = forest.spans[span_id].context.trace_id
    return f"trace {trace_id}: the dataflow runs in a circle: {' -> '.join(map(_node, around))}"
