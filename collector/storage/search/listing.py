"""The list of traces: those that were touched last, a page at a time."""

from collections.abc import Iterator, Sequence
from itertools import islice

from collector.core.identity.roots import family_of
from collector.core.identity.sides import told_apart
from collector.core.page import MOST_PAGE_BYTES, Page, PageRequest, cursor, key_of
from collector.core.span import Span, StatusCode
from collector.core.telemetry import Signal, TraceSummary
from collector.otlp.pieces import pieces
from collector.otlp.raw import TraceDataBuilder, trace_ids_in
from collector.storage.patience import OutOfTime, Patience
from collector.storage.segments.segment import Segment, segment_of
from collector.storage.segments.traces import once, requests_of, spans_in

_AT_ONCE = 64
_MOST_SUMMARIZED = 20_000
_BEHIND_ALL = "g"
"""Comes after every trace id."""


def traces(segments: Sequence[Segment], page: PageRequest, patience: Patience) -> Page[TraceSummary]:
    """See `TelemetrySearch.traces`. Traces that one request touched last come by id.

    A page begins behind a trace in a request, and counts requests up to the end of the store as it was at the first
    page: what comes later moves no trace from a page behind to one before. Of a trace of very many spans only the first
    are counted, and the answer says so.
    """
    if not segments:
        return Page()
    newest = segments[-1].position(segments[-1].file.size)
    end, *place = key_of(page.cursor, "traces", int, int, str) or (newest, newest, _BEHIND_ALL)
    listing = _Listing(segments, int(end), patience)
    return listing.page(int(place[0]), str(place[1]), page.limit)


class _Listing:
    """One page in the making.

    Args:
        segments: Oldest first.
        end: Requests behind this position are not there.
        patience: See there.
    """

    def __init__(self, segments: Sequence[Segment], end: int, patience: Patience) -> None:
        self._segments = segments
        self._end = end
        self._patience = patience
        self._known: set[bytes] = set()
        self._found: list[TraceSummary] = []
        self._cut: list[str] = []
        self._size = 0

    def page(self, position: int, behind: str, limit: int) -> Page[TraceSummary]:
        """What is touched at or before a position, without the traces up to an id in the request that lies there."""
        at = (position, behind)
        doing = at
        try:
            for place, touched in self._requests(position):
                doing = (place, "")
                for trace_id in sorted(touched - self._known):
                    if place == position and trace_id.hex() <= behind:  # on a page before
                        self._known.add(trace_id)
                        continue
                    if len(self._found) == limit or self._size >= MOST_PAGE_BYTES:
                        return self._page(at)
                    doing = (place, trace_id.hex())
                    self._known.add(trace_id)
                    if position == self._end or not self._is_touched_behind(trace_id, place):
                        self._add(trace_id)
                    at = doing
                at = (place, _BEHIND_ALL)
        except OutOfTime:
            over = f"listing took longer than {self._patience.seconds:g} s (queries.max_seconds) and was ended"
            if at == (position, behind):  # not even one: who comes again must not stand before the same
                at = doing if doing[1] else (doing[0], _BEHIND_ALL)
                over += f"; passed over: trace {doing[1] or 'ids'} of a request that is too large for it"
            return self._page(at, over)
        return Page(tuple(self._found), "", self._not_whole())

    def _page(self, at: tuple[int, str], over: str = "") -> Page[TraceSummary]:
        said = "; ".join(filter(None, (over, self._not_whole())))
        return Page(tuple(self._found), cursor("traces", self._end, *at), said)

    def _not_whole(self) -> str:
        if not self._cut:
            return ""
        counted = f"only the first {_MOST_SUMMARIZED:,} spans were counted"
        return f"{counted} of {len(self._cut)} traces, one of them {self._cut[0]}"

    def _requests(self, position: int) -> Iterator[tuple[int, set[bytes]]]:
        """The positions of requests and the traces that they touch, the last request first."""
        number, offset = segment_of(position)
        for segment in reversed(self._segments):
            if segment.number > number:
                continue
            before = offset + 1 if segment.number == number else segment.file.size
            while places := segment.index.newest_places(before, _AT_ONCE):
                for place in places:
                    touched: set[bytes] = set()
                    for piece in pieces(segment.body(place)):
                        self._patience.go_on()
                        touched.update(trace_ids_in(piece))
                    yield segment.position(place.offset), touched
                before = places[-1].offset

    def _is_touched_behind(self, trace_id: bytes, place: int) -> bool:
        """Whether a later request touches it, so that it stands on a page before."""
        for segment in reversed(self._segments):
            if segment.position(segment.file.size) <= place:
                return False
            last, offset = segment_of(self._end)
            if segment.number <= last:
                until = offset if segment.number == last else segment.file.size
                found = segment.index.last_place(trace_id, Signal.TRACES, until)
                if found is not None:
                    return segment.position(found) > place
        return False

    def _add(self, trace_id: bytes) -> None:
        spans, whole = self._first_spans(trace_id)
        if spans:  # they may have been given up meanwhile
            summary = summary_of(spans)
            self._found.append(summary)
            self._size += len(summary.root_name) + sum(map(len, summary.services)) + 200
        if not whole:
            self._cut.append(trace_id.hex())

    def _first_spans(self, trace_id: bytes) -> tuple[Sequence[Span], bool]:
        """Of a trace, and whether these are all."""
        gathered = TraceDataBuilder(trace_id)
        for piece in requests_of(self._segments, trace_id, Signal.TRACES, self._patience):
            gathered.add(piece)
            if gathered.spans > _MOST_SUMMARIZED:
                return once(islice(spans_in(gathered.build(), self._patience), _MOST_SUMMARIZED)), False
        return once(spans_in(gathered.build(), self._patience)), True


def summary_of(came: Sequence[Span]) -> TraceSummary:
    """A line of a list: of the spans of one trace, one at least."""
    family = family_of(told_apart(came).spans)
    root, spans = family.root(), family.spans.values()
    assert root is not None  # a trace that was touched has a span
    return TraceSummary(
        trace_id=root.context.trace_id,
        root_name=root.name,
        services=tuple(sorted({span.resource.service for span in spans})),
        start_time_unix_nano=min(span.start_time_unix_nano for span in spans),
        end_time_unix_nano=max(span.end_time_unix_nano for span in spans),
        span_count=len(spans),
        error_count=sum(1 for span in spans if span.status_code == StatusCode.ERROR),
    )
