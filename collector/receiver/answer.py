"""What a receiver answers to a request that was kept."""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from collector.core.telemetry import IngestResult, Signal


def success(signal: Signal, result: IngestResult) -> bytes:
    """The serialized response; ``partial_success`` is unset where everything was kept as it came, as OTLP demands.

    A request of which nothing was rejected, but something repaired, has it with 0 rejected: OTLP's way to warn.
    """
    if not result.rejected and not result.message:
        return b""
    if signal is Signal.TRACES:
        spans = ExportTracePartialSuccess(rejected_spans=result.rejected, error_message=result.message)
        return ExportTraceServiceResponse(partial_success=spans).SerializeToString()
    records = ExportLogsPartialSuccess(rejected_log_records=result.rejected, error_message=result.message)
    return ExportLogsServiceResponse(partial_success=records).SerializeToString()
