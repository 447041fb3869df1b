"""OTLP/JSON of traces: hexadecimal ids, numbers for enums, 64-bit integers as texts, times within their bounds.

Made by hand: it is read often.
"""

import base64
import math
from collections.abc import Iterable

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from collector.core.times import bounded, end_of

Document = dict[str, object]


def resource_spans(data: bytes) -> list[Document]:
    """The ``resourceSpans`` of a serialized ``TracesData``. Default values are left out, as in proto3."""
    return [_group(group) for group in TracesData.FromString(data).resource_spans]


def _group(group: ResourceSpans) -> Document:
    document: Document = {
        "resource": _with_attributes({}, group.resource.attributes, group.resource.dropped_attributes_count),
        "scopeSpans": [
            _filled(
                {
                    "scope": _with_attributes(
                        _filled({"name": scoped.scope.name, "version": scoped.scope.version}),
                        scoped.scope.attributes,
                        scoped.scope.dropped_attributes_count,
                    ),
                    "spans": [_span(span) for span in scoped.spans],
                    "schemaUrl": scoped.schema_url,
                }
            )
            for scoped in group.scope_spans
        ],
        "schemaUrl": group.schema_url,
    }
    return _filled(document)


def _span(span: Span) -> Document:
    document = _filled(
        {
            "traceId": span.trace_id.hex(),
            "spanId": span.span_id.hex(),
            "traceState": span.trace_state,
            "parentSpanId": span.parent_span_id.hex(),
            "flags": span.flags,
            "name": span.name,
            "kind": span.kind,
            "droppedEventsCount": span.dropped_events_count,
            "droppedLinksCount": span.dropped_links_count,
        }
    )
    document["startTimeUnixNano"] = str(bounded(span.start_time_unix_nano))
    document["endTimeUnixNano"] = str(end_of(span.start_time_unix_nano, span.end_time_unix_nano))
    _with_attributes(document, span.attributes, span.dropped_attributes_count)
    if span.events:
        document["events"] = [
            _with_attributes(
                _filled({"timeUnixNano": str(bounded(event.time_unix_nano)), "name": event.name}),
                event.attributes,
                event.dropped_attributes_count,
            )
            for event in span.events
        ]
    if span.links:
        document["links"] = [
            _with_attributes(
                _filled(
                    {
                        "traceId": link.trace_id.hex(),
                        "spanId": link.span_id.hex(),
                        "traceState": link.trace_state,
                        "flags": link.flags,
                    }
                ),
                link.attributes,
                link.dropped_attributes_count,
            )
            for link in span.links
        ]
    document["status"] = _filled({"message": span.status.message, "code": span.status.code})
    return document


def _filled(document: Document) -> Document:
    return {key: value for key, value in document.items() if value or isinstance(value, list)}


def _with_attributes(document: Document, attributes: Iterable[KeyValue], dropped: int) -> Document:
    written = [{"key": one.key, "value": _value(one.value)} for one in attributes]
    if written:
        document["attributes"] = written
    if dropped:
        document["droppedAttributesCount"] = dropped
    return document


def _value(value: AnyValue) -> Document:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return {"stringValue": value.string_value}
    if kind == "int_value":
        return {"intValue": str(value.int_value)}
    if kind == "bool_value":
        return {"boolValue": value.bool_value}
    if kind == "double_value":
        return {"doubleValue": value.double_value if math.isfinite(value.double_value) else _named(value.double_value)}
    if kind == "bytes_value":
        return {"bytesValue": base64.b64encode(value.bytes_value).decode()}
    if kind == "array_value":
        return {"arrayValue": {"values": [_value(item) for item in value.array_value.values]}}
    if kind == "kvlist_value":
        written = [{"key": one.key, "value": _value(one.value)} for one in value.kvlist_value.values]
        return {"kvlistValue": {"values": written}}
    return {}


def _named(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"
