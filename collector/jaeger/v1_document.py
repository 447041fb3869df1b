"""Traces in the JSON of Jaeger's query API version 1, the one that Grafana and older user interfaces read."""

import base64
import math

from collector.core.identity.roots import Family, family_of
from collector.core.identity.sides import told_apart
from collector.core.span import AnyValue, Resource, Span
from collector.jaeger.untangled import parent_shown
from collector.otlp.decode import spans_of
from collector.otlp.tags import event_fields, own_tags
from collector.otlp.text import text_of
from otel_opto import semconv

Document = dict[str, object]
_EXACT = 2**53
"""Whole numbers beyond it do not survive JavaScript; they go as texts."""


def trace_document(data: bytes) -> Document:
    """One trace, its spans by their start. Parents become CHILD_OF, links FOLLOWS_FROM: the attributes of links have no
    place in this format.
    """
    family = family_of(told_apart(spans_of(data)).spans)
    processes: dict[str, Document] = {}
    by_content: dict[str, str] = {}
    spans = []
    for span in family.spans.values():
        process = by_content.setdefault(repr(span.resource.attributes), f"p{len(by_content) + 1}")
        processes.setdefault(process, _process(span.resource))
        spans.append(_span(family, span, process))
    trace_id = spans[0]["traceID"] if spans else ""
    return {"traceID": trace_id, "spans": spans, "processes": processes, "warnings": None}


def _process(resource: Resource) -> Document:
    tags = [_tag(key, value) for key, value in resource.attributes.items() if key != semconv.SERVICE_NAME]
    return {"serviceName": resource.service, "tags": tags}


def _span(family: Family, span: Span, process: str) -> Document:
    trace_id, span_id = span.context
    parent = parent_shown(family, span_id)
    references = [_reference("CHILD_OF", trace_id, parent)] if parent else []
    references += [_reference("FOLLOWS_FROM", *link.context) for link in span.links]
    return {
        "traceID": trace_id,
        "spanID": span_id,
        "flags": span.flags & 0xFF,
        "operationName": span.name,
        "references": references,
        "startTime": span.start_time_unix_nano // 1_000,
        "duration": (span.end_time_unix_nano - span.start_time_unix_nano) // 1_000,
        "tags": [_tag(key, value) for key, value in (*span.attributes.items(), *own_tags(span))],
        "logs": [
            {
                "timestamp": event.time_unix_nano // 1_000,
                "fields": [_tag(key, value) for key, value in event_fields(event)],
            }
            for event in span.events
        ],
        "processID": process,
        "warnings": None,
    }


def _reference(kind: str, trace_id: str, span_id: str) -> Document:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


def _tag(key: str, value: AnyValue) -> Document:
    if isinstance(value, bool):
        return {"key": key, "type": "bool", "value": value}
    if isinstance(value, int):
        return {"key": key, "type": "int64", "value": value if abs(value) <= _EXACT else str(value)}
    if isinstance(value, float) and math.isfinite(value):
        return {"key": key, "type": "float64", "value": value}
    if isinstance(value, bytes):
        return {"key": key, "type": "binary", "value": base64.b64encode(value).decode()}
    return {"key": key, "type": "string", "value": text_of(value)}
