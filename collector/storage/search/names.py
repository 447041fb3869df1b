"""What there is: names of services and operations, traces by the answers in them, and how many."""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence

from collector.core.telemetry import Operation
from collector.otlp.responses import traces_answering
from collector.storage.patience import OutOfTime, Patience
from collector.storage.segments.segment import Segment

_AT_ONCE = 64


def answering(
    segments: Sequence[Segment], response_ids: Collection[str], patience: Patience
) -> Mapping[str, Sequence[str]]:
    """See `TelemetrySearch.answering`. Reads the lists of the segments' answers, the newest segment's first."""
    found: dict[str, dict[str, None]] = {}
    left = set(response_ids)
    for segment in reversed(segments):
        if not left:
            break
        for body, named in segment.answering(left, patience):
            for response_id, traces in traces_answering(body, named).items():
                found.setdefault(response_id, {}).update(dict.fromkeys(reversed(traces)))
        left -= found.keys()
    return {response_id: list(traces) for response_id, traces in found.items()}


def services(segments: Sequence[Segment]) -> Sequence[str]:
    """See `TelemetrySearch.services`."""
    return sorted({service for segment in segments for service in segment.index.services()})


def operations(segments: Sequence[Segment], service: str) -> Sequence[Operation]:
    """See `TelemetrySearch.operations`."""
    found = {operation for segment in segments for operation in segment.index.operations(service)}
    return sorted(found, key=lambda operation: (operation.name, operation.kind, operation.service))


def trace_count(segments: Sequence[Segment], patience: Patience) -> int:
    """How many traces there are. Merges the sorted ids of all segments: about half a second for half a million.

    Where that would take too long, a trace counts once for each segment that it is in.
    """
    if len(segments) > 1:
        try:
            return sum(1 for _ in _distinct(segments, patience))
        except OutOfTime:
            pass
    return sum(segment.index.trace_count() for segment in segments)


class TraceTally:
    """How many traces there are, counted anew only where it is known to be quick or segments have changed.

    What came into the newest segment meanwhile is added as it is: a trace that goes on in it counts twice until then.

    Args:
        many: From so many traces on.
    """

    def __init__(self, many: int = 20_000) -> None:
        self._many = many
        self._known: tuple[Sequence[int], int, int] | None = None

    def count(self, segments: Sequence[Segment], patience: Patience) -> int:
        """See `trace_count`."""
        numbers = [segment.number for segment in segments]
        newest = segments[-1].index.trace_count() if segments else 0
        if self._known is not None:
            of, then, count = self._known
            if of == numbers and count >= self._many:
                return count + newest - then
        count = trace_count(segments, patience)
        self._known = (numbers, newest, count)
        return count


def _distinct(segments: Sequence[Segment], patience: Patience) -> Iterator[bytes]:
    last = b""
    for number, trace_id in enumerate(heapq.merge(*(segment.index.trace_ids() for segment in segments))):
        if number % _AT_ONCE == 0:
            patience.go_on()
        if trace_id != last:
            yield trace_id
        last = trace_id
