"""Spans and log records: kept as they came, and found by what they say."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from collector.core.page import Page, PageRequest
from collector.core.span import LogRecord, Span
from collector.core.telemetry import (
    Answer,
    Dependency,
    Forgotten,
    FoundTrace,
    Operation,
    OtlpRequest,
    StoredRequest,
    TelemetryCounts,
    TraceBounds,
    TraceQuery,
    TraceSummary,
)


class TelemetryLog(Protocol):
    """Export requests in the order of their coming, read by position and by trace.

    A position is the log's own measure of how far it has come: 0 stands before the first request, that of a later
    request is higher, and none is given twice, also after a restart.
    """

    async def append(self, *requests: OtlpRequest) -> None:
        """Keeps the parts of a request, in their order: all of them, or none where it raises.

        Returns once all survive a killed process and a power failure, and are found by every call of the log and of its
        search. Not idempotent: delivery is at-least-once, a request that comes twice is kept twice, and readers see
        equal spans once.

        Raises:
            Unavailable: too much is pending already, or the disk is full. Anything else that it raises is a fault of
                what it was given, which would come again; it costs no other request that came at the same time.
        """
        ...

    async def requests_after(self, position: int, max_bytes: int) -> Sequence[StoredRequest]:
        """Requests in the order of their coming, after a position (0: from the beginning).

        One at least if there is one, more while their bodies together stay under `max_bytes`. What cannot be read any
        more is passed over and said with the request that follows it.
        """
        ...

    async def newest_position(self) -> int:
        """Of the request that came last, or higher; what comes after this call stands behind it."""
        ...

    async def trace(self, trace_id: str) -> Sequence[Span]:
        """The spans of a trace by start time, then span id; () if it is unknown. Spans equal in every field once.

        Args:
            trace_id: 32 lower-case hex digits; any other text is an unknown trace, here and below.
        """
        ...

    async def trace_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """A serialized ``TracesData`` of one trace, each resource, scope and span byte for byte as it came.

        Only attributes that a later one of the same key overrides are left out. In order of arrival; spans that are
        equal under equal resource and scope, however they were encoded, once. Empty if the trace is unknown.

        Raises:
            TooLarge: it goes beyond the bounds; no more than that is read and held.
        """
        ...

    async def log_records(self, trace_id: str) -> Sequence[LogRecord]:
        """The log records of a trace by time; () if there are none."""
        ...

    async def log_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """A serialized ``LogsData`` with the log records of one trace in order of arrival, as they came.

        Some records of other traces may be among them. Bounded as above.
        """
        ...

    async def revision(self, trace_id: str) -> str:
        """Another text whenever spans or log records of the trace came or went; "" if it is unknown."""
        ...

    async def last_received(self) -> int:
        """When the last request was received, in Unix nanoseconds, as the clock had it then; 0 if none is there."""
        ...

    async def forget(
        self, received_before_unix_nano: int, max_bytes: int, delivered: Mapping[str, int] | None = None
    ) -> Forgotten:
        """Gives up the oldest requests: those received before a time, and what makes the store larger than a size.

        Whole stretches only (an implementation says how long they are), never what came last. Does not wait for, nor
        hold up, what comes in. What was received by a clock that was ahead is as old as the next that was not.

        Args:
            received_before_unix_nano: See above; 0 gives up nothing by age.
            max_bytes: Of the whole store: what lies beside the log counts, though nothing of it is given up here.
            delivered: Up to which position each destination was given what came (`Deliveries.positions`).
        """
        ...


class TelemetrySearch(Protocol):
    """Traces by what their spans say. Reads what a `TelemetryLog` holds; changes nothing."""

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]:
        """Traces that the query describes, by the start of their newest matching span, newest first.

        Of spans that began at one time the one that was stored last is the newest, of one request those in the
        falling order of their trace ids. The search ends when nothing better can come, when its caller is cancelled,
        and when the time is over that the store gives it: the answer is `partial` then, what is in it matches, and was
        the best among what was looked at. It costs no more than reading the stored bytes once, whatever they and the
        query say.
        """
        ...

    async def traces(self, page: PageRequest) -> Page[TraceSummary]:
        """The traces touched last, newest first; those that one request touched last by id.

        What comes in after the first page moves nothing on the pages behind it. Bounded and cancelled as `find`: a page
        that took too long ends where it stands, and its cursor goes on from there.

        Raises:
            InvalidRequest: the cursor is none.
        """
        ...

    async def answering(self, response_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The traces with a span whose ``gen_ai.response.id`` is one of these, by it; nothing where there is none.

        The trace that came last first. Where answers of one id came far apart only the last of them need be found.
        """
        ...

    async def services(self) -> Sequence[str]:
        """The services that spans came from, by name."""
        ...

    async def operations(self, service: str) -> Sequence[Operation]:
        """The operations of a service, by name and kind; of every service if it is empty."""
        ...

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Answer[Dependency]:
        """Which service called which how often, of child spans that began in that time (both ends in it), by names.

        Bounded and cancelled as `find`; a partial answer counts too little.

        A child is counted where its parent is stored near it: an implementation may pass over pairs that came far
        apart (and says how far in its own docstring).
        """
        ...

    async def counts(self) -> TelemetryCounts:
        """How much there is. Where counting distinct traces would take too long, some may count more than once."""
        ...
