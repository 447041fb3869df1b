"""What a trace viewer shows of a span and asks for by key and text: one list for the showing and for the searching.

Beside attributes - of the span, its resource, its scope, its events and its links - these are the fields that Jaeger's
format has no place for and writes as tags (OpenTelemetry specification, "Mapping to non-OTLP formats").
"""

from collections.abc import Callable, Iterator, Mapping

from collector.core.span import SPAN_KINDS, AnyValue, Event, Span, StatusCode
from otel_opto import semconv

_STATUSES: Mapping[int, str] = {StatusCode.OK: "OK", StatusCode.ERROR: "ERROR"}

OWN_TAGS: Mapping[str, Callable[[Span], AnyValue]] = {
    "otel.scope.name": lambda span: span.scope.name,
    "otel.scope.version": lambda span: span.scope.version,
    "span.kind": lambda span: SPAN_KINDS.get(span.kind),
    "otel.status_code": lambda span: _STATUSES.get(span.status_code),
    "error": lambda span: span.status_code == StatusCode.ERROR,
    "otel.status_description": lambda span: span.status_message,
    "w3c.tracestate": lambda span: span.trace_state,
    "otel.dropped_attributes_count": lambda span: span.dropped_attributes_count,
    "otel.dropped_events_count": lambda span: span.dropped_events_count,
    "otel.dropped_links_count": lambda span: span.dropped_links_count,
}
"""The value of each; what is empty, zero or false is not shown."""

EVENT_NAME = "event"
"""The field that an event's name becomes."""


def own_tags(span: Span) -> Iterator[tuple[str, AnyValue]]:
    """Those that are shown."""
    return ((key, value) for key, value_of in OWN_TAGS.items() if (value := value_of(span)))


def event_fields(event: Event) -> Iterator[tuple[str, AnyValue]]:
    """What is shown of an event."""
    if event.name:
        yield EVENT_NAME, event.name
    yield from event.attributes.items()


def shown_values(span: Span, key: str) -> Iterator[AnyValue]:
    """Every value that is shown under a key, wherever it stands."""
    if key in OWN_TAGS and (own := OWN_TAGS[key](span)):
        yield own
    if key == semconv.SERVICE_NAME:
        yield span.resource.service
    for attributes in (span.attributes, span.resource.attributes, span.scope.attributes):
        if key in attributes:
            yield attributes[key]
    for event in span.events:
        yield from (value for name, value in event_fields(event) if name == key)
    for link in span.links:
        if key in link.attributes:
            yield link.attributes[key]
