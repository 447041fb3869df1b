"""Values: which one wins, why, and what the span says of it."""

import asyncio
import contextvars
import copy
import math
import multiprocessing
import pickle
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

import otel_opto
from otel_opto.parameter import Parameter, Resolved, spec_of
from otel_opto.spec import Constraint, InvalidValue, value_hash
from otel_opto.testing import FakeReleaseServer
from otel_opto.v1 import release_pb2
from tests.unit.otel_opto.conftest import App


def test_the_public_names_are_these() -> None:
    assert sorted(otel_opto.__all__) == [
        "ContextThreadPoolExecutor", "InvalidValue", "Node", "Parameter", "Resolved", "Status", "Trainable", "carried",
        "code_of", "configure", "feedback", "handle", "node", "parameter", "shutdown", "start_node", "status",
        "targeting_key",
    ]  # fmt: skip
    assert all(hasattr(otel_opto, name) for name in otel_opto.__all__)


def test_without_a_collector_the_default_wins(app: App) -> None:
    k = app.parameter("k", 3, minimum=1, maximum=9)
    assert k.resolve() == Resolved(3, "default")
    with app.span():
        assert k.value == 3
    assert app.capture.span("request").attributes == {"opto.param.k.value": 3}


def test_a_release_is_declared_applied_and_recorded(app: App) -> None:
    k, style = app.parameter("k", 3, minimum=1, maximum=9), app.parameter("style", "plain")
    assert app.connect()
    assert app.server.wait_for_declaration("style").default.text == "plain"
    app.publish(7, k=5)
    assert k.resolve() == Resolved(5, "released", 7, 7)
    assert style.resolve() == Resolved("plain", "default", 7)
    with app.span():
        assert (k.value, style.value) == (5, "plain")
    assert app.capture.span("request").attributes == {
        "opto.release": 7,
        "opto.assignment": 1,
        "opto.param.k.version": 7,
        "opto.param.k.hash": value_hash(5),
        "opto.param.style.value": "plain",
    }


def test_parameters_declared_later_are_declared_too(app: App) -> None:
    app.connect()
    app.parameter("late", 0.5, minimum=0.0, maximum=1.0)
    assert app.server.wait_for_declaration("late").constraint.maximum == 1.0


def test_one_trace_sees_one_release(app: App) -> None:
    k = app.parameter("k", 3)
    app.connect()
    with app.span("before any"):
        app.publish(1, k=10)
        assert k.value == 3
        with app.span("inner of before"):
            assert k.value == 3
    with app.span("first"):
        assert k.value == 10
        app.publish(2, k=20)
        with app.span("inner"):
            assert k.value == 10
        assert k.value == 10
    with app.span("second"):
        assert k.value == 20
    releases = {span.name: (span.attributes or {}).get("opto.release") for span in app.capture.spans()}
    assert releases == {"before any": None, "inner of before": None, "first": 1, "inner": 1, "second": 2}


def test_a_trace_keeps_its_release_however_many_come_meanwhile(app: App) -> None:
    k = app.parameter("k", 3)
    app.connect()
    app.publish(1, k=10)
    with app.span():
        assert k.value == 10
        for number in range(2, 40):
            app.publish(number, k=10 * number)
        assert k.resolve() == Resolved(10, "released", 1, 1)
    assert k.resolve() == Resolved(390, "released", 39, 39)


def test_a_release_that_does_not_fit_is_refused_whole(app: App) -> None:
    k, other = app.parameter("k", 3, minimum=1, maximum=9), app.parameter("other", "x")
    app.connect()
    app.publish(1, k=4, other="y")
    app.publish(2, k=99, other="z", unknown=1)
    word = app.server.wait_for_acknowledgement(2)
    assert word.status == release_pb2.RELEASE_STATUS_FAILED
    assert "'k': found 99 (int), allowed: a whole number from 1 to 9" in word.error
    assert (k.resolve().value, other.resolve().value, k.resolve().release) == (4, "y", 1)
    app.publish(3, k=5, unknown=1)
    assert k.resolve() == Resolved(5, "released", 3, 3)


def test_a_released_text_that_the_application_cannot_format_is_not_applied(app: App) -> None:
    prompt = app.parameter("prompt", "Answer {question}", placeholders=["question"])
    app.connect()
    app.publish(1, prompt="{question.__class__}")
    assert "is no field that can be filled" in app.server.wait_for_acknowledgement(1).error
    assert prompt.resolve() == Resolved("Answer {question}", "default")


def test_a_value_that_stopped_fitting_gives_the_default_and_says_why(app: App) -> None:
    app.connect()
    app.publish(1, k="many")
    k = app.parameter("k", 3)
    resolved = k.resolve()
    assert (resolved.value, resolved.reason) == (3, "default")
    assert resolved.error is not None
    assert "found 'many'" in resolved.error


def test_the_last_release_on_disk_is_used_until_the_collector_answers(app: App) -> None:
    k = app.parameter("k", 3)
    app.connect()
    app.publish(4, k=8)
    app.server.stop()
    app.sdk.shutdown()
    assert k.resolve() == Resolved(3, "default")
    app.connect(wait_seconds=0)
    assert k.resolve() == Resolved(8, "cached", 4, 4)
    with FakeReleaseServer() as other:
        other.publish(4, {"k": 8})
        assert app.connect(other)
        other.wait_for_acknowledgement(4)
        assert k.resolve() == Resolved(8, "released", 4, 4)


@pytest.mark.parametrize("damage", [b"", b"\xff\xff", b"\x08\x04"])
def test_a_damaged_cache_is_passed_over(app: App, damage: bytes) -> None:
    k = app.parameter("k", 3)
    app.connect()
    app.publish(4, k=8)
    app.server.stop()
    app.sdk.shutdown()
    (file,) = (app.cache / "otel-opto").iterdir()
    file.write_bytes(damage + file.read_bytes()[:-3] if damage else b"")
    app.connect(wait_seconds=0)
    assert k.resolve().value == 3


def test_it_reconnects_to_a_collector_that_comes_back(app: App) -> None:
    k = app.parameter("k", 3)
    app.connect()
    app.publish(1, k=4)
    port = app.server.port
    app.server.stop()
    assert k.resolve() == Resolved(4, "released", 1, 1)
    with FakeReleaseServer(port) as again:
        again.publish(2, {"k": 6})
        again.wait_for_acknowledgement(2, 20)
        assert again.wait_for_declaration("k").default.integer == 3
        assert k.resolve() == Resolved(6, "released", 2, 2)


def test_an_override_is_checked_ends_and_stays_in_its_thread(app: App) -> None:
    k = app.parameter("k", 3, minimum=1, maximum=9)
    seen: list[int] = []
    with app.span(), k.override(7):
        assert k.value == 7
        thread = threading.Thread(target=lambda: seen.append(k.resolve().value))
        thread.start()
        thread.join()
        with k.override(8):
            assert k.resolve() == Resolved(8, "override")
        assert k.resolve().value == 7
    assert (k.resolve().value, seen) == (3, [3])
    assert app.capture.span("request").attributes == {"opto.param.k.value": 7}
    with pytest.raises(InvalidValue), k.override(99):
        pass


def test_a_false_override_is_an_override(app: App) -> None:
    on = app.parameter("on", True)
    with on.override(False):
        assert on.value is False


def test_wrong_declarations_are_said_where_they_stand() -> None:
    with pytest.raises(InvalidValue, match="found tuple, allowed: bool, int, float, str, list, dict"):
        otel_opto.parameter("k", (1,))  # type: ignore[type-var]
    with pytest.raises(InvalidValue, match="choices is not a constraint of type integer"):
        otel_opto.parameter("k", 1, choices=("a",))


def test_nothing_raises_whatever_is_configured(app: App) -> None:
    k = app.parameter("k", 3)
    for endpoint in ("http://127.0.0.1:9", "nonsense", "http://[", "", "ftp://x:1"):
        assert (
            app.sdk.configure(endpoint=endpoint, cache_dir="/dev/null/no", tracer_provider=app.capture.tracer_provider)
            is False
        )
        assert k.value == 3
    app.sdk.shutdown()
    app.sdk.shutdown()


def test_configure_again_replaces(app: App) -> None:
    k = app.parameter("k", 3)
    app.connect()
    app.publish(1, k=4)
    with FakeReleaseServer() as other:
        other.publish(9, {"k": 5})
        assert app.connect(other)
        other.wait_for_acknowledgement(9)
        assert k.resolve() == Resolved(5, "released", 9, 9)
    with app.span():
        pass
    assert (app.capture.span("request").attributes or {})["opto.release"] == 9


class Late(FakeReleaseServer):
    """Its release comes only after it was asked what is in force."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        super().__init__()

    def GetAssignment(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.asked.set()
        return super().GetAssignment(request, context)

    def WatchReleases(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        for message in super().WatchReleases(request, context):
            self.asked.wait(5)
            yield message


def test_who_waits_has_what_is_in_force(app: App) -> None:
    k = app.parameter("k", 0)
    with Late() as server:
        server.publish(1, {"k": 5})
        assert app.connect(server, wait_seconds=30)
        assert k.value == 5


def test_who_waits_does_not_wait_for_a_first_release(app: App) -> None:
    began = time.monotonic()
    assert app.connect(wait_seconds=600)
    assert time.monotonic() - began < 300


async def test_an_override_holds_for_its_task_and_what_that_starts(app: App) -> None:
    k = app.parameter("k", 3, minimum=1, maximum=99)

    async def arm(value: int) -> tuple[int, int, int]:
        with k.override(value):
            await asyncio.sleep(0)
            inner = await asyncio.create_task(read())
            return k.value, inner, await asyncio.to_thread(lambda: k.value)

    async def read() -> int:
        await asyncio.sleep(0)
        return k.value

    assert await asyncio.gather(arm(10), arm(20), read()) == [(10, 10, 10), (20, 20, 20), 3]
    assert k.value == 3


def test_an_override_that_ends_in_another_context_raises_nothing(app: App) -> None:
    k = app.parameter("k", 3)

    def fixture() -> Iterator[None]:
        with k.override(7):
            yield

    items = fixture()
    contextvars.copy_context().run(next, items)
    assert list(items) == []
    assert k.value == 3


def test_copies_are_the_parameter(app: App) -> None:
    k = app.parameter("k", 3)
    assert copy.copy(k) is copy.deepcopy([k])[0] is k


def read_pickled(data: bytes) -> tuple[int, int]:
    again = pickle.loads(data)
    with again.override(5):
        return again.value, pickle.loads(data).value


def test_a_pickled_parameter_is_the_other_process_s_own() -> None:
    k = otel_opto.parameter("test.pickled", default=3, minimum=1, maximum=9)
    data = pickle.dumps({"agent": [k]})
    again = pickle.loads(data)["agent"][0]
    assert again.spec == k.spec
    with k.override(8):
        assert again.value == 8
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(read_pickled, pickle.dumps(k)).result(60) == (5, 5)


@pytest.mark.parametrize(
    ("default", "limits"),
    [(3, {"minimum": 1, "maximum": 8}), (3, {}), (0.5, {"minimum": 0.0, "maximum": 1.0}), ("three", {}), (True, {})],
)
def test_a_key_that_means_two_things_is_refused(app: App, default: Any, limits: Any) -> None:
    k = app.parameter("k", 3, minimum=1, maximum=9)
    with pytest.raises(InvalidValue, match=r"parameter 'k' is declared twice: .*conftest.py:\d+ says a whole") as said:
        app.parameter("k", default, **limits)
    assert "give one of them another key" in str(said.value)
    assert app.sdk.registry.specs() == {"k": k.spec}
    with k.override(4):
        assert app.parameter("k", 5, minimum=1, maximum=9).value == 4
    assert app.sdk.registry.specs()["k"].default == 5


MODULE = "k = Parameter(spec_of('k', 3, Constraint(minimum=1, maximum={}), '', trainable=True), 3, pins)\n"


def test_a_module_that_is_loaded_again_and_a_notebook_may_change_it(app: App) -> None:
    def load(source: str, file: str = "app.py", **names: Any) -> None:
        known = {"Parameter": Parameter, "spec_of": spec_of, "Constraint": Constraint, "pins": app.sdk.pins}
        exec(compile(source, file, "exec"), {**known, "__name__": "shop", **names})

    load(MODULE.format(9))
    load(MODULE.format(9), file="other.py")
    with pytest.raises(InvalidValue, match="declared twice"):
        load(MODULE.format(8), file="third.py")
    load(MODULE.format(9))
    load("\n\n" + MODULE.format(8))
    with pytest.raises(InvalidValue, match=r"app.py:1 says .* 1 to 7, app.py:2 says"):
        load(MODULE.format(7) + MODULE.format(6))
    notebook: dict[str, Any] = {"__name__": "__main__", "get_ipython": None}
    app.sdk.registry._specs = {}
    load(MODULE.format(7), file="cell1", **notebook)
    load(MODULE.format(6), file="cell2", **notebook)
    assert app.sdk.registry.specs()["k"].constraint.maximum == 6


def test_a_value_is_recorded_on_each_span_once_and_after_an_override_again(app: App) -> None:
    k = app.parameter("k", 3)
    with app.span("outer"):
        assert (k.value, k.value) == (3, 3)
        with app.span("inner"):
            assert k.value == 3
            with k.override(7):
                assert k.value == 7
            assert k.value == 3
        assert k.value == 3
    for name in ("outer", "inner"):
        assert app.capture.span(name).attributes == {"opto.param.k.value": 3}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"key": 3, "default": "x"}, "parameter key 3"),
        ({"default": 3, "minimum": "1"}, "minimum: found '1', allowed is a number"),
        ({"default": 3.0, "maximum": math.nan}, "maximum: found nan, allowed is a number"),
        ({"default": 3, "minimum": True}, "minimum: found True"),
        ({"default": "fast", "choices": "fast"}, "choices: found 'fast', allowed is a list of texts"),
        ({"default": "fast", "choices": 3}, "choices: found 3, allowed is a list of texts"),
        ({"default": "{q}", "placeholders": "q"}, "placeholders: found 'q'"),
        ({"default": "{q}", "placeholders": [3]}, r"placeholders: found \[3\]"),
    ],
)
def test_a_declaration_of_the_wrong_types_is_invalid_and_nothing_else(given: Any, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        otel_opto.parameter(**{"key": "wrong.types", **given})
