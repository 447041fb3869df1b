"""What the receiver hands to the store, and what the store says of what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Signal(Enum):
    """The OTLP signals that are kept. Metrics are counted and let go."""

    TRACES = "traces"
    LOGS = "logs"


@dataclass(frozen=True, slots=True)
class OtlpRequest:
    """One accepted export request, its bytes as they came (rejected items, if there were any, cut out).

    Attributes:
        signal: What the body is an export request of.
        body: A serialized ``ExportTraceServiceRequest`` or ``ExportLogsServiceRequest``.
        trace_ids: The traces that it touches, 32 hex digits each. Log records without a trace have none.
        items: Spans or log records in the body.
        received_unix_nano: When it came.
    """

    signal: Signal
    body: bytes
    trace_ids: frozenset[str]
    items: int
    received_unix_nano: int


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
class StoreCounts:
    """How much the store holds."""

    spans: int
    traces: int
    log_records: int
    bytes: int
    feedback: Mapping[str, int]
    """By state: waiting, attached, expired."""


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of an export request that was read.

    Attributes:
        accepted: Spans or log records that are durable now.
        rejected: Items that were refused one by one (OTLP's partial success).
        message: Why they were refused; empty if none was.
    """

    accepted: int
    rejected: int = 0
    message: str = ""
