"""From serialized OTLP export requests to spans and log records (trace.proto, logs.proto, common.proto).

Times are bounded here (`collector.core.times`): 0 ≤ start ≤ end ≤ `LATEST`.
"""

from collections.abc import Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.core.span import Event, LogRecord, Resource, Scope, Span, SpanContext, StatusCode
from collector.core.times import LATEST, bounded, end_of
from collector.otlp.attributes import Links, attributes_of, value_of
from collector.otlp.v1.raw_pb2 import EventParts, SpanParts, TraceParts

_UNSET = (int(StatusCode.UNSET), "")
_make = tuple.__new__

SHORT_BYTES = 2**14
"""A request that is shorter is decoded in place: a change of threads takes longer."""


def spans_of(body: bytes) -> list[Span]:
    """Every span of an ``ExportTraceServiceRequest`` or a ``TracesData``, in its order."""
    links = Links()
    return [
        _span(message, resource, scope, links)
        for group in TraceParts.FromString(body).resource_spans
        for resource in [resource_of(resource_pb2.Resource.FromString(b"".join(group.resource)))]
        for scoped in group.scope_spans
        for scope in [_scope(common_pb2.InstrumentationScope.FromString(b"".join(scoped.scope)))]
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
    return Resource(attributes_of(message.attributes))


def _scope(message: common_pb2.InstrumentationScope) -> Scope:
    return Scope(message.name, message.version, attributes_of(message.attributes))


def _span(message: SpanParts, resource: Resource, scope: Scope, links: Links) -> Span:
    """By position and past the constructor, which takes three times as long."""
    start, end = message.start_time_unix_nano, message.end_time_unix_nano
    if not start <= end <= LATEST:
        start = bounded(start)
        end = end_of(start, end)
    ids = links.ids
    parent = message.parent_span_id
    status = message.status[:]
    events = message.events[:]
    linked = message.links[:]
    return _make(Span, (
        links.context(message.trace_id, message.span_id),
        ids[parent] if parent.strip(b"\0") else None,
        message.name,
        start,
        end,
        message.kind,
        *(_status(status) if status else _UNSET),
        attributes_of(message.attributes),
        tuple([_event(event) for event in events]) if events else (),
        tuple(map(links.read, linked)) if linked else (),
        resource,
        scope,
        message.trace_state,
        message.flags,
        message.dropped_attributes_count,
        message.dropped_events_count,
        message.dropped_links_count,
    ))  # fmt: skip


def parent_of(span_id: bytes) -> str | None:
    """A parent's id; None where there is none, be it written as an all-zero id (W3C Trace Context)."""
    return span_id.hex() if span_id.strip(b"\0") else None


def _status(pieces: Sequence[bytes]) -> tuple[int, str]:
    status = trace_pb2.Status.FromString(b"".join(pieces))
    return status.code, status.message


def _event(message: EventParts) -> Event:
    return Event(
        message.name,
        bounded(message.time_unix_nano),
        attributes_of(message.attributes),
        message.dropped_attributes_count,
    )


def _log_record(message: logs_pb2.LogRecord, resource: Resource, scope: Scope) -> LogRecord:
    trace_id = message.trace_id.hex()
    return LogRecord(
        time_unix_nano=bounded(message.time_unix_nano),
        observed_time_unix_nano=bounded(message.observed_time_unix_nano),
        event_name=message.event_name,
        severity_number=message.severity_number,
        severity_text=message.severity_text,
        body=value_of(message.body),
        attributes=attributes_of(message.attributes),
        context=SpanContext(trace_id, message.span_id.hex()) if trace_id.strip("0") else None,
        resource=resource,
        scope=scope,
        dropped_attributes_count=message.dropped_attributes_count,
        flags=message.flags,
    )
