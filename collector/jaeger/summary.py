"""A trace in a few numbers, as user interfaces list it."""

from collections import Counter

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from collector.core.times import bounded, end_of

Document = dict[str, object]


def summary_document(data: bytes) -> Document:
    """Jaeger's ``TraceSummary`` (api_v3) as JSON: times in Unix nanoseconds, as texts."""
    spans = [
        (service, span)
        for group in TracesData.FromString(data).resource_spans
        for service in [_service(group.resource.attributes)]
        for scoped in group.scope_spans
        for span in scoped.spans
    ]
    known = {span.span_id for _, span in spans}
    orphans = sum(1 for _, span in spans if span.parent_span_id and span.parent_span_id not in known)
    earliest = min(spans, key=lambda one: (bool(one[1].parent_span_id), one[1].start_time_unix_nano))
    counts, errors = (
        Counter(service for service, _ in spans),
        Counter(service for service, span in spans if _failed(span)),
    )
    return {
        "traceId": spans[0][1].trace_id.hex(),
        "rootServiceName": earliest[0],
        "rootOperationName": earliest[1].name,
        "minStartTimeUnixNano": str(bounded(min(span.start_time_unix_nano for _, span in spans))),
        "maxEndTimeUnixNano": str(max(end_of(span.start_time_unix_nano, span.end_time_unix_nano) for _, span in spans)),
        "spanCount": len(spans),
        "errorSpanCount": errors.total(),
        "orphanSpanCount": orphans,
        "services": [
            {"name": name, "spanCount": counts[name], "errorSpanCount": errors[name]} for name in sorted(counts)
        ],
    }


def _failed(span: Span) -> bool:
    return span.status.code == Status.STATUS_CODE_ERROR


def _service(attributes: object) -> str:
    return next((one.value.string_value for one in attributes if one.key == "service.name"), "")  # type: ignore[attr-defined]
