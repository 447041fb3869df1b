"""What the receiver hands to the store, and what the store says of what it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar, overload

from collector.core.errors import TooLarge
from collector.core.times import LATEST

MAX_HOPS = 16
"""A request that has passed through more collectors than this is going in a circle."""


class Signal(Enum):
    """The OTLP signals that are kept. Metrics are counted and let go."""

    TRACES = "traces"
    LOGS = "logs"


class Encoding(Enum):
    """How an export request is written."""

    PROTOBUF = "protobuf"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Operation:
    """A name under which a service does something, with OTLP's number of the span kind."""

    service: str
    name: str
    kind: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a request of spans: enough for a search to pass over it.

    Attributes:
        operations: Of its spans.
        earliest_start: Of its spans, in Unix nanoseconds, as is the next.
        latest_start: See there.
        shortest: Duration of its spans, in nanoseconds, as is the next.
        longest: See there.
    """

    operations: frozenset[Operation] = frozenset()
    earliest_start: int = 0
    latest_start: int = 0
    shortest: int = 0
    longest: int = 0


@dataclass(frozen=True, slots=True)
class OtlpRequest:
    """One accepted export request, its bytes as they came (rejected items, if there were any, cut out).

    Attributes:
        signal: What the body is an export request of.
        body: A serialized ``ExportTraceServiceRequest`` or ``ExportLogsServiceRequest``.
        trace_ids: The traces that it touches, 16 bytes each. Log records without a trace have none.
        items: Spans or log records in the body.
        received_unix_nano: When it came.
        contents: Of spans; nothing for logs.
        hops: The instances that forwarded it, the first first.
    """

    signal: Signal
    body: bytes
    trace_ids: frozenset[bytes]
    items: int
    received_unix_nano: int
    contents: Contents = Contents()
    hops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it is read back in the order of its coming.

    Attributes:
        position: Where it stands; what comes later stands higher. The store's own measure.
        lost_bytes: What stands between the request before it and this one and cannot be read any more.
        lost_items: Spans and log records in these bytes, as far as is known.
    """

    position: int
    signal: Signal
    body: bytes
    items: int
    hops: tuple[str, ...]
    lost_bytes: int = 0
    lost_items: int = 0


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What a search looks for: traces with one span that meets every condition.

    Attributes:
        service: Of the span's resource; any if empty.
        operation: The span's exact name; any if empty.
        attributes: Key to the value's text, on the span, its resource, its scope, its events or its links. Further
            keys: ``error`` (true, false), ``span.kind``, ``span.status``, ``scope.name``, ``scope.version``, and the
            prefix ``resource.`` for the resource alone.
        start_min_unix_nano: The span begins then or later.
        start_max_unix_nano: The span begins then or earlier.
        duration_min_nano: The span takes that long or longer.
        duration_max_nano: The span takes that long or shorter; None means any.
        limit: How many traces at most.
    """

    service: str = ""
    operation: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    start_min_unix_nano: int = 0
    start_max_unix_nano: int = LATEST
    duration_min_nano: int = 0
    duration_max_nano: int | None = None
    limit: int = 100


_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Answer(Sequence[_Item]):
    """A sequence of what was found in the time that there was.

    Attributes:
        items: In the order that was asked for.
        partial: Why not everything was looked at, in words for people; empty where everything was.
    """

    items: tuple[_Item, ...]
    partial: str = ""

    @overload
    def __getitem__(self, index: int) -> _Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_Item]: ...
    def __getitem__(self, index: int | slice) -> _Item | Sequence[_Item]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class TraceBounds:
    """How much of one trace is read as a whole; what is larger is refused, in words that name `key`.

    Attributes:
        spans: Or log records.
        bytes: Of these.
        key: Of the configuration: ``<key>.max_spans`` and ``<key>.max_bytes`` change it.
    """

    spans: int
    bytes: int
    key: str

    def check(self, trace_id: str, items: str, count: int, size_bytes: int) -> None:
        """Passes what is within them.

        Args:
            trace_id: Whose it is.
            items: What it consists of, in words.
            count: Of these.
            size_bytes: Of all of them.

        Raises:
            TooLarge: it goes beyond them.
        """
        if count > self.spans:
            found, allowed = f"{self.spans:,} {items}", f"{self.key}.max_spans"
        elif size_bytes > self.bytes:
            found, allowed = f"{self.bytes:,} bytes of {items}", f"{self.key}.max_bytes"
        else:
            return
        said = f"found more than {found}, the most that {allowed} allows, and read no further"
        raise TooLarge(f"trace {trace_id} is too large: {said}")


@dataclass(frozen=True, slots=True)
class FoundTrace:
    """A trace that a search found. `start_unix_nano`: when its newest span that meets the conditions began."""

    trace_id: str
    start_unix_nano: int


@dataclass(frozen=True, slots=True)
class Dependency:
    """How many spans of a service are children of spans of another, or of the same one."""

    parent: str
    child: str
    call_count: int


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of a list of traces."""

    trace_id: str
    root_name: str
    services: tuple[str, ...]
    start_time_unix_nano: int
    end_time_unix_nano: int
    span_count: int
    error_count: int


@dataclass(frozen=True, slots=True)
class TelemetryCounts:
    """How much telemetry the store holds."""

    spans: int
    traces: int
    log_records: int


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much the store holds."""

    spans: int
    traces: int
    log_records: int
    bytes: int
    feedback: Mapping[str, int]
    """By state: waiting, attached, expired."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a retention limit made the store give up.

    Attributes:
        spans: Spans that are gone.
        log_records: Log records that are gone.
        undelivered: By destination, the items among them that had not been forwarded to it yet.
    """

    spans: int = 0
    log_records: int = 0
    undelivered: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of an export request that was read.

    Attributes:
        accepted: Spans or log records that are durable now.
        rejected: Items that were refused one by one (OTLP's partial success).
        message: Why they were refused, or what of those that were kept is not as it came; empty if there is none.
    """

    accepted: int
    rejected: int = 0
    message: str = ""
