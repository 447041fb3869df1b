"""Any provider: wrapped, replaced, set before or after; and one that is none of OpenTelemetry's SDK."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry._logs import LoggerProvider, NoOpLoggerProvider
from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from otel_opto.process.found import goes_nowhere, sdk_provider
from otel_opto.testing import SpanCapture
from tests.unit.otel_opto.conftest import App

ROOT = Path(__file__).parents[4]


@dataclass
class Proxy(TracerProvider):
    """Like logfire's."""

    provider: TracerProvider

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        return self.provider.get_tracer(*args, **kwargs)


class Slotted(TracerProvider):
    __slots__ = ("_delegate",)

    def __init__(self, delegate: TracerProvider) -> None:
        self._delegate = delegate

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        return self._delegate.get_tracer(*args, **kwargs)


class Hostile(TracerProvider):
    def __init__(self) -> None:
        self.myself = self

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        return NoOpTracerProvider().get_tracer("x")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_the_provider_of_the_sdk_is_found_within_others() -> None:
    inner = SdkTracerProvider()
    for one in (inner, Proxy(inner), Slotted(inner), Proxy(Slotted(Proxy(inner)))):
        assert sdk_provider(one) is inner
    for other in (None, NoOpTracerProvider(), Proxy(NoOpTracerProvider())):
        assert sdk_provider(other) is None
    inner.shutdown()


def test_a_wrapped_provider_gives_name_pins_and_dataflow(app: App) -> None:
    wrapped = SpanCapture(SdkTracerProvider(resource=Resource({"service.name": "wrapped"})))
    app.parameter("k", 0)
    app.sdk.configure(
        endpoint=app.server.endpoint,
        cache_dir=app.cache,
        tracer_provider=Proxy(wrapped.tracer_provider),
        wait_seconds=5.0,
    )
    app.publish(1, k=1)
    assert {word.service for word in app.server.acknowledgements} == {"wrapped"}
    with app.sdk.start_node("request"):
        pass
    assert (wrapped.span("request").attributes or {})["opto.release"] == 1
    app.sdk.shutdown()
    wrapped.shutdown()


def test_a_provider_of_an_unknown_kind_is_one_line_that_says_what_to_pass(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        app.sdk.configure(service_name="s", endpoint=app.server.endpoint, tracer_provider=Proxy(NoOpTracerProvider()))
        assert len(app.sdk.status().troubles) == 1
    assert all("configure(tracer_provider=" in message and "Proxy" in message for message in caplog.messages)
    assert sdk_provider(Slotted(NoOpTracerProvider())) is None


@dataclass
class LoggerProxy(LoggerProvider):
    provider: LoggerProvider

    def get_logger(self, *args: Any, **kwargs: Any) -> Any:
        return self.provider.get_logger(*args, **kwargs)


def test_whether_log_events_reach_anybody() -> None:
    exporting = SdkLoggerProvider()
    exporting.add_log_record_processor(SimpleLogRecordProcessor(InMemoryLogRecordExporter()))  # type: ignore[no-untyped-call]
    silent = SdkLoggerProvider()
    for nowhere in (NoOpLoggerProvider(), silent, LoggerProxy(silent), LoggerProxy(NoOpLoggerProvider())):
        assert goes_nowhere(nowhere)
    assert not goes_nowhere(exporting)
    assert not goes_nowhere(LoggerProxy(exporting))
    exporting.shutdown()
    silent.shutdown()


ORDERS = """
import sys, time
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
import otel_opto
from otel_opto.testing import FakeReleaseServer, SpanCapture
late = TracerProvider(resource=Resource.create({"service.name": "late"}))
captured = SpanCapture(late)
k = otel_opto.parameter("k", default=0)
with FakeReleaseServer() as server:
    server.publish(1, {"k": 1})
    early = trace.get_tracer("made before anything")
    otel_opto.configure(endpoint=server.endpoint, cache_dir=sys.argv[1])
    trace.set_tracer_provider(late)
    assert trace.get_tracer_provider() is late
    with trace.get_tracer("server").start_as_current_span("first"):
        k.value
    words = [server.wait_for_acknowledgement(1)]
    while "late" not in {word.service for word in server.acknowledgements}:
        time.sleep(0.01)
    while k.resolve().reason != "released":
        time.sleep(0.01)
    with early.start_as_current_span("second"):
        assert k.value == 1
        server.publish(2, {"k": 2})
        server.wait_for_acknowledgement(2)
        assert k.value == 1
    second = dict(captured.span("second").attributes)
    assert second["opto.release"] == 1 and second["opto.param.k.version"] == 1, second
    first = dict(captured.span("first").attributes)
    assert "opto.param.k.value" in first or "opto.param.k.version" in first, first
    otel_opto.shutdown()
captured.shutdown()
"""


def test_a_provider_that_is_set_after_configure_takes_the_place_of_ours(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ORDERS)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Overriding" not in done.stderr
