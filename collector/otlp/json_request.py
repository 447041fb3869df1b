"""OTLP/JSON: proto3 JSON, except that ids are hexadecimal (OTLP specification, "JSON Protobuf Encoding")."""

import base64
import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.core.errors import InvalidRequest
from collector.core.telemetry import Signal

_ID_KEYS = ("traceId", "spanId", "parentSpanId")
_MESSAGES: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """The serialized protobuf request that an OTLP/JSON body stands for. Unknown fields are ignored, as OTLP says.

    Raises:
        InvalidRequest: it is no JSON, or no export request of that signal.
    """
    try:
        document = json.loads(body)
        _ids_to_base64(document)
        message = json_format.ParseDict(document, _MESSAGES[signal](), ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, RecursionError, AttributeError, TypeError) as error:
        raise InvalidRequest(f"the body ({len(body)} bytes) is no OTLP/JSON {signal.value} request: {error}") from None
    return message.SerializeToString()


def _ids_to_base64(document: object) -> None:
    """Rewrites ids where OTLP has them: on spans, links and log records. Attributes are left alone."""
    if not isinstance(document, dict):
        raise TypeError(f"found {type(document).__name__}, allowed is an object")
    for group in _objects(document, "resourceSpans"):
        for scoped in _objects(group, "scopeSpans"):
            for span in _objects(scoped, "spans"):
                _rewrite(span)
                for link in _objects(span, "links"):
                    _rewrite(link)
    for group in _objects(document, "resourceLogs"):
        for scoped in _objects(group, "scopeLogs"):
            for record in _objects(scoped, "logRecords"):
                _rewrite(record)


def _objects(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [item for item in document.get(key) or () if isinstance(item, dict)]


def _rewrite(item: dict[str, Any]) -> None:
    for key in _ID_KEYS:
        if isinstance(item.get(key), str):
            item[key] = base64.b64encode(_id(item[key])).decode()


def _id(text: str) -> bytes:
    """What is no hexadecimal becomes an id of one byte: the item is refused for its length, and it alone."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b"\x00"
