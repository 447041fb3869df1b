"""The seams: one Protocol per arrow of the data's way. The docstrings are the contract.

Everything is asynchronous and may be called from one event loop at a time. Unless said otherwise a call that fails
raises `Unavailable` for a passing fault (disk full, too much pending) and has then changed nothing.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from collector.core.feedback import Attachment, Feedback, FeedbackState, OpenFeedback, StoredFeedback
from collector.core.graph import TraceFeedback
from collector.core.ledger import Ledger
from collector.core.page import Page, PageRequest
from collector.core.release import Acknowledgement
from collector.core.span import LogRecord, Span
from collector.core.steady import TimeMark
from collector.core.study import Proposal, RejectedProposal, Study, Trial
from collector.core.telemetry import (
    Answer,
    Dependency,
    Encoding,
    Forgotten,
    FoundTrace,
    IngestResult,
    Operation,
    OtlpRequest,
    Signal,
    StoreCounts,
    StoredRequest,
    TraceBounds,
    TraceQuery,
    TraceSummary,
)
from collector.core.units import UnitStore
from otel_opto.assignment import Assignment
from otel_opto.spec import ParameterSpec, ParameterValue


class Clock(Protocol):
    """Time, injected."""

    def now_unix_nano(self) -> int:
        """Wall-clock time in Unix nanoseconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns when that time has passed on this clock."""
        ...


class Ingestor(Protocol):
    """What a receiver hands export requests to."""

    async def ingest(
        self, signal: Signal, body: bytes, hops: tuple[str, ...] = (), encoding: Encoding = Encoding.PROTOBUF
    ) -> IngestResult:
        """Reads, checks and keeps one export request. Durable on return.

        One bad item costs only itself; however large the request is, nobody waits for it to be read.

        Args:
            signal: What the body is an export request of.
            body: The request.
            encoding: How it is written.
            hops: The collectors that forwarded it, the first first. One that came back to where it has been is
                counted and let go.

        Raises:
            InvalidRequest: it is not one; sending it again would not help.
            TooLarge: reading it would take too long or too much memory; nor would it.
            Unavailable: nothing was kept; try again.
        """
        ...


class TelemetryStore(Protocol):
    """Spans and log records, kept as they came."""

    async def append(self, *requests: OtlpRequest, feedback: Sequence[Feedback] = ()) -> None:
        """Keeps the parts of a request, in their order, and the feedback found in it.

        Returns once all survive a killed process and a power failure, and are found by every call below. Where it
        raises no part is kept; feedback may be: sending again is right, for feedback is kept once by its id.
        Delivery is at-least-once: a request that comes twice is kept twice, and readers see equal spans once.

        Raises:
            Unavailable: too much is pending already, or the disk is full. Anything else that it raises is a fault of
                what it was given, which would come again.
        """
        ...

    async def trace(self, trace_id: str) -> Sequence[Span]:
        """The spans of a trace by start time, then span id; () if it is unknown. Spans equal in every field once."""
        ...

    async def trace_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """A serialized ``TracesData`` of one trace, each resource, scope and span byte for byte as it came.

        Only attributes that a later one of the same key overrides are left out. In order of arrival; spans that are
        equal under equal resource and scope, however they were encoded, once. Empty if the trace is unknown.

        Raises:
            TooLarge: it goes beyond the bounds; no more than that is read and held.
        """
        ...

    async def log_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """A serialized ``LogsData`` with the log records of one trace in order of arrival, as they came.

        Some records of other traces may be among them. Bounded as above.
        """
        ...

    async def revision(self, trace_id: str) -> str:
        """Another text whenever spans, log records or feedback of the trace came, changed or went; "" if unknown."""
        ...

    async def log_records(self, trace_id: str) -> Sequence[LogRecord]:
        """The log records of a trace by time; () if there are none."""
        ...

    async def answering(self, response_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The traces with a span whose ``gen_ai.response.id`` is one of these, by it; nothing where there is none.

        The trace that came last first. Where answers of one id came far apart only the last of them need be found.
        """
        ...

    async def traces(self, page: PageRequest) -> Page[TraceSummary]:
        """The traces touched last, newest first.

        What comes in after the first page moves nothing on the pages behind it. Bounded and cancelled as `find`: a page
        that took too long ends where it stands, and its cursor goes on from there.

        Raises:
            InvalidRequest: the cursor is none.
        """
        ...

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]:
        """Traces that the query describes, by the start of their newest matching span, newest first.

        Of spans that began at one time the one that was stored last is the newest, of one request those in the
        falling order of their trace ids. The search ends when nothing better can come, when its caller is cancelled,
        and when the time is over that the store gives it: the answer is `partial` then, what is in it matches, and was
        the best among what was looked at. It costs no more than reading the stored bytes once, whatever they and the
        query say.
        """
        ...

    async def services(self) -> Sequence[str]:
        """The services that spans came from, by name."""
        ...

    async def operations(self, service: str) -> Sequence[Operation]:
        """The operations of a service, by name and kind; of every service if it is empty."""
        ...

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Answer[Dependency]:
        """Which service called which how often, of child spans that began in that time, by names.

        Bounded and cancelled as `find`; a partial answer counts too little.

        A child is counted where its parent is stored near it: an implementation may pass over pairs that came far
        apart (and says how far in its own docstring).
        """
        ...

    async def counts(self) -> StoreCounts:
        """How much there is."""
        ...

    async def requests_after(self, position: int, max_bytes: int) -> Sequence[StoredRequest]:
        """Requests in the order of their coming, after a position (0: from the beginning).

        One at least if there is one, more while their bodies together stay under `max_bytes`.
        """
        ...

    async def newest_position(self) -> int:
        """Of the request that came last; 0 if none is there."""
        ...

    async def delivered(self, destination: str) -> int | None:
        """Up to which position requests were forwarded to a destination; None if nothing was ever said of it."""
        ...

    async def set_delivered(self, destination: str, position: int) -> None:
        """Remembers it. Durable on return."""
        ...

    async def last_received(self) -> int:
        """When the last request was received, in Unix nanoseconds, as the clock had it then; 0 if none is there."""
        ...

    async def time_mark(self) -> TimeMark | None:
        """What was known of the time when it was remembered last; None if it never was."""
        ...

    async def set_time_mark(self, mark: TimeMark) -> None:
        """Remembers it. Durable on return."""
        ...

    async def forget(self, received_before_unix_nano: int, max_bytes: int) -> Forgotten:
        """Gives up the oldest requests: those received before a time, and what makes the store larger than a size.

        Whole stretches only (an implementation says how long they are), never what came last. Does not wait for, nor
        hold up, what comes in.
        """
        ...


class FeedbackStore(Protocol):
    """Feedback on its way to its span."""

    async def submit(self, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
        """Keeps feedback, all or none; what is there already (by id) stays as it is. Durable on return."""
        ...

    async def recalled(self) -> int | None:
        """Where feedback was lost: up to which position it was looked for again in what came; None otherwise."""
        ...

    async def set_recalled(self, position: int | None) -> None:
        """Remembers it; None where all has been looked through. Durable on return."""
        ...

    async def attachable(self, limit: int, now_unix_nano: int = 0) -> Sequence[OpenFeedback]:
        """Waiting feedback that was never looked for, or of whose trace a span has come since it was looked for last.

        Of its trace, of the trace of the span that it is attached to, or with the response id that it names.

        Also feedback whose patience is over by now, and attached feedback that is not settled and of whose trace a
        span has come since: the order in which spans and feedback come must not matter. Oldest first.
        """
        ...

    async def attach(self, attachments: Sequence[Attachment], looked_for: Sequence[OpenFeedback] = ()) -> None:
        """Attaches feedback, or attaches it elsewhere; what is settled stays as it is.

        All that was looked for, found or not, is not attachable until another span of its trace comes, or until the
        patience that it says is over. Idempotent; unknown ids are passed over.
        """
        ...

    async def settle_counted(self, release: int, name: str) -> None:
        """Feedback of a metric that is attached to a release now stays where it is: a trial counts it."""
        ...

    async def settle(self, received_before_unix_nano: int, most: int) -> int:
        """Attached feedback that came before then, and all but the newest `most` of it, stays where it is.

        Returns how many of the latter there were.
        """
        ...

    async def expire(self, received_before_unix_nano: int) -> int:
        """Gives up on feedback that still waits and came before then. Returns how many; they stay readable."""
        ...

    async def feedback(
        self, page: PageRequest, *, trace_id: str = "", states: Sequence[FeedbackState] = ()
    ) -> Page[StoredFeedback]:
        """Newest first; an empty filter lets everything through.

        Raises:
            InvalidRequest: the cursor is none.
        """
        ...

    async def feedback_of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """Attached feedback of a metric on traces in which a service ran with a release, in order of reception."""
        ...

    async def metrics_of_release(self, release: int) -> Mapping[str, int]:
        """How much attached feedback there is of each metric on traces that ran with a release, a hundred at most."""
        ...


class ParameterStore(Protocol):
    """Declared parameters, and what applications say of releases."""

    async def declare(self, service: str, parameters: Sequence[ParameterSpec]) -> None:
        """An upsert by key: a key that is missing stays as it is.

        Raises:
            InvalidRequest: the service would have too many (`collector.core.parameter.check_amount`); none is kept.
        """
        ...

    async def parameters(self, service: str) -> Sequence[ParameterSpec]:
        """All, by key; () for an unknown service. No more than `check_amount` lets in."""
        ...

    async def declared(self, service: str, page: PageRequest) -> Page[ParameterSpec]:
        """The same a page at a time. Raises `InvalidRequest` for a cursor that is none."""
        ...

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Keeps the last word of each instance on each release."""
        ...

    async def acknowledgements(self, release: int, page: PageRequest) -> Page[Acknowledgement]:
        """By service and instance. Raises `InvalidRequest` for a cursor that is none."""
        ...


class Store(TelemetryStore, FeedbackStore, ParameterStore, Protocol):
    """Everything durable behind one door."""

    @property
    def ledger(self) -> Ledger:
        """Studies, releases, assignments: what was decided."""
        ...

    @property
    def units(self) -> UnitStore:
        """What came under rollouts."""
        ...

    async def start(self) -> None:
        """Opens it. Raises `ConfigError` if it cannot be opened, with the path and the reason."""
        ...

    async def stop(self) -> None:
        """Commits what is pending and closes. Safe twice and unstarted."""
        ...

    async def instance_id(self) -> str:
        """Names the store's owner, the same after every restart."""
        ...


@dataclass(frozen=True, slots=True)
class OptimizationRequest:
    """All that an optimizer may look at.

    Attributes:
        study: Objective, direction, options, seed.
        parameters: What may change, by key.
        current: Their values in the best release so far.
        batch: Feedback on traces that ran with the values in `current`, each with its minimal subgraph.
        trials: Complete trials, by number; the first is the baseline.
        rejected: Proposals that failed validation, oldest first.
    """

    study: Study
    parameters: tuple[ParameterSpec, ...]
    current: Mapping[str, ParameterValue]
    batch: tuple[TraceFeedback, ...]
    trials: tuple[Trial, ...]
    rejected: tuple[RejectedProposal, ...]


class Optimizer(Protocol):
    """Proposes better values. Stateless: the request holds the whole history, so any process can go on with it."""

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """Faults of the study's options or of its parameters for this optimizer; () if it can work."""
        ...

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """Candidates, the most promising first; () if it has nothing to suggest, which ends the study.

        The same request gives the same proposals where the optimizer is deterministic. Values need not be valid: the
        caller validates them and shows faults in the next request.

        Raises:
            OptimizerError: with `permanent` where trying again would not help.
        """
        ...


class Publisher(Protocol):
    """Brings what is in force to the applications that watch."""

    def watch(self, service: str) -> AbstractContextManager[AsyncIterator[Assignment]]:
        """The newest assignment of the service that was published, then every later one.

        A slow reader misses intermediate ones only; for none of its speed does it hold more than one.
        """
        ...

    def publish(self, assignment: Assignment) -> None:
        """Wakes the watchers. Never blocks; a revision that was published before is nothing new."""
        ...
