"""The search over segments: the index says which requests may hold something, their bytes say whether they do."""

import heapq
from collections.abc import Iterator, Sequence

from collector.core.telemetry import FoundTrace, TraceQuery
from collector.otlp.decode import spans_of
from collector.storage.conditions import Conditions, conditions_of
from collector.storage.segment import Segment
from collector.storage.segment_index import Candidate


def find(segments: Sequence[Segment], query: TraceQuery) -> list[FoundTrace]:
    """See `TelemetryStore.find`.

    Cost: one look into the index of every segment that reaches into the time, then one pass over the bytes of requests
    (about 0.3 ms per 512 spans for an attribute that is not there), newest first, until enough traces are found. What
    is decoded is the spans of the requests that hold every wanted attribute.
    """
    conditions = conditions_of(query)
    found: dict[str, int] = {}
    enough = query.limit or -1
    for segment, candidate in _newest_first(segments, query):
        if len(found) == enough and candidate.latest_start < min(found.values()):
            break
        for trace_id, start in _matches(segment, candidate, conditions):
            found[trace_id] = max(start, found.get(trace_id, 0))
        if len(found) > enough > 0:
            found = dict(heapq.nlargest(enough, found.items(), key=lambda item: (item[1], item[0])))
    newest_first = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [FoundTrace(trace_id, start) for trace_id, start in newest_first]


def _newest_first(segments: Sequence[Segment], query: TraceQuery) -> Iterator[tuple[Segment, Candidate]]:
    """Candidates of all segments by the start of their newest span. A segment's index is asked when its turn comes."""
    waiting: list[tuple[int, int, int, Segment, Iterator[Candidate] | None, Candidate | None]] = [
        (-segment.extent().latest_start, -segment.number, 0, segment, None, None) for segment in segments
    ]
    heapq.heapify(waiting)
    while waiting:
        _, order, step, segment, candidates, candidate = heapq.heappop(waiting)
        if candidate is not None:
            yield segment, candidate
        rest = iter(segment.index.candidates(query)) if candidates is None else candidates
        following = next(rest, None)
        if following is not None:
            heapq.heappush(waiting, (-following.latest_start, order, step + 1, segment, rest, following))


def _matches(segment: Segment, candidate: Candidate, conditions: Conditions) -> Iterator[tuple[str, int]]:
    for span in spans_of(conditions.sieve.sift(segment.body(candidate.place))):
        if conditions.met(span):
            yield span.context.trace_id, span.start_time_unix_nano
