"""A trace in a few numbers, as user interfaces list it."""

import base64
from collections import Counter

from google.protobuf.json_format import ParseDict

from collector.core.identity.roots import family_of
from collector.core.identity.sides import told_apart
from collector.core.span import Span, StatusCode
from collector.jaeger.v2.trace_storage_pb2 import TraceSummary
from collector.otlp.decode import spans_of

Document = dict[str, object]


def summary_message(data: bytes) -> TraceSummary:
    """The same as a message of the remote storage API; its ids are bytes."""
    document = summary_document(data)
    trace_id = bytes.fromhex(str(document["traceId"]))
    document["traceId"] = base64.b64encode(trace_id).decode()
    message: TraceSummary = ParseDict(document, TraceSummary())
    return message


def summary_document(data: bytes) -> Document:
    """Jaeger's ``TraceSummary`` (api_v3) as JSON: times in Unix nanoseconds, as texts.

    Args:
        data: A serialized ``TracesData`` of one trace, not empty.
    """
    family = family_of(told_apart(spans_of(data)).spans)
    root, spans = family.root(), list(family.spans.values())
    assert root is not None  # a trace that is there has a span
    counts, errors = Counter(map(_service, spans)), Counter(map(_service, filter(_failed, spans)))
    return {
        "traceId": root.context.trace_id,
        "rootServiceName": _service(root),
        "rootOperationName": root.name,
        "minStartTimeUnixNano": str(min(span.start_time_unix_nano for span in spans)),
        "maxEndTimeUnixNano": str(max(span.end_time_unix_nano for span in spans)),
        "spanCount": len(spans),
        "errorSpanCount": errors.total(),
        "orphanSpanCount": sum(map(family.lost_parent, family.tops)),
        "services": [
            {"name": name, "spanCount": counts[name], "errorSpanCount": errors[name]} for name in sorted(counts)
        ],
    }


def _service(span: Span) -> str:
    return span.resource.service


def _failed(span: Span) -> bool:
    return span.status_code == StatusCode.ERROR
