"""One trace, one release: chosen where the request enters, by a unit, and carried to whatever it calls."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_opto.assignment import Arm, Assignment, Crossing, Layer, unit_of
from otel_opto.pinning import baggage_key
from otel_opto.propagation import ReleasePropagator, carrying
from otel_opto.setup import Sdk
from tests.unit.otel_opto.conftest import App

HALF = Assignment("shop", 0, 1, (Arm(2, 0, 5_000),), "salt")
REQUESTS = 200


@pytest.fixture
def k(app: App) -> Any:
    """A parameter whose value is the number of the release."""
    found = app.parameter("k", 0)
    app.connect()
    for number in (1, 2, 3):
        app.server.add(number, {"k": number})
    assign(app, HALF)
    return found


def assign(app: App, assignment: Assignment) -> None:
    """Puts it in force and waits until the application has it."""
    app.server.assign(assignment)
    for number in assignment.releases:
        app.server.wait_for_acknowledgement(number)
    for _ in range(500):
        known = app.sdk.registry.assignment
        if known is not None and known.releases == assignment.releases:
            return
        app.server.wait_for_declaration("k")
    raise AssertionError("the assignment did not arrive")


def remote(trace_id: int) -> Any:
    """A request that comes with a trace context of somebody else."""
    parent = SpanContext(trace_id, 0x1234, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(parent), context.Context())


def test_a_trace_gets_the_arm_of_its_id_for_all_its_reads(app: App, k: Any) -> None:
    tracer = app.capture.tracer_provider.get_tracer("tests")
    for trace_id in range(1, REQUESTS):
        with tracer.start_as_current_span("request", context=remote(trace_id)):
            expected = HALF.release_for(f"{trace_id:032x}")
            assert [k.value, k.value] == [expected, expected]
            with tracer.start_as_current_span("inner"):
                assert k.value == expected
    spans = app.capture.spans()
    assert {span.attributes["opto.release"] for span in spans if span.attributes} == {1, 2}
    assert all("opto.assignment" in (span.attributes or {}) for span in spans if span.name == "request")
    assert not any("opto.assignment" in (span.attributes or {}) for span in spans if span.name == "inner")


def test_a_named_user_gets_one_arm_in_every_trace(app: App, k: Any) -> None:
    for user in ("ann", "bob", "eve", "Zoë"):
        expected = HALF.release_for(unit_of(user))
        for _ in range(5):
            with app.span(), app.sdk.pins.targeting(user):
                assert k.value == expected
    for span in app.capture.spans():
        assert span.attributes is not None
        assert span.attributes["opto.unit"] in {unit_of(user) for user in ("ann", "bob", "eve", "Zoë")}
        assert span.attributes["opto.release"] == HALF.release_for(str(span.attributes["opto.unit"]))
        assert "ann" not in str(span.attributes)


def test_a_user_in_arms_of_two_studies_gets_the_release_of_both(app: App, k: Any) -> None:
    numbers = range(4, 54)
    for number in numbers:
        app.server.add(number, {"k": number})
    arms = tuple(Arm(number, place * 250, 250) for place, number in enumerate(range(4, 28)))
    layers = Layer("a", "salt a", arms), Layer("b", "salt b", (Arm(28, 0, 5_000),))
    crossings = tuple(Crossing(arm.release + 25, (arm.release, 28)) for arm in arms)
    crossed = Assignment("shop", 0, 1, (), "", layers, crossings)
    assign(app, crossed)
    seen = set()
    for number in range(300):
        with app.span(), app.sdk.pins.targeting(f"user-{number}"):
            assert k.value == crossed.release_for(unit_of(f"user-{number}"))
            seen.add(crossed.parts(k.value))
    assert {len(parts or ()) for parts in seen} == {0, 1, 2}
    assert all(app.sdk.registry.release(number) is not None for number in crossed.releases)


def test_all_releases_of_studies_that_cross_arrive_however_long_their_texts_are(app: App, k: Any) -> None:
    """64 of them come in one message, which gRPC would take up to 4 MiB of by itself."""
    for number in range(100, 164):
        app.server.add(number, {"k": number - 100, "text": "word " * 20_000})
    arms = tuple(Arm(number, (number - 101) * 100, 100) for number in range(101, 164))
    assign(app, Assignment("shop", 0, 100, (), "", (Layer("a", "salt", arms),)))
    assert all(app.sdk.registry.release(number) is not None for number in range(100, 164))


def test_what_was_read_before_the_user_was_known_holds(app: App, k: Any) -> None:
    for user in range(50):
        with app.span():
            before = k.value
            with app.sdk.pins.targeting(f"user-{user}"):
                assert k.value == before


def test_a_user_is_known_outside_of_traces_too(app: App, k: Any) -> None:
    with app.sdk.pins.targeting("ann"):
        assert k.value == HALF.release_for(unit_of("ann"))
    assert k.value == HALF.control


def test_a_trace_keeps_its_release_when_a_ramp_moves(app: App, k: Any) -> None:
    tracer = app.capture.tracer_provider.get_tracer("tests")
    open_requests = [(tracer.start_span("request", context=remote(number)), number) for number in range(1, 40)]
    assign(app, Assignment("shop", 0, 3))
    for span, number in open_requests:
        with trace.use_span(span, end_on_exit=True):
            assert k.value == HALF.release_for(f"{number:032x}")
    with app.span():
        assert k.value == 3


def test_the_choice_travels_in_baggage_and_is_obeyed(app: App, k: Any) -> None:
    with app.span(), app.sdk.pins.targeting("ann"):
        mine = k.value
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
    assert f"opto.release.shop={mine}" in carrier["baggage"]
    assert f"opto.unit={unit_of('ann')}" in carrier["baggage"]
    other = {1: 2, 2: 1}[mine]
    carrier["baggage"] = carrier["baggage"].replace(f"opto.release.shop={mine}", f"opto.release.shop={other}")
    carrier["traceparent"] = f"00-{77:032x}-{88:016x}-01"
    tracer = app.capture.tracer_provider.get_tracer("tests")
    with tracer.start_as_current_span("next", context=propagate.extract(carrier, context.Context())):
        assert k.value == other


def test_a_release_that_has_not_come_here_yet_is_not_waited_for(app: App, k: Any) -> None:
    carried = baggage.set_baggage(baggage_key("shop"), "99", remote(5))
    tracer = app.capture.tracer_provider.get_tracer("tests")
    with tracer.start_as_current_span("request", context=carried):
        assert k.value == HALF.release_for(f"{5:032x}")


def test_a_service_obeys_its_own_entry_only(app: App, k: Any) -> None:
    assert baggage_key("team/qa") == "opto.release.team%2Fqa"
    carried = baggage.set_baggage(baggage_key("other"), "2", remote(5))
    tracer = app.capture.tracer_provider.get_tracer("tests")
    with tracer.start_as_current_span("request", context=carried):
        assert k.value == HALF.release_for(f"{5:032x}")


def test_unsampled_requests_are_pinned_too(app: App, k: Any) -> None:
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("tests")
    for trace_id in range(1, 50):
        with tracer.start_as_current_span("request", context=remote(trace_id)):
            expected = HALF.release_for(f"{trace_id:032x}")
            assert k.value == expected


def test_threads_and_tasks_that_carry_the_context_read_the_same(app: App, k: Any) -> None:
    async def read() -> int:
        await asyncio.sleep(0)
        return int(k.value)

    async def many() -> list[int]:
        return await asyncio.gather(*(read() for _ in range(5)))

    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            with app.span():
                mine = k.value
                assert asyncio.run(many()) == [mine] * 5
                assert pool.submit(contextvars.copy_context().run, lambda: k.value).result() == mine


def test_an_arm_that_does_not_fit_here_is_refused_and_its_units_get_the_control(tmp_path: Path) -> None:
    from otel_opto.testing import FakeReleaseServer, SpanCapture

    with FakeReleaseServer() as server:
        app = App(Sdk(), SpanCapture(), server, tmp_path)
        bounded = app.parameter("k", 0, maximum=1)
        app.connect()
        server.add(1, {"k": 1})
        server.add(2, {"k": 2})
        server.assign(Assignment("shop", 0, 1, (Arm(2, 0, 10_000),), "s"))
        assert "'k'" in server.wait_for_acknowledgement(2).error
        assert server.wait_for_acknowledgement(1).error == ""
        with app.span():
            assert bounded.value == 1
        assert app.capture.spans()[0].attributes["opto.release"] == 1  # type: ignore[index]
        app.sdk.shutdown()


def test_memory_is_bounded_however_many_traces_come(app: App, k: Any) -> None:
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("tests")
    for trace_id in range(1, 12_000):
        with tracer.start_as_current_span("request", context=remote(trace_id)):
            assert k.value in (1, 2)
    assert len(app.sdk.pins._pins) <= 10_000


@dataclass
class Around(TextMapPropagator):
    """Like logfire's: it looks at what its own kind wraps."""

    wrapped: TextMapPropagator

    def extract(self, carrier: Any, context: Any = None, getter: Any = default_getter) -> Any:
        return self.wrapped.extract(carrier, context, getter)

    def inject(self, carrier: Any, context: Any = None, setter: Any = default_setter) -> None:
        self.wrapped.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        return self.wrapped.fields


def test_somebody_s_propagator_stays_the_outermost_and_ours_is_there_once(app: App) -> None:
    inner = TraceContextTextMapPropagator()
    outer = Around(Around(inner))
    assert carrying(outer, app.sdk.pins) is outer
    assert carrying(outer, app.sdk.pins) is outer
    assert isinstance(outer.wrapped, Around)
    ours = outer.wrapped.wrapped
    assert isinstance(ours, ReleasePropagator)
    assert ours.wrapped is inner
    again = carrying(carrying(inner, app.sdk.pins), app.sdk.pins)
    assert isinstance(again, ReleasePropagator)
    assert again.wrapped is inner


def test_a_propagator_that_cannot_be_changed_is_wrapped(app: App) -> None:
    frozen = make_dataclass("Frozen", ["wrapped"], bases=(TextMapPropagator,), frozen=True, namespace={
        name: getattr(Around, name) for name in ("extract", "inject", "fields")
    })(TraceContextTextMapPropagator())  # fmt: skip
    found = carrying(frozen, app.sdk.pins)
    assert isinstance(found, ReleasePropagator)
    assert found.wrapped is frozen
