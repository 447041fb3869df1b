"""OTLP's nouns, as in trace.proto and logs.proto. Times are Unix nanoseconds, ids lower-case hexadecimal.

What a trace has by the thousand is a named tuple: a frozen dataclass takes five times as long to make.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from collector.core.identity.services import service_of

AnyValue: TypeAlias = "str | bool | int | float | bytes | Sequence[AnyValue] | Mapping[str, AnyValue] | None"
Attributes: TypeAlias = Mapping[str, AnyValue]

NO_ATTRIBUTES: Final[Attributes] = MappingProxyType({})


class StatusCode(IntEnum):
    """The three states of a span's status, numbered as in trace.proto."""

    UNSET = 0
    OK = 1
    ERROR = 2


SPAN_KINDS: Mapping[int, str] = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
"""The span kinds of trace.proto by their numbers, as viewers write them; 0 is unspecified."""


class SpanContext(NamedTuple):
    """Names one span: 32 and 16 hex digits."""

    trace_id: str
    span_id: str


class Event(NamedTuple):
    """Something that happened at one moment of a span."""

    name: str
    time_unix_nano: int
    attributes: Attributes = NO_ATTRIBUTES
    dropped_attributes_count: int = 0


class Link(NamedTuple):
    """A reference to another span, of this trace or of another one."""

    context: SpanContext
    attributes: Attributes = NO_ATTRIBUTES
    dropped_attributes_count: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """What produced the telemetry."""

    attributes: Attributes = field(default_factory=dict)

    @property
    def service(self) -> str:
        """See `service_of`."""
        return service_of(self.attributes.get("service.name"))


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation that produced the telemetry."""

    name: str = ""
    version: str = ""
    attributes: Attributes = field(default_factory=dict)


class Span(NamedTuple):
    """One operation of a trace. Kinds and flags keep their numbers, unknown ones included."""

    context: SpanContext
    parent_span_id: str | None
    name: str
    start_time_unix_nano: int
    end_time_unix_nano: int
    kind: int = 0
    status_code: int = StatusCode.UNSET
    status_message: str = ""
    attributes: Attributes = NO_ATTRIBUTES
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    resource: Resource = Resource()
    scope: Scope = Scope()
    trace_state: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0
    dropped_events_count: int = 0
    dropped_links_count: int = 0


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A log record; with an `event_name` it is an event. `context` is set where it belongs to a span."""

    time_unix_nano: int
    observed_time_unix_nano: int = 0
    event_name: str = ""
    severity_number: int = 0
    severity_text: str = ""
    body: AnyValue = None
    attributes: Attributes = field(default_factory=dict)
    context: SpanContext | None = None
    resource: Resource = Resource()
    scope: Scope = Scope()
    dropped_attributes_count: int = 0
    flags: int = 0
