"""Traces in the JSON of Jaeger's query API version 1, the one that Grafana and older user interfaces read."""

import base64
import math
from collections.abc import Iterable, Sequence

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status, TracesData

from collector.core.span import SPAN_KINDS
from collector.core.times import bounded, end_of
from collector.otlp.decode import value_of
from collector.otlp.text import text_of

Document = dict[str, object]
_EXACT = 2**53
"""Whole numbers beyond it do not survive JavaScript; they go as texts."""


def trace_document(data: bytes) -> Document:
    """One trace. Parents become CHILD_OF, links FOLLOWS_FROM: their attributes have no place in this format."""
    traces = TracesData.FromString(data)
    processes: dict[str, Document] = {}
    by_content: dict[bytes, str] = {}
    spans = []
    for group in traces.resource_spans:
        content = group.resource.SerializeToString(deterministic=True)
        process = by_content.setdefault(content, f"p{len(by_content) + 1}")
        processes.setdefault(process, _process(group))
        for scoped in group.scope_spans:
            scope = _scope_tags(scoped.scope.name, scoped.scope.version)
            spans += [_span(span, process, scope) for span in scoped.spans]
    trace_id = spans[0]["traceID"] if spans else ""
    return {"traceID": trace_id, "spans": spans, "processes": processes, "warnings": None}


def _process(group: ResourceSpans) -> Document:
    attributes = group.resource.attributes
    service = next((one.value.string_value for one in attributes if one.key == "service.name"), "")
    return {"serviceName": service, "tags": [_tag(one) for one in attributes if one.key != "service.name"]}


def _span(span: Span, process: str, scope: Sequence[Document]) -> Document:
    trace_id, parent = span.trace_id.hex(), span.parent_span_id.hex()
    start = bounded(span.start_time_unix_nano)
    references = [_reference("CHILD_OF", trace_id, parent)] if parent else []
    references += [_reference("FOLLOWS_FROM", link.trace_id.hex(), link.span_id.hex()) for link in span.links]
    tags = [_tag(one) for one in span.attributes]
    tags += [*scope, *_own_tags(span)]
    return {
        "traceID": trace_id,
        "spanID": span.span_id.hex(),
        "flags": span.flags & 0xFF,
        "operationName": span.name,
        "references": references,
        "startTime": start // 1_000,
        "duration": (end_of(start, span.end_time_unix_nano) - start) // 1_000,
        "tags": tags,
        "logs": [
            {
                "timestamp": bounded(event.time_unix_nano) // 1_000,
                "fields": [*([_text_tag("event", event.name)] if event.name else []), *map(_tag, event.attributes)],
            }
            for event in span.events
        ],
        "processID": process,
        "warnings": None,
    }


def _reference(kind: str, trace_id: str, span_id: str) -> Document:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


def _own_tags(span: Span) -> Iterable[Document]:
    """What a span is, where this format has tags only."""
    if span.kind in SPAN_KINDS:
        yield _text_tag("span.kind", SPAN_KINDS[span.kind])
    if span.status.code == Status.STATUS_CODE_ERROR:
        yield _text_tag("otel.status_code", "ERROR")
        yield {"key": "error", "type": "bool", "value": True}
    elif span.status.code == Status.STATUS_CODE_OK:
        yield _text_tag("otel.status_code", "OK")
    if span.status.message:
        yield _text_tag("otel.status_description", span.status.message)
    if span.trace_state:
        yield _text_tag("w3c.tracestate", span.trace_state)


def _scope_tags(name: str, version: str) -> list[Document]:
    tags = [_text_tag("otel.scope.name", name)] if name else []
    return tags + ([_text_tag("otel.scope.version", version)] if version else [])


def _text_tag(key: str, text: str) -> Document:
    return {"key": key, "type": "string", "value": text}


def _tag(attribute: KeyValue) -> Document:
    value = attribute.value
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return {"key": attribute.key, "type": "string", "value": value.string_value}
    if kind == "int_value":
        number: object = value.int_value if abs(value.int_value) <= _EXACT else str(value.int_value)
        return {"key": attribute.key, "type": "int64", "value": number}
    if kind == "bool_value":
        return {"key": attribute.key, "type": "bool", "value": value.bool_value}
    if kind == "double_value" and math.isfinite(value.double_value):
        return {"key": attribute.key, "type": "float64", "value": value.double_value}
    if kind == "bytes_value":
        return {"key": attribute.key, "type": "binary", "value": base64.b64encode(value.bytes_value).decode()}
    return {"key": attribute.key, "type": "string", "value": text_of(value_of(value))}
