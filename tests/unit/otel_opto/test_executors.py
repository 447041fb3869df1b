"""Work in threads and processes stays in its trace."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace

import otel_opto
from tests.unit.otel_opto.conftest import App


@pytest.fixture
def worker(app: App) -> Any:
    app.connect()
    return app.sdk.nodes.decorate(name="work")(lambda x: x)


def one_trace(app: App) -> bool:
    return len({span.context.trace_id for span in app.capture.spans() if span.context}) == 1


def test_an_executor_that_carries_the_context(app: App, worker: Any) -> None:
    k = app.parameter("k", 3)
    with app.span(), k.override(7), otel_opto.ContextThreadPoolExecutor(2) as pool:
        assert list(pool.map(worker, "ab")) == ["a", "b"]
        assert pool.submit(lambda: k.value).result() == 7
    assert one_trace(app)


def test_a_carried_function_in_any_executor(app: App, worker: Any) -> None:
    with app.span(), ThreadPoolExecutor(4) as pool:
        work = otel_opto.carried(worker)
        assert list(pool.map(work, range(50))) == list(range(50))
    assert one_trace(app)
    assert work.__name__ == worker.__name__


async def test_the_executors_of_a_loop(app: App, worker: Any) -> None:
    loop = asyncio.get_running_loop()
    pool = otel_opto.ContextThreadPoolExecutor(1)
    loop.set_default_executor(pool)
    with app.span():
        assert await loop.run_in_executor(None, worker, 1) == 1
        assert await loop.run_in_executor(None, otel_opto.carried(worker), 2) == 2
        assert await asyncio.to_thread(worker, 3) == 3
    assert one_trace(app)


def trace_id() -> int:
    return trace.get_current_span().get_span_context().trace_id


def test_a_carried_function_in_another_process(app: App, worker: Any) -> None:
    with app.span() as span, ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(otel_opto.carried(trace_id)).result(60) == span.get_span_context().trace_id
