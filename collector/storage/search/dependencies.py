"""Who calls whom, counted from the spans of each segment."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.core.telemetry import Answer, Dependency, TraceQuery
from collector.otlp.decode import resource_of
from collector.otlp.pieces import pieces
from collector.otlp.v1.raw_pb2 import TraceHeads
from collector.storage.patience import OutOfTime, Patience
from collector.storage.search.calls import Calls
from collector.storage.segments.segment import Segment

_CALLING, _CALLED = (3, 4), (2, 5)
"""Kinds: client and producer, server and consumer."""


class CallBook:
    """The calls in each segment: those of sealed ones in files beside them, those of the growing one in memory.

    Counting a segment costs some 2 µs and, meanwhile, 300 bytes of memory for each of its spans; looking up what was
    counted costs a millisecond.
    """

    def __init__(self) -> None:
        self._growing: tuple[int, int, Calls] | None = None

    def between(
        self, segments: Sequence[Segment], start_unix_nano: int, end_unix_nano: int, patience: Patience
    ) -> Answer[Dependency]:
        """See `TelemetrySearch.dependencies`. A parent is found where it lies in the same segment as its child.

        The newest segments first. Which part of a segment falls into the time makes no difference to the cost.
        """
        counts: Counter[tuple[str, str]] = Counter()
        partial = ""
        for number, segment in enumerate(reversed(segments)):
            try:
                calls = self._of(segment, patience, sealed=number > 0)
            except OutOfTime:
                partial = (
                    f"counting took longer than {patience.seconds:g} s (queries.max_seconds) and was ended: only the "
                    f"newest {number} of {len(segments)} segments were counted; the rest is counted now, ask again"
                )
                break
            counts.update(calls.between(start_unix_nano, end_unix_nano))
        found = [Dependency(parent, child, count) for (parent, child), count in sorted(counts.items())]
        return Answer(tuple(found), partial)

    def count_one(self, segments: Sequence[Segment], patience: Patience) -> bool:
        """Counts the newest sealed segment that was not counted yet. False where there is none."""
        _remove_left_over(segments)
        for segment in reversed(segments[:-1]):
            if Calls.load(_path(segment), segment.file.size) is None:
                self._of(segment, patience, sealed=True)
                return True
        return False

    def _of(self, segment: Segment, patience: Patience, *, sealed: bool) -> Calls:
        size = segment.file.size
        if sealed and (saved := Calls.load(_path(segment), size)) is not None:
            patience.go_on()
            return saved
        if not sealed and self._growing is not None and self._growing[:2] == (segment.number, size):
            return self._growing[2]
        calls = Calls.of(_counted(segment, patience))
        if sealed:
            with contextlib.suppress(OSError):  # a full disk: it is counted again the next time
                calls.save(_path(segment), size)
        else:
            self._growing = (segment.number, size, calls)
        return calls


def _path(segment: Segment) -> Path:
    return segment.path.with_suffix(".calls")


def _remove_left_over(segments: Sequence[Segment]) -> None:
    """Of segments that retention took away."""
    directory, kept = segments[-1].path.parent, {_path(segment) for segment in segments}
    for path in directory.glob("*.calls"):
        if path not in kept:
            path.unlink(missing_ok=True)


def _counted(segment: Segment, patience: Patience) -> Iterator[tuple[str, str, int]]:
    """A server that shares its client's span id (B3) was called by that client: see `collector.core.identity.sides`."""
    calling: dict[bytes, str] = {}
    called: dict[bytes, str] = {}
    children: list[tuple[bytes, bytes, int, str]] = []
    for candidate in segment.index.candidates(TraceQuery()):
        for piece in pieces(segment.body(candidate.place)):
            patience.go_on()
            for group in TraceHeads.FromString(piece).resource_spans:
                service = resource_of(Resource.FromString(b"".join(group.resource))).service
                for scoped in group.scope_spans:
                    for span in scoped.spans:
                        trace_id, span_id, parent, kind = span.trace_id, span.span_id, span.parent_span_id, span.kind
                        (calling if kind in _CALLING else called)[trace_id + span_id] = service
                        if kind in _CALLED:
                            children.append((trace_id + span_id, trace_id + parent, span.start_time_unix_nano, service))
                        elif parent and parent != span_id:
                            children.append((b"", trace_id + parent, span.start_time_unix_nano, service))
    for shared, parent, start, service in children:
        caller = calling.get(shared)
        if caller is None and parent != shared:
            caller = called.get(parent, calling.get(parent))
        if caller is not None:
            yield caller, service, start
