"""Exporters that the SDK sets up: one bad value loses itself, trouble is said once, a fork breaks nothing off."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import Link, Status, StatusCode

from otel_opto.process.counters import Count, Counters
from otel_opto.process.exporters import Exporter, makers
from otel_opto.process.notices import Notices
from otel_opto.process.settings import settings_of

HALF = "\ud800"


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """OTLP over real gRPC."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.server = grpc.server(ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.spans += [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


def exporter(make: Any, counters: Counters | None = None) -> Exporter:
    return Exporter(make, "spans", Count.SPANS_NOT_SENT, counters or Counters(), Notices())


def test_values_that_cannot_be_sent_lose_only_themselves() -> None:
    receiver = Receiver()
    made = exporter(lambda: OTLPSpanExporter(endpoint=f"http://127.0.0.1:{receiver.port}", insecure=True))
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))  # type: ignore[arg-type]
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span(f"bad {HALF}", links=[]) as span:
        span.set_attributes(
            {"half": f"a{HALF}b", f"key{HALF}": 1, "nul": "a\0b", "many": ["x", HALF], "whole": "Zoë 🙂"}
        )
        span.set_attribute("long", "x" * 10_000_000)
        span.add_event(f"event {HALF}", {"half": HALF})
        span.add_link(span.get_span_context(), {"half": HALF})
        span.set_status(Status(StatusCode.ERROR, HALF))
    with tracer.start_as_current_span("good"):
        pass
    provider.shutdown()
    receiver.server.stop(0).wait()
    bad, good = receiver.spans
    assert (bad.name, good.name) == ("bad \ufffd", "good")
    found = {one.key: one.value for one in bad.attributes}
    assert (found["half"].string_value, found["nul"].string_value) == ("a\ufffdb", "a\0b")
    assert (found["whole"].string_value, found["key\ufffd"].int_value) == ("Zoë 🙂", 1)
    assert [one.string_value for one in found["many"].array_value.values] == ["x", "\ufffd"]
    assert found["long"].string_value.endswith("x… (cut)")
    assert (bad.events[0].name, bad.links[0].attributes[0].value.string_value) == ("event \ufffd", "\ufffd")
    assert bad.status.message == "\ufffd"


class Inner:
    """An exporter in whose place another comes after a fork."""

    def __init__(self) -> None:
        self.entered, self.broken_off = threading.Event(), threading.Event()
        self.result = SpanExportResult.SUCCESS
        self.blocks = False
        self.batches: list[Sequence[ReadableSpan]] = []

    def export(self, batch: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        if self.blocks:
            self.broken_off.wait(60)
            logging.getLogger(__name__).warning("broken off")
            return SpanExportResult.FAILURE
        self.batches.append(batch)
        return self.result

    def shutdown(self) -> None:
        self.broken_off.set()


def test_what_is_under_way_when_the_process_is_forked_is_sent_afterwards() -> None:
    inner, counters = [Inner(), Inner()], Counters()
    left = iter(inner)
    inner[0].blocks = True
    made = exporter(lambda: next(left), counters)
    results = []
    sending = threading.Thread(target=lambda: results.append(made.export([])))
    sending.start()
    assert inner[0].entered.wait(60)
    made.before_fork()
    made.after_fork(child=False)
    sending.join(60)
    assert results == [SpanExportResult.SUCCESS]
    assert (len(inner[1].batches), counters.of(Count.SPANS_NOT_SENT)) == (1, 0)


def test_a_child_has_an_exporter_of_its_own_though_the_parent_was_sending() -> None:
    inner = [Inner(), Inner()]
    left = iter(inner)
    made = exporter(lambda: next(left))
    made._lock.acquire()  # another thread's, which a child has not
    made.after_fork(child=True)
    assert made.export([]) is SpanExportResult.SUCCESS
    assert (len(inner[0].batches), len(inner[1].batches)) == (0, 1)
    assert not inner[0].broken_off.is_set()  # what the parent has is not closed


def test_a_dead_collector_is_one_line_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    made = exporter(lambda: OTLPSpanExporter(endpoint="http://127.0.0.1:1", insecure=True, timeout=0.3), counters)
    provider = TracerProvider()
    span = provider.get_tracer("tests").start_span(
        "lost", links=[Link(provider.get_tracer("t").start_span("a").get_span_context())]
    )
    span.end()
    for _ in range(3):
        assert made.export([span]) is SpanExportResult.FAILURE  # type: ignore[list-item]
    made.shutdown()
    provider.shutdown()
    (line,) = caplog.messages
    assert line.startswith("spans could not be sent: ")
    assert "127.0.0.1:1" in line
    assert counters.of(Count.SPANS_NOT_SENT) == 3


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, "127.0.0.1:4317"),
        ({"OTEL_OPTO_ENDPOINT": "http://ours:1"}, "ours:1"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_OPTO_ENDPOINT": "http://ours:1"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "c:9"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:9/there"}, "http://c:9/there"),
    ],
)  # fmt: skip
def test_spans_go_where_opentelemetrys_variables_say(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], endpoint: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    spans, logs = makers(settings_of({}, environment, None), environment)
    made = [spans(), logs()]
    assert made[0]._endpoint == endpoint
    for one in made:
        one.shutdown()
