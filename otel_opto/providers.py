"""An OpenTelemetry SDK for an application that has set up none: spans and log events to the collector over gRPC."""

from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_opto import semconv


def set_up(service: str, instance_id: str, endpoint: str) -> TracerProvider:
    """Makes both providers global and returns the one for traces. They flush when the process ends."""
    resource = Resource.create({semconv.SERVICE_NAME: service, semconv.SERVICE_INSTANCE_ID: instance_id})
    insecure = not endpoint.startswith("https://")
    tracer_provider = TracerProvider(resource=resource)
    tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=insecure)))
    trace.set_tracer_provider(tracer_provider)
    logger_provider = LoggerProvider(resource=resource)
    logger_provider.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(endpoint=endpoint, insecure=insecure))
    )
    _logs.set_logger_provider(logger_provider)
    return tracer_provider
