"""One clock for the spans of a trace that were timed by several."""

from bisect import bisect_left, insort
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from operator import gt
from typing import Final

from collector.graph.spans.forest import Forest

MILLISECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Times:
    """Start and end of each span in nanoseconds, as the process of the trace's top would have measured them."""

    starts: Mapping[str, int]
    ends: Mapping[str, int]


def one_clock(forest: Forest) -> Times:
    """Spans of another service are moved as far as it takes to lie inside their caller's, as Jaeger does it.

    Within a service, and where a call outlasts its caller, times are as measured.
    """
    spans = forest.spans
    starts = {span_id: span.start_time_unix_nano for span_id, span in spans.items()}
    ends = {span_id: span.end_time_unix_nano for span_id, span in spans.items()}
    if any(map(gt, starts.values(), ends.values())):
        ends = {span_id: max(starts[span_id], end) for span_id, end in ends.items()}
    _unround(forest, starts, ends)
    if len({id(span.resource) for span in spans.values()}) == 1:
        return Times(starts, ends)
    moved: dict[str, int] = {}
    for span_id in forest.preorder:
        parent = forest.parent(span_id)
        if parent is None:
            continue
        shift = moved.get(parent, 0)
        one, other = spans[span_id].resource, spans[parent].resource
        if one is not other and one.service != other.service:
            shift = _shift(starts[span_id], ends[span_id], starts[parent], ends[parent])
        if shift:
            moved[span_id] = shift
            starts[span_id] += shift
            ends[span_id] += shift
    return Times(starts, ends)


def answered(forest: Forest, times: Times, called: Mapping[str, Collection[str]]) -> Times:
    """With the calls of models ending when their answers were there.

    A stream hands out a wish before it ends: a tool that carries it out may begin, and end, before the stream does
    (LiveKit's ``llm_request``).

    Args:
        forest: The spans.
        times: When they ran.
        called: By model, the tools that carried out what it asked for.
    """
    ends: dict[str, int] = {}
    for model, tools in called.items():
        start, end = times.starts[model], times.ends[model]
        began = min((times.starts[one] for one in tools if not forest.encloses(model, one)), default=end)
        if start < began < end:
            ends.update((one, began) for one in forest.descendants(model) if times.ends[one] > began)
    return Times(times.starts, {**times.ends, **ends}) if ends else times


def _unround(forest: Forest, starts: dict[str, int], ends: dict[str, int]) -> None:
    """Puts spans that were timed in milliseconds behind those that ended before them.

    JavaScript's SDKs round a start down to milliseconds and add the exact duration. So a call may seem to have begun
    before the one that it waited for had ended: it is moved by less than what rounding may have taken from it. Where
    ends are in milliseconds, too, spans of one tick are equal, and nothing is known of their order.
    """
    rounded = [span_id for span_id in forest.spans if not starts[span_id] % MILLISECOND]
    if len(rounded) < 2 or not any(ends[span_id] % MILLISECOND for span_id in rounded):
        return
    ended: list[tuple[int, str]] = []
    for span_id in sorted(rounded, key=lambda one: (starts[one], ends[one], forest.position[one])):
        start = starts[span_id]
        at = bisect_left(ended, (start + MILLISECOND,))
        while at and ended[at - 1][0] > start:
            at -= 1
            end, other = ended[at]
            if not forest.encloses(other, span_id) and not forest.encloses(span_id, other):
                starts[span_id] = end
                ends[span_id] += end - start
                break
        insort(ended, (ends[span_id], span_id))


def _shift(start: int, end: int, caller_start: int, caller_end: int) -> int:
    """Zero where the call already lies inside or cannot; else into the middle, as if both ways took the same time."""
    if (start >= caller_start and end <= caller_end) or end - start > caller_end - caller_start:
        return 0
    return caller_start + (caller_end - caller_start - (end - start)) // 2 - start
