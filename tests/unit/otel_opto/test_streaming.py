"""Nodes that last longer than their call: generators, async generators, awaitables."""

import asyncio
import contextvars
import gc
import inspect
import json
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from tests.unit.otel_opto.conftest import App


@pytest.fixture
def node(app: App) -> Any:
    app.sdk.configure(tracer_provider=app.capture.tracer_provider, endpoint="http://127.0.0.1:9", cache_dir=app.cache)
    return app.sdk.nodes.decorate


def said(app: App, name: str) -> dict[str, Any]:
    return dict(app.capture.span(name).attributes or {})


def output(app: App, name: str) -> Any:
    return json.loads(said(app, name)["opto.output"])


def parent(app: App, name: str) -> str:
    found = app.capture.span(name).parent
    (one,) = [
        span.name for span in app.capture.spans() if found and span.context and span.context.span_id == found.span_id
    ]
    return one


def test_a_generator_is_a_node_until_its_last_item(app: App, node: Any) -> None:
    k = app.parameter("k", 3)

    @node
    def stream(q: str) -> Iterator[str]:
        yield "Li"
        with app.sdk.start_node("inner"):
            yield f"ma {k.value}"
        k.resolve()
        assert k.value == 3

    with app.span("request"):
        items = stream("capital?")
        assert next(items) == "Li"
        assert [span.name for span in app.capture.spans()] == []
        assert trace.get_current_span().name == "request"  # type: ignore[attr-defined]
        assert list(items) == ["ma 3"]
        assert trace.get_current_span().name == "request"  # type: ignore[attr-defined]
    assert output(app, "stream") == ["Li", "ma 3"]
    assert json.loads(said(app, "stream")["opto.input.q"]) == "capital?"
    assert (parent(app, "inner"), parent(app, "stream")) == ("stream", "request")
    assert said(app, "inner")["opto.param.k.value"] == 3
    assert said(app, "stream")["opto.param.k.value"] == 3


def test_generators_keep_their_protocol(app: App, node: Any) -> None:
    seen: list[object] = []

    def plain() -> Generator[str, object, str]:
        try:
            seen.append((yield "a"))
            try:
                yield "b"
            except KeyError as error:
                seen.append(repr(error))
            yield "c"
            return "done"
        finally:
            seen.append("closed")

    results = []
    for function in (plain, node(plain)):
        seen.clear()
        items = function()
        steps: list[object] = [next(items), items.send("sent"), items.throw(KeyError("k"))]
        with pytest.raises(StopIteration) as stop:
            next(items)
        results.append(([*steps, stop.value.value], list(seen)))
        early = function()
        next(early)
        early.close()
        results.append(list(seen))
        with pytest.raises(StopIteration):
            next(early)
    assert results[:2] == results[2:]
    assert output(app, "plain") if len(app.capture.spans()) == 1 else True
    first, second = app.capture.spans()
    assert json.loads((first.attributes or {})["opto.output"]) == {"items": ["a", "b", "c"], "return": "done"}  # type: ignore[arg-type]
    assert json.loads((second.attributes or {})["opto.output"]) == ["a"]  # type: ignore[arg-type]
    assert first.status.status_code is second.status.status_code is StatusCode.UNSET


def test_yield_from_a_node(app: App, node: Any) -> None:
    @node
    def inner() -> Generator[int, None, int]:
        yield 1
        return 2

    @node
    def outer() -> Generator[int, None, None]:
        got = yield from inner()
        yield got

    assert list(outer()) == [1, 2]
    assert parent(app, "inner") == "outer"
    assert output(app, "outer") == [1, 2]


@pytest.mark.parametrize("how", ["break", "collected", "exhausted elsewhere"])
def test_a_generator_that_is_left_ends_its_span(app: App, node: Any, how: str) -> None:
    @node
    def stream() -> Iterator[int]:
        yield 1
        yield 2

    items = stream()
    if how == "exhausted elsewhere":
        assert next(items) == 1
        contextvars.Context().run(lambda: list(items))
    else:
        for _ in items:
            break
        if how == "collected":
            del items
        else:
            items.close()  # type: ignore[attr-defined]
    gc.collect()
    assert output(app, "stream") == ([1, 2] if how == "exhausted elsewhere" else [1])


def test_an_exception_of_a_generator_is_recorded_with_the_items_before_it(app: App, node: Any) -> None:
    @node
    def stream() -> Iterator[int]:
        yield 1
        raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        list(stream())
    span = app.capture.span("stream")
    assert span.status.status_code is StatusCode.ERROR
    assert output(app, "stream") == [1]


def test_items_are_collected_within_the_budget(app: App, node: Any) -> None:
    @node
    def stream() -> Iterator[str]:
        for _ in range(10_000):
            yield "x" * 50

    assert sum(1 for _ in stream()) == 10_000
    assert len(said(app, "stream")["opto.output"]) < 40_000
    assert said(app, "stream")["opto.truncated"] is True


def test_what_a_stream_gave_flows_on_joined(app: App, node: Any) -> None:
    @node
    def stream() -> Iterator[str]:
        yield from ["the capital ", "of Peru ", "is Lima"]

    @node
    def judge(answer: str) -> bool:
        return True

    with app.span():
        judge("".join(stream()))
    link = app.capture.span("judge").links[0]
    assert link.context.span_id == app.capture.span("stream").context.span_id  # type: ignore[union-attr]


def test_contextvars_leak_as_they_do_without_a_node(node: Any) -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

    @node
    def dependency() -> Iterator[None]:
        user.set("ada")
        yield
        assert user.get() == "bob"

    items = dependency()
    next(items)
    assert user.get() == "ada"
    user.set("bob")
    assert list(items) == []


async def test_an_async_generator_is_a_node_until_its_last_item(app: App, node: Any) -> None:
    k = app.parameter("k", 3)

    @node
    async def stream(q: str) -> AsyncIterator[str]:
        yield f"k={k.value}"
        await asyncio.sleep(0)
        with app.sdk.start_node("llm call"):
            yield "Lima"
        raise ValueError("cut off")

    items = []

    async def consume() -> None:
        async for item in stream("capital?"):
            items.append(item)  # noqa: PERF401 - the items before the exception are wanted

    with pytest.raises(ValueError, match="cut off"):
        await consume()
    assert items == ["k=3", "Lima"] == output(app, "stream")
    assert parent(app, "llm call") == "stream"
    assert said(app, "stream")["opto.param.k.value"] == 3
    assert app.capture.span("stream").status.status_code is StatusCode.ERROR


async def test_each_item_asked_for_by_another_task(app: App, node: Any, caplog: pytest.LogCaptureFixture) -> None:
    k = app.parameter("k", 3)

    @node
    async def stream() -> AsyncIterator[int]:
        with app.sdk.start_node("inner"):
            yield 1
            await asyncio.sleep(0)
            yield 2
        yield k.value
        with app.sdk.start_node("later"):
            yield 4

    items = stream()
    got = []
    with app.span("request"):
        got.append(await items.__anext__())
    got += [await asyncio.create_task(items.__anext__()) for _ in range(3)]
    with pytest.raises(StopAsyncIteration):
        await asyncio.create_task(items.__anext__())
    assert got == [1, 2, 3, 4]
    assert (parent(app, "inner"), parent(app, "later"), parent(app, "stream")) == ("stream", "stream", "request")
    assert said(app, "stream")["opto.param.k.value"] == 3
    assert not [record for record in caplog.records if "detach" in record.getMessage()]


async def test_async_generators_keep_their_protocol(app: App, node: Any) -> None:
    seen: list[object] = []

    async def plain() -> Any:
        try:
            seen.append((yield "a"))
            try:
                yield "b"
            except KeyError as error:
                seen.append(repr(error))
            yield "c"
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    results = []
    for function in (plain, node(plain)):
        seen.clear()
        items = function()
        steps = [await items.__anext__(), await items.asend("sent"), await items.athrow(KeyError("k"))]
        with pytest.raises(StopAsyncIteration):
            await items.__anext__()
        early = function()
        await early.__anext__()
        await early.aclose()
        results.append((steps, list(seen)))
    assert results[0] == results[1]
    assert len(app.capture.spans()) == 2


async def test_an_async_generator_that_nobody_ends(app: App, node: Any) -> None:
    @node
    async def stream() -> AsyncIterator[int]:
        yield 1
        yield 2

    async for _ in stream():
        break
    gc.collect()
    await asyncio.sleep(0.01)
    assert output(app, "stream") == [1]


async def test_a_function_that_gives_a_coroutine(app: App, node: Any) -> None:
    async def work(x: int) -> int:
        with app.sdk.start_node("inner"):
            await asyncio.sleep(0)
        return x + 1

    @node
    def wrapper(x: int) -> Any:
        return work(x)

    made = wrapper(1)
    assert inspect.iscoroutine(made)
    assert app.capture.spans() == ()
    assert await asyncio.create_task(made) == 2
    assert output(app, "wrapper") == 2
    assert parent(app, "inner") == "wrapper"


async def test_a_function_that_gives_a_task(app: App, node: Any) -> None:
    async def work(fail: bool) -> str:
        await asyncio.sleep(0)
        if fail:
            raise KeyError("boats")
        return "found"

    @node(name="good")
    def start(fail: bool) -> Any:
        return asyncio.ensure_future(work(fail))

    made = start(False)
    assert isinstance(made, asyncio.Task)
    assert await made == "found"
    assert output(app, "good") == "found"
    with pytest.raises(KeyError):
        await start(True)
    assert app.capture.spans()[1].status.status_code is StatusCode.ERROR


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_what_is_never_begun_ends_its_span(app: App, node: Any) -> None:
    async def work() -> None:
        return None

    @node(name="dropped")
    def wrapper() -> Any:
        return work()

    @node(name="undrawn")
    def items() -> Any:
        return (number for number in [1])

    wrapper()
    items()
    gc.collect()
    assert sorted(span.name for span in app.capture.spans()) == ["dropped", "undrawn"]


def test_a_function_that_gives_a_generator(app: App, node: Any) -> None:
    @node
    def items() -> Any:
        return (number for number in [1, 2])

    made = items()
    assert inspect.isgenerator(made)
    assert list(made) == [1, 2]
    assert output(app, "items") == [1, 2]


async def test_a_cancelled_node_ends(app: App, node: Any) -> None:
    @node
    async def work() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert app.capture.span("work").status.status_code is StatusCode.UNSET


def test_a_generator_in_another_thread(app: App, node: Any) -> None:
    @node
    def stream() -> Iterator[int]:
        yield 1
        with app.sdk.start_node("inner"):
            yield 2

    items, rest = stream(), []
    with app.span("request"):
        next(items)
    thread = threading.Thread(target=lambda: rest.extend(items))
    thread.start()
    thread.join()
    assert rest == [2]
    assert (parent(app, "inner"), parent(app, "stream")) == ("stream", "request")
