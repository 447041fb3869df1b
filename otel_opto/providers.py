"""An OpenTelemetry SDK for an application that has set up none: spans and log events to the collector."""

from opentelemetry import _logs, trace
from opentelemetry._logs import _internal
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_opto.process.exporters import Exporter


def set_up(resource: Resource, spans: Exporter, logs: Exporter) -> tuple[TracerProvider, LoggerProvider | None]:
    """Makes both providers global and returns them; None for logs where there is one. They flush when the process ends.

    The application may still set its own, before or after: OpenTelemetry takes one provider in a process, and ours must
    not be what keeps out that one. So they stand where the global ones do without having been set.
    """
    tracer_provider = TracerProvider(resource=resource)
    tracer_provider.add_span_processor(BatchSpanProcessor(spans))  # type: ignore[arg-type] # an exporter in all it does
    if getattr(trace, "_TRACER_PROVIDER", trace) is None:
        trace._TRACER_PROVIDER = tracer_provider  # noqa: SLF001 - see above
    else:
        trace.set_tracer_provider(tracer_provider)
    logger_provider = None
    if isinstance(_logs.get_logger_provider(), _internal.ProxyLoggerProvider):
        logger_provider = LoggerProvider(resource=resource)
        logger_provider.add_log_record_processor(BatchLogRecordProcessor(logs))  # type: ignore[arg-type] # likewise
        if getattr(_internal, "_LOGGER_PROVIDER", _internal) is None:
            _internal._LOGGER_PROVIDER = logger_provider  # noqa: SLF001 - see above
        else:
            _logs.set_logger_provider(logger_provider)
    return tracer_provider, logger_provider
