"""What a span's limit evicts is not ours."""

import pytest
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

from otel_opto.process.limits import room_for_inputs
from otel_opto.setup import Sdk
from otel_opto.spec import value_hash
from otel_opto.testing import FakeReleaseServer, SpanCapture
from tests.unit.otel_opto.conftest import App


def test_a_node_with_many_inputs_keeps_release_and_code(app: App, caplog: pytest.LogCaptureFixture) -> None:
    k = app.parameter("k", 0)
    app.connect()
    app.publish(1, k=1)

    @app.sdk.nodes.decorate
    def score(**features: int) -> tuple[int, int]:
        before = k.value
        app.publish(2, k=2)
        return before, k.value

    for parent in (False, True):
        app.capture.clear()
        if parent:
            with app.span():
                score(**{f"f{number}": number for number in range(1_000)})
        else:
            assert score(**{f"f{number}": number for number in range(1_000)}) == (1, 1)
        said = app.capture.span("score").attributes or {}
        assert {"opto.release", "code.function.name", "opto.output", "opto.input.f0", "opto.truncated"} <= said.keys()
        assert "opto.param.k.version" in said
        assert app.capture.span("score").dropped_attributes == 0
    assert "Attributes dict is full" not in caplog.text


@pytest.mark.parametrize("limit", [8, 128])
def test_somebody_elses_span_keeps_release_and_parameters(app: App, limit: int) -> None:
    app.capture = SpanCapture(TracerProvider(span_limits=SpanLimits(max_span_attributes=limit)))
    k, text = app.parameter("k", 0), app.parameter("text", "plain")
    app.connect()
    app.publish(1, k=1)
    with app.span() as span:
        assert (k.value, text.value) == (1, "plain")
        for number in range(300):
            span.set_attribute(f"llm.messages.{number}", "x")
    found = app.capture.span("request")
    said = found.attributes or {}
    assert (said["opto.release"], said["opto.assignment"], said["opto.param.k.version"]) == (1, 1, 1)
    assert (said["opto.param.k.hash"], said["opto.param.text.value"]) == (value_hash(1), "plain")
    assert len(said) == limit
    assert said["llm.messages.299"] == "x"
    assert found.dropped_attributes == 300 + 5 - limit


def test_without_a_limit_everything_stays(app: App) -> None:
    provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=SpanLimits.UNSET))
    app.capture = SpanCapture(provider)
    assert room_for_inputs(provider) == 1_024
    app.parameter("k", 0)
    app.connect()
    app.publish(1, k=1)
    with app.span() as span:
        for number in range(300):
            span.set_attribute(f"a{number}", number)
    assert len(app.capture.span("request").attributes or {}) == 302


def test_a_trace_holds_to_its_release_whatever_its_spans_lose(app: App) -> None:
    app.capture = SpanCapture(TracerProvider(span_limits=SpanLimits(max_span_attributes=0)))
    k = app.parameter("k", 0)
    app.connect()
    app.publish(1, k=1)
    with app.span():
        before = k.value
        app.publish(2, k=2)
        with app.span("inner"):
            assert (before, k.value) == (1, 1)
    with app.span():
        assert k.value == 2


def test_memory_of_spans_that_have_ended_is_given_back() -> None:
    with FakeReleaseServer() as server:
        sdk, capture = Sdk(), SpanCapture()
        app = App(sdk, capture, server, None)  # type: ignore[arg-type]
        k = app.parameter("k", 0)
        sdk.configure(service_name="s", endpoint=server.endpoint, tracer_provider=capture.tracer_provider)
        for _ in range(100):
            with app.span():
                assert k.value == 0
        assert len(sdk.pins.kept._said) <= 1
        sdk.shutdown()
        capture.shutdown()
