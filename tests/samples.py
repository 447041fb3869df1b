"""OTLP requests for tests, built with the official messages."""

from collections.abc import Mapping, Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def any_value(value: object) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list | tuple):
        return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    return AnyValue(string_value=str(value))


def attributes(values: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def trace_id(number: int) -> str:
    return f"{number:032x}"


def span_id(number: int) -> str:
    return f"{number:016x}"


def span(
    trace: int,
    number: int,
    parent: int | None = None,
    name: str = "step",
    *,
    values: Mapping[str, object] | None = None,
    links: Sequence[tuple[int, str]] = (),
    error: str = "",
    start: int = 0,
    duration: int = SECOND,
) -> Span:
    """A span whose ids are small numbers. `links`: (span number in the same trace, argument name)."""
    message = Span(
        trace_id=bytes.fromhex(trace_id(trace)),
        span_id=bytes.fromhex(span_id(number)),
        parent_span_id=bytes.fromhex(span_id(parent)) if parent is not None else b"",
        name=name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=START + start,
        end_time_unix_nano=START + start + duration,
        attributes=attributes(values or {}),
    )
    for linked, argument in links:
        message.links.add(
            trace_id=message.trace_id,
            span_id=bytes.fromhex(span_id(linked)),
            attributes=attributes({"opto.arg": argument}),
        )
    if error:
        message.status.code = 2
        message.status.message = error
        message.events.add(
            name="exception",
            time_unix_nano=START + start + duration,
            attributes=attributes({"exception.type": "ValueError", "exception.message": error}),
        )
    return message


def traces_request(spans: Sequence[Span], service: str = "shop") -> bytes:
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource={"attributes": attributes({"service.name": service})},
                scope_spans=[ScopeSpans(scope={"name": "tests"}, spans=spans)],
            )
        ]
    ).SerializeToString()


def evaluation(
    trace: int,
    number: int,
    score: float | None = 0.5,
    text: str = "",
    *,
    name: str = "quality",
    values: Mapping[str, object] | None = None,
    time: int = 0,
) -> LogRecord:
    carried: dict[str, object] = {"gen_ai.evaluation.name": name}
    if score is not None:
        carried["gen_ai.evaluation.score.value"] = score
    if text:
        carried["gen_ai.evaluation.explanation"] = text
    return LogRecord(
        time_unix_nano=START + time,
        trace_id=bytes.fromhex(trace_id(trace)),
        span_id=bytes.fromhex(span_id(number)),
        event_name="gen_ai.evaluation.result",
        attributes=attributes({**carried, **(values or {})}),
    )


def logs_request(records: Sequence[LogRecord], service: str = "shop") -> bytes:
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource={"attributes": attributes({"service.name": service})},
                scope_logs=[ScopeLogs(log_records=records)],
            )
        ]
    ).SerializeToString()
