"""From serialized OTLP export requests to spans and log records (trace.proto, logs.proto, common.proto).

Times are bounded here (`collector.core.times`): 0 ≤ start ≤ end ≤ `LATEST`.
"""

from collections.abc import Iterable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.core.span import AnyValue, Attributes, Event, Link, LogRecord, Resource, Scope, Span, SpanContext
from collector.core.times import LATEST, bounded, end_of

SHORT_BYTES = 2**14
"""A request that is shorter is decoded in place: a change of threads takes longer."""


def spans_of(body: bytes) -> list[Span]:
    """Every span of an ``ExportTraceServiceRequest`` or a ``TracesData``, in its order."""
    return [
        _span(message, resource, scope)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans
        for resource in [resource_of(group.resource)]
        for scoped in group.scope_spans
        for scope in [_scope(scoped.scope)]
        for message in scoped.spans
    ]


def log_records_of(body: bytes) -> list[LogRecord]:
    """Every log record of an ``ExportLogsServiceRequest``, in its order."""
    return [
        _log_record(message, resource, scope)
        for group in ExportLogsServiceRequest.FromString(body).resource_logs
        for resource in [resource_of(group.resource)]
        for scoped in group.scope_logs
        for scope in [_scope(scoped.scope)]
        for message in scoped.log_records
    ]


def resource_of(message: resource_pb2.Resource) -> Resource:
    """The resource of a group of spans or log records."""
    return Resource(_attributes(message.attributes))


def _scope(message: common_pb2.InstrumentationScope) -> Scope:
    return Scope(message.name, message.version, _attributes(message.attributes))


def _span(message: trace_pb2.Span, resource: Resource, scope: Scope) -> Span:
    """By position, because names cost half as much again."""
    trace_id = message.trace_id.hex()
    start, end = message.start_time_unix_nano, message.end_time_unix_nano
    if not start <= end <= LATEST:
        start = bounded(start)
        end = end_of(start, end)
    status = message.status
    events = message.events
    links = message.links
    return Span(
        SpanContext(trace_id, message.span_id.hex()),
        parent_of(message.parent_span_id),
        message.name,
        start,
        end,
        message.kind,
        status.code,
        status.message,
        _attributes(message.attributes),
        tuple([_event(event) for event in events]) if events else (),
        tuple([_link(link) for link in links]) if links else (),
        resource,
        scope,
        message.trace_state,
        message.flags,
        message.dropped_attributes_count,
        message.dropped_events_count,
        message.dropped_links_count,
    )


def parent_of(span_id: bytes) -> str | None:
    """A parent's id; None where there is none, be it written as an all-zero id (W3C Trace Context)."""
    return span_id.hex() if span_id.strip(b"\0") else None


def _event(message: trace_pb2.Span.Event) -> Event:
    return Event(
        message.name, bounded(message.time_unix_nano), _attributes(message.attributes), message.dropped_attributes_count
    )


def _link(message: trace_pb2.Span.Link) -> Link:
    context = SpanContext(message.trace_id.hex(), message.span_id.hex())
    return Link(context, _attributes(message.attributes), message.dropped_attributes_count)


def _log_record(message: logs_pb2.LogRecord, resource: Resource, scope: Scope) -> LogRecord:
    trace_id = message.trace_id.hex()
    return LogRecord(
        time_unix_nano=bounded(message.time_unix_nano),
        observed_time_unix_nano=bounded(message.observed_time_unix_nano),
        event_name=message.event_name,
        severity_number=message.severity_number,
        severity_text=message.severity_text,
        body=value_of(message.body),
        attributes=_attributes(message.attributes),
        context=SpanContext(trace_id, message.span_id.hex()) if trace_id.strip("0") else None,
        resource=resource,
        scope=scope,
        dropped_attributes_count=message.dropped_attributes_count,
        flags=message.flags,
    )


def _attributes(messages: Iterable[common_pb2.KeyValue]) -> Attributes:
    """By key; of several with one key the last counts, as in a protobuf map.

    A text that is not empty is known by itself; of other values the kind has to be asked for, which costs more.
    """
    return {message.key: (value := message.value).string_value or value_of(value) for message in messages}


def value_of(message: common_pb2.AnyValue) -> AnyValue:
    """An attribute's value; None for one of no kind. Protobuf nests at most 100 messages, so the recursion ends."""
    kind = message.WhichOneof("value")
    if kind == "string_value":
        return message.string_value
    if kind == "array_value":
        return [value_of(item) for item in message.array_value.values]
    if kind == "kvlist_value":
        return _attributes(message.kvlist_value.values)
    return None if kind is None else _plain(message, kind)


def _plain(message: common_pb2.AnyValue, kind: str) -> AnyValue:
    value: AnyValue = getattr(message, kind)
    return value
