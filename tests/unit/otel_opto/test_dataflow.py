"""Dataflow: by identity, then by content, through containers, copies, threads and tasks; never by chance."""

import asyncio
import copy
import gc
import pickle
import types
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

import otel_opto
from otel_opto.capture import Capture, Failures
from otel_opto.dataflow import Dataflow
from tests.unit.otel_opto.conftest import App

LONG = "an answer that is long enough to be recognised"


@dataclass
class Found:
    title: str
    scores: list[float]


class Holder:
    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)


@pytest.fixture
def node(app: App) -> Any:
    app.sdk.configure(tracer_provider=app.capture.tracer_provider, endpoint="http://127.0.0.1:9", cache_dir=app.cache)
    return app.sdk.nodes.decorate


def sources(app: App, name: str) -> list[str]:
    """The names of the linked spans; each link has its mirror."""
    spans = {span.context.span_id: span.name for span in app.capture.spans() if span.context}
    (taken,) = [span for span in app.capture.spans() if span.name == name]
    mirrors = [str(value) for key, value in (taken.attributes or {}).items() if key.startswith("opto.arg.")]
    ids = [one for mirror in mirrors for one in mirror.split(",")]
    assert ids == [f"{link.context.span_id:016x}" for link in taken.links]
    return [spans[link.context.span_id] for link in taken.links]


def big() -> dict[str, Any]:
    return {"rows": [[number, number / 7] for number in range(2_000)], "text": LONG * 500}


FLOWS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "itself": (lambda: [1, 2], lambda value: value),
    "a text": (lambda: LONG, lambda value: value),
    "an equal text": (lambda: LONG, lambda value: "".join(list(value))),
    "a long text": (lambda: LONG * 5_000, lambda value: "".join(list(value))),
    "bytes": (LONG.encode, lambda value: bytes(bytearray(value))),
    "in a list": (lambda: [1], lambda value: [value]),
    "four levels deep": (lambda: [1], lambda value: {"a": [{"b": (value,)}]}),
    "an item": (lambda: {"docs": [Found("t", [1.0])]}, lambda value: value["docs"][0]),
    "an item of a tuple": (lambda: ([1], [2]), lambda value: value[1]),
    "a field": (lambda: Found(LONG, [0.5]), lambda value: value.scores),
    "in a field": (lambda: [0.5], lambda value: Found("t", value)),
    "in an attribute": (lambda: [0.5], lambda value: Holder(scores=value)),
    "an attribute": (lambda: Holder(scores=[0.5]), lambda value: value.scores),
    "a copy": (lambda: {"question": "how many boats", "n": 7}, copy.copy),
    "a deep copy": (lambda: {"question": ["how", "many", "boats"], "n": 7}, copy.deepcopy),
    "a deep copy in a list": (lambda: {"question": "how many", "kind": "boats"}, lambda value: [copy.deepcopy(value)]),
    "a copy of a dataclass": (lambda: Found("how many boats", [0.5, 0.25]), replace),
    "another process's copy": (lambda: Found("how many boats", [0.5]), lambda value: pickle.loads(pickle.dumps(value))),
    "a text of a deep copy": (lambda: {"a": [LONG]}, lambda value: copy.deepcopy(value)["a"]),
    "a list that has grown": (lambda: ["one"], lambda value: value.append("two") or value),
    "a field of what is gone": (lambda: Holder(text=LONG, scores=[0.5]), lambda value: value.scores),
    "something large": (big, lambda value: value),
    "an item of something large": (big, lambda value: value["rows"]),
    "an object": (Holder, lambda value: value),
    "a set": (lambda: {1, 2, 3}, lambda value: value),
}


@pytest.mark.parametrize("how", FLOWS)
def test_what_flows(app: App, node: Any, how: str) -> None:
    make, passed = FLOWS[how]
    take = node(name="take")(lambda value: None)
    with app.span(), app.sdk.start_node("giver") as giver:
        made = make()
        giver.output(made)
        given = passed(made)
        del made
        take(given)
    assert sources(app, "take") == ["giver"]


NOTHING: dict[str, Any] = {
    "None": None, "True": True, "a small number": 7, "a large number": 2**70, "a fraction": 0.5, "no text": "",
    "a short text": "yes", "15 letters": "x" * 15, "an empty tuple": (), "an empty frozenset": frozenset(),
    "a type": int, "a function": len, "a module": types, "dots": ...,
}  # fmt: skip


@pytest.mark.parametrize("what", NOTHING)
def test_what_python_shares_does_not_flow(app: App, node: Any, what: str) -> None:
    value = NOTHING[what]
    give, take = node(name="give")(lambda: value), node(name="take")(lambda taken: None)
    give_all = node(name="give all")(lambda: [value, {"k": value}])
    with app.span():
        give()
        give_all()
        take(value)
        take([value])
        take({"other": value})
    assert not any(span.links for span in app.capture.spans() if span.name == "take")


@pytest.mark.parametrize(
    "make", [list, dict, lambda: [0, 1], lambda: {"ok": True}, lambda: [0] * 50, lambda: [Holder()] * 9]
)
def test_equal_values_that_say_little_do_not_flow(app: App, node: Any, make: Callable[[], Any]) -> None:
    give, take = node(name="give")(make), node(name="take")(lambda taken: None)
    kept = []
    with app.span():
        kept.append(give())
        take(make())
    assert sources(app, "take") == []


def test_what_was_recognised_is_not_looked_into(app: App, node: Any) -> None:
    first = node(name="first")(lambda: [1])
    second = node(name="second")(lambda value: {"value": value})
    third = node(name="third")(lambda value: None)
    with app.span():
        third(second(first()))
    assert (sources(app, "second"), sources(app, "third")) == (["first"], ["second"])


def test_a_part_stays_the_part_of_who_made_it_until_it_grows(app: App, node: Any) -> None:
    first = node(name="first")(lambda: ["question"])
    second = node(name="second")(lambda value: {"value": value})
    take, take_grown = node(name="take")(lambda value: None), node(name="take grown")(lambda value: None)
    third = node(name="third")(lambda value: value.append("answer") or {"value": value})
    with app.span():
        made = first()
        out = second(made)
        take(out["value"])
        grown = third(out["value"])
        take_grown(grown["value"])
    assert (sources(app, "take"), sources(app, "take grown")) == (["first"], ["third"])


def test_each_of_many_parallel_outputs(app: App, node: Any) -> None:
    work = node(name="work")(lambda number: [number])
    join = node(name="join")(lambda parts: None)
    with app.span(), otel_opto.ContextThreadPoolExecutor(4) as pool:
        join(list(pool.map(work, range(100))))
    assert sources(app, "join") == ["work"] * 100


async def test_through_tasks_and_threads(app: App, node: Any) -> None:
    give, take = node(name="give")(lambda: [1]), node(name="take")(lambda value: None)

    @node
    async def later() -> list[int]:
        await asyncio.sleep(0)
        return [2]

    with app.span():
        given = await asyncio.to_thread(give)
        gathered = await asyncio.gather(later(), later())
        with ThreadPoolExecutor(1) as pool:
            pool.submit(otel_opto.carried(take), [given, *gathered]).result()
    assert sources(app, "take") == ["give", "later", "later"]


def test_memory_is_bounded_and_given_back(app: App, node: Any) -> None:
    give = node(name="give")(lambda: Holder(data=[1]))
    pair = node(name="pair")(lambda: [Holder(data=[1])])
    with app.span():
        alone, held = weakref.ref(give()), weakref.ref(pair()[0])
        gc.collect()
        assert alone() is None
        for _ in range(5_000):
            give()
        flow = next(iter(app.sdk._flows._flows.values()))
        assert len(flow._held) <= 1_024
        del flow
    app.capture._spans.clear()
    gc.collect()
    assert held() is None
    assert app.sdk._flows._flows == {}


def test_large_outputs_are_not_held() -> None:
    capture = Capture(Failures())
    flow = Dataflow(capture.shapes, capture.digest)
    holders = [Holder() for _ in range(3)]
    value = [*holders, LONG * 5_000]
    flow.produced(value, object(), None, large=True)  # type: ignore[arg-type]
    gone = weakref.ref(holders[0])
    del holders, value
    gc.collect()
    assert gone() is None


def test_a_node_without_a_local_root_opens_and_closes_a_flow_of_its_own(app: App) -> None:
    from opentelemetry import trace

    remote = trace.SpanContext(5, 6, is_remote=False, trace_flags=trace.TraceFlags(1))
    app.sdk.telemetry.choose(app.capture.tracer_provider, None)  # without our processor
    with trace.use_span(trace.NonRecordingSpan(remote)):
        with app.sdk.start_node("outer"):
            made = app.sdk.nodes.decorate(name="give")(lambda: [1])()
            app.sdk.nodes.decorate(name="take")(lambda value: None)(made)
    assert sources(app, "take") == ["give"]
    assert app.sdk._flows._flows == {}
