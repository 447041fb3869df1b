"""A small application for tests: the official SDK and exporters, and our SDK, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as OTLPHttpLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OTLPHttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

import otel_opto
from tests.integration.running import RunningCollector

SERVICE = "shop"
BEST = 0.7


@dataclass(frozen=True, slots=True)
class Shop:
    """Guesses a price; the nearer to `BEST`, the better."""

    tracer_provider: TracerProvider
    logger_provider: LoggerProvider
    guess: otel_opto.Parameter[float]
    rounding: otel_opto.Parameter[str]

    def ask(self, question: str = "how much?") -> tuple[str, float, int | None]:
        """One traced and judged call: trace id, score, release."""

        @otel_opto.node
        def estimate(text: str) -> dict[str, object]:
            return {"question": text, "guess": self.guess.value}

        @otel_opto.node
        def present(estimated: dict[str, object]) -> str:
            return f"{estimated['guess']} ({self.rounding.value})"

        tracer = self.tracer_provider.get_tracer("tests")
        with tracer.start_as_current_span("ask") as span:
            present(estimate(question))
            guessed = self.guess.resolve()
            score = 1.0 - abs(guessed.value - BEST)
            otel_opto.feedback(
                score=score, text=f"the guess {guessed.value} is off", name="quality", source="evaluator"
            )
        return f"{span.get_span_context().trace_id:032x}", score, guessed.release

    def flush(self) -> None:
        """Sends everything; the official exporters raise nothing, so the store is looked at afterwards."""
        assert self.tracer_provider.force_flush(10_000)
        assert self.logger_provider.force_flush(10_000)


@contextmanager
def shop(collector: RunningCollector, cache: Path, protocol: str = "grpc") -> Iterator[Shop]:
    """The application connected to a collector."""
    resource = Resource.create({"service.name": SERVICE})
    tracer_provider, logger_provider = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    spans: SpanExporter
    logs: LogRecordExporter
    if protocol == "grpc":
        spans = OTLPSpanExporter(endpoint=collector.grpc, insecure=True)
        logs = OTLPLogExporter(endpoint=collector.grpc, insecure=True)
    else:
        spans = OTLPHttpSpanExporter(endpoint=f"{collector.http}/v1/traces")
        logs = OTLPHttpLogExporter(endpoint=f"{collector.http}/v1/logs")
    tracer_provider.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=50))
    logger_provider.add_log_record_processor(BatchLogRecordProcessor(logs, schedule_delay_millis=50))
    otel_opto.configure(
        service_name=SERVICE,
        endpoint=collector.grpc,
        cache_dir=cache,
        tracer_provider=tracer_provider,
        logger_provider=logger_provider,
    )
    guess = otel_opto.parameter("price.guess", 0.0, minimum=0.0, maximum=1.0, description="the price")
    rounding = otel_opto.parameter("price.rounding", "none", choices=("none", "up"))
    try:
        yield Shop(tracer_provider, logger_provider, guess, rounding)
    finally:
        otel_opto.shutdown()
        tracer_provider.shutdown()
        logger_provider.shutdown()
