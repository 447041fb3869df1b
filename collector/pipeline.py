"""The picture of the system: receive, store, attach, assemble, optimize, publish. Apply is in the application.

Written against the Protocols of `collector.core.protocols` and the pure functions of the stages; no concrete store,
optimizer or server is named here.
"""

import itertools
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from collector.assembly.assembly import Assembly
from collector.assembly.job import leading_to, whole
from collector.core.errors import CollectorError, GraphError, NotFound, TooLarge
from collector.core.explanation import Explanation
from collector.core.feedback import Feedback, OpenFeedback
from collector.core.graph import TraceFeedback, TraceGraph
from collector.core.protocols import Clock, Store
from collector.core.release import Release
from collector.core.span import Span, SpanContext
from collector.core.study import Reach, Study
from collector.core.telemetry import Encoding, IngestResult, OtlpRequest, Signal
from collector.core.tracing import UNTRACED, Tracing
from collector.counters import Counter, Counters
from collector.feedback.attach import Placement, home_of, placed, wanted_by
from collector.reading.read import Read, holds_feedback
from collector.reading.reader import RequestReader
from collector.steady_time import SteadyTime
from collector.workers.process import WorkerLost
from collector.workers.workers import Workers

_LOG = logging.getLogger(__name__)
_ACCEPTED = {
    Signal.TRACES: Counter.RECEIVER_ACCEPTED_SPANS,
    Signal.LOGS: Counter.RECEIVER_ACCEPTED_LOG_RECORDS,
}
_REFUSED = {
    Signal.TRACES: Counter.RECEIVER_REFUSED_SPANS,
    Signal.LOGS: Counter.RECEIVER_REFUSED_LOG_RECORDS,
}
_REPAIRED = {
    Signal.TRACES: Counter.RECEIVER_REPAIRED_SPANS,
    Signal.LOGS: Counter.RECEIVER_REPAIRED_LOG_RECORDS,
}
_LOOK_AGAIN_NANO = 5_000_000_000
_MOST_LOOKED_FOR = 16
"""So many attributes that feedback names are searched for in one round."""

_MOST_SAID = 5
"""So many faults of one request are logged."""

_RECALLED_AT_ONCE_BYTES = 4 * 2**20
_ATTACH_AT_ONCE = 5_000
_FEW = 8
"""So many judgements on a small trace are looked at in place; there may be thousands."""

_MOST_MOVABLE = 2**16
"""So much attached feedback may still move at a time; it is remembered in memory which traces these are."""
_T = TypeVar("_T")


class Pipeline:
    """Telemetry in, judged graphs out. Steps 1 to 4; `Improver` adds 5 and 6.

    Args:
        store: Where everything durable goes.
        clock: For the time of reception.
        counters: Accepted, refused and attached items are counted here.
        wake: Called after something came in that a study may be waiting for.
        release: Finds a release by its number.
        assembly: Makes graphs; None: one with limits and processes of its own.
        reader: Reads export requests; None: one with limits and processes of its own.
        tracing: Is told of every step.
    """

    def __init__(  # noqa: PLR0913 - a part for each
        self,
        store: Store,
        clock: Clock,
        counters: Counters,
        wake: Callable[[], None],
        release: Callable[[int], Awaitable[Release | None]],
        assembly: Assembly | None = None,
        reader: RequestReader | None = None,
        *,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._tracing = tracing
        self._store = store
        self._clock = clock
        self._time = SteadyTime(store.marks, store.log, clock)
        self._counters = counters
        self._wake = wake
        self._assembly = assembly or Assembly(store, release, Workers())
        self._reader = reader or RequestReader(clock, Workers())

    @property
    def clock(self) -> Clock:
        """What it tells the time by."""
        return self._clock

    async def ingest(
        self, signal: Signal, body: bytes, hops: tuple[str, ...] = (), encoding: Encoding = Encoding.PROTOBUF
    ) -> IngestResult:
        """1 receive and 2 store: see `Ingestor`. Feedback inside the request is kept with it."""
        if self._reader.is_circling(hops):
            self._counters.add(Counter.RECEIVER_CIRCLING_REQUESTS)
            return IngestResult(0)
        tracing = UNTRACED if self._tracing.is_own(body) else self._tracing
        with tracing.span("receive", {"otel_opto.signal": signal.value, "otel_opto.bytes": len(body)}) as receiving:
            read = await self._received(signal, body, hops, encoding, tracing)
            accepted = sum(piece.request.items for piece in read.pieces)
            receiving.note("otel_opto.items", accepted)
        self._wake()
        return IngestResult(accepted, read.faults.rejected, read.faults.message)

    async def _received(
        self, signal: Signal, body: bytes, hops: tuple[str, ...], encoding: Encoding, tracing: Tracing
    ) -> Read:
        read = await self._reader.read(signal, body, hops, encoding)
        feedback = [one for piece in read.pieces for one in piece.found.feedback]
        if read.pieces:
            with tracing.span("store", {"otel_opto.feedback": len(feedback)}):
                await self._keep([piece.request for piece in read.pieces], feedback)
        self._counters.add(_ACCEPTED[signal], sum(piece.request.items for piece in read.pieces))
        self._counters.add(_REFUSED[signal], read.faults.rejected)
        self._counters.add(_REPAIRED[signal], read.faults.repaired)
        self._counters.add(Counter.FEEDBACK_ACCEPTED, len(feedback))
        self._say(
            "feedback is kept as telemetry but judges nothing",
            Counter.FEEDBACK_INVALID,
            [piece.found.faults for piece in read.pieces],
        )
        self._say(
            "feedback is kept without its score",
            Counter.FEEDBACK_UNSCORED,
            [piece.found.unscored for piece in read.pieces],
        )
        return read

    async def _keep(self, requests: Sequence[OtlpRequest], feedback: Sequence[Feedback]) -> None:
        """A request in parts and what was found in it, as one outcome.

        The feedback first: it is kept once however often it comes, so that a sender who has to come back because
        either failed leaves nothing twice.
        """
        if feedback:
            await self._store.feedback.submit(feedback, requests[0].received_unix_nano)
        await self._store.log.append(*requests)

    def _say(self, what: str, counter: Counter, faults: Sequence[Sequence[str]]) -> None:
        """Counts all faults of a request, and logs the first of them."""
        count = sum(map(len, faults))
        self._counters.add(counter, count)
        for fault in list(itertools.chain.from_iterable(faults))[:_MOST_SAID]:
            _LOG.warning("%s: %s", what, fault)
        if count > _MOST_SAID:
            _LOG.warning("%s: %d more of the same request", what, count - _MOST_SAID)

    async def submit(self, feedback: Sequence[Feedback]) -> None:
        """Feedback that did not come as telemetry: durable on return."""
        await self._store.feedback.submit(feedback, self._clock.now_unix_nano())
        self._counters.add(Counter.FEEDBACK_ACCEPTED, len(feedback))
        self._wake()

    async def attach(self, grace_seconds: float = 0.0) -> int:
        """4 attach: brings feedback to spans that have come. Returns how many found theirs for the first time.

        Feedback that is attached moves where more of its trace says so: the order of arrival does not matter, until a
        trial has counted it. See `collector.feedback.attach`.

        Args:
            grace_seconds: So long waits feedback on a whole trace for a parent of its topmost span.
        """
        now, grace_nano = self._clock.now_unix_nano(), int(grace_seconds * 1e9)
        at_home = [(home_of(one), one) for one in await self._store.feedback.attachable(_ATTACH_AT_ONCE, now)]
        found = {placement.one.id: placement for placement in await self._placed(at_home, now, grace_nano)}
        astray = [placement.one for placement in found.values() if placement.astray]
        answering = await self._store.search.answering({one.feedback.response_id for one in astray}) if astray else {}
        away = [(traces[0], one) for one in astray if (traces := answering.get(one.feedback.response_id))]
        found.update({one.one.id: one for one in await self._placed(away, now, grace_nano) if not one.astray})
        nameless = [place.one for place in found.values() if place.one.feedback.by_key and place.unplaced]
        found.update({one.one.id: one for one in await self._called(nameless, now, grace_nano)})
        attachments = [placement.attachment for placement in found.values() if placement.attachment]
        looked_for = [placement.one for placement in found.values()]
        if looked_for:
            await self._store.feedback.attach(attachments, looked_for)
        waited = {one.id for one in looked_for if one.attachment is None}
        first = sum(1 for one in attachments if one.feedback_id in waited)
        self._counters.add(Counter.FEEDBACK_ATTACHED, first)
        return first

    async def _called(self, named: Sequence[OpenFeedback], now_unix_nano: int, grace_nano: int) -> Sequence[Placement]:
        """Feedback that names an attribute: in the newest trace that has it, else looked for again after a while."""
        again = now_unix_nano + _LOOK_AGAIN_NANO
        traces: dict[tuple[object, ...], str] = {}
        at: list[tuple[str, OpenFeedback]] = []
        missed: list[Placement] = []
        for one in named:
            wanted = wanted_by(one, now_unix_nano)
            name = (one.feedback.by_key, one.feedback.by_value, wanted.start_min_unix_nano, wanted.start_max_unix_nano)
            if name not in traces and len(traces) < _MOST_LOOKED_FOR:
                found = await self._store.search.find(wanted)
                traces[name] = found[0].trace_id if found else ""
            if traces.get(name):
                at.append((traces[name], one))
            else:
                missed.append(Placement(replace(one, patient_until_unix_nano=again)))
        return [*missed, *await self._placed(at, now_unix_nano, grace_nano)]

    async def _placed(
        self, in_traces: Sequence[tuple[str, OpenFeedback]], now_unix_nano: int, grace_nano: int
    ) -> Sequence[Placement]:
        """Looks for the spans of open feedback, of each in one trace."""
        by_trace: dict[str, list[OpenFeedback]] = {}
        for trace_id, one in in_traces:
            by_trace.setdefault(trace_id, []).append(one)
        found: list[Placement] = []
        for trace_id, group in by_trace.items():
            find = partial(_placed_in, trace_id, group, now_unix_nano, grace_nano)
            try:
                found += await self._assembly.over_spans(trace_id, find, short=len(group) <= _FEW)
            except (TooLarge, WorkerLost) as error:
                self._counters.add(Counter.GRAPHS_TOO_LARGE)
                _LOG.warning("feedback on a trace waits until more of it comes: %s", error)
                found += map(Placement, group)
        return found

    async def recall(self) -> int:
        """Looks for feedback that was lost with a damaged database in the telemetry that it came with.

        Returns how much of it was found. Feedback that came otherwise is nowhere else.
        """
        position = await self._store.marks.recalled()
        if position is None:
            return 0
        found = 0
        while batch := await self._store.log.requests_after(position, _RECALLED_AT_ONCE_BYTES):
            for request in batch:
                if holds_feedback(request.body):
                    read = await self._reader.read(request.signal, request.body)
                    feedback = [one for piece in read.pieces for one in piece.found.feedback]
                    await self._store.feedback.submit(feedback, self._clock.now_unix_nano())
                    found += len(feedback)
            position = batch[-1].position
            await self._store.marks.set_recalled(position)
        await self._store.marks.set_recalled(None)
        _LOG.warning("%d feedbacks were found again in the telemetry that they came with", found)
        return found

    async def expire(self, after_seconds: float) -> None:
        """Gives up on feedback that has waited longer than that, and settles what was attached before."""
        before = await self._time.now_unix_nano() - int(after_seconds * 1e9)
        expired = await self._store.feedback.expire(before)
        self._counters.add(Counter.FEEDBACK_EXPIRED, expired)
        self._counters.add(Counter.FEEDBACK_SETTLED_EARLY, await self._store.feedback.settle(before, _MOST_MOVABLE))
        if expired:
            _LOG.warning("%d feedbacks waited more than %g s for their spans and were given up", expired, after_seconds)

    async def assemble(self, trace_id: str, reach: Reach = Reach.TRACE) -> TraceGraph:
        """3 assemble: the OPTO graph of a trace with its feedback. See `Assembly.made`."""
        return await self.made(trace_id, reach, whole)

    async def made(
        self,
        trace_id: str,
        reach: Reach,
        finish: Callable[[TraceGraph], _T],
        name: Hashable | None = None,
        links: Sequence[SpanContext] = (),
    ) -> _T:
        """3 assemble: what `finish` makes of the graph, made where the graph is. See `Assembly.made`.

        Args:
            links: The outputs that it is made for, as the collector's own span of it names them.
        """
        try:
            with self._tracing.span(
                "assemble", {"otel_opto.trace_id": trace_id, "otel_opto.reach": reach.value}, links
            ):
                return await self._assembly.made(trace_id, reach, finish, name)
        except TooLarge:
            self._counters.add(Counter.GRAPHS_TOO_LARGE)
            raise

    async def explained(self, trace_id: str, reach: Reach, span_id: str) -> Explanation:
        """3 assemble: why the graph says what it says of a span. See `Assembly.explained`."""
        try:
            return await self._assembly.explained(trace_id, reach, span_id)
        except TooLarge:
            self._counters.add(Counter.GRAPHS_TOO_LARGE)
            raise

    async def judged(self, study: Study, batch: Sequence[Feedback]) -> tuple[TraceFeedback, ...]:
        """3 assemble for a batch: each feedback with the minimal subgraph of the output that it judges.

        A trace is assembled once, however many of its outputs are judged. A trace that makes no graph, is too large or
        is gone is left out, counted and said: one of them must not hold up a study.
        """
        by_trace: dict[str, list[Feedback]] = {}
        for feedback in batch:
            by_trace.setdefault(feedback.target.trace_id, []).append(feedback)
        found: dict[str, TraceGraph] = {}
        least = self._assembly.min_confidence if study.min_confidence is None else study.min_confidence
        for trace_id, group in by_trace.items():
            targets = [one.target.span_id for one in group]
            finish = partial(leading_to, targets, study.parameters, least)
            subgraphs: Sequence[TraceGraph | CollectorError]
            try:
                links = [SpanContext(trace_id, span_id) for span_id in targets if span_id]
                subgraphs = await self.made(trace_id, study.reach, finish, links=links)
            except (GraphError, NotFound, TooLarge, WorkerLost) as error:
                subgraphs = [error] * len(group)
            for feedback, subgraph in zip(group, subgraphs, strict=True):
                if isinstance(subgraph, TraceGraph):
                    found[feedback.id] = subgraph
                else:
                    self._counters.add(Counter.GRAPHS_REFUSED)
                    _LOG.warning("study %s goes on without a trace: %s", study.name, subgraph)
        return tuple(TraceFeedback(feedback, found[feedback.id]) for feedback in batch if feedback.id in found)


def _placed_in(
    trace_id: str, group: Sequence[OpenFeedback], now_unix_nano: int, grace_nano: int, spans: Sequence[Span]
) -> Sequence[Placement]:
    """See `placed`; the spans come last, wherever they are decoded."""
    return placed(trace_id, group, spans, now_unix_nano, grace_nano)
