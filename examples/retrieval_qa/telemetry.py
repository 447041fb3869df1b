"""The official OpenTelemetry SDK and OTLP exporters, and otel_opto on top."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import otel_opto

SERVICE = "retrieval-qa"
_DELAY_MILLIS = 200
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Both providers."""

    traces: TracerProvider
    logs: LoggerProvider

    def shut_down(self, deadline_seconds: float = 5.0) -> bool:
        """Sends what is queued and closes. Returns False, and says so, if the deadline came first."""
        closing = threading.Thread(target=self._close, daemon=True)
        closing.start()
        closing.join(deadline_seconds)
        if closing.is_alive():
            _LOG.warning("telemetry that could not be sent in %g s is lost; is the collector up?", deadline_seconds)
        return not closing.is_alive()

    def _close(self) -> None:
        otel_opto.shutdown()
        self.traces.shutdown()
        self.logs.shutdown()


def set_up(endpoint: str, cache_directory: Path | None) -> Telemetry:
    """Spans and log events to an OTLP/gRPC endpoint; releases from the same."""
    resource = Resource.create({"service.name": SERVICE})
    insecure = not endpoint.startswith("https://")
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    spans = OTLPSpanExporter(endpoint=endpoint, insecure=insecure)
    traces.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=_DELAY_MILLIS))
    logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
    records = OTLPLogExporter(endpoint=endpoint, insecure=insecure)
    logs.add_log_record_processor(BatchLogRecordProcessor(records, schedule_delay_millis=_DELAY_MILLIS))
    otel_opto.configure(
        service_name=SERVICE,
        endpoint=endpoint,
        cache_dir=cache_directory,
        tracer_provider=traces,
        logger_provider=logs,
        wait_seconds=1.0,
    )
    return Telemetry(traces, logs)
