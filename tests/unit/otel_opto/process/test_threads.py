"""A plain `ThreadPoolExecutor`: what is submitted in a trace runs in it, and nothing else changes."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace

import otel_opto
from otel_opto.setup import Sdk
from tests.unit.otel_opto.conftest import App

other = contextvars.ContextVar("other", default="nobody's")


def current() -> int:
    return trace.get_current_span().get_span_context().trace_id


def test_work_stays_in_its_trace_and_a_thread_keeps_nothing_of_it(app: App) -> None:
    app.connect()
    with ThreadPoolExecutor(1) as pool:
        with app.span() as span:
            mine = span.get_span_context().trace_id
            assert list(pool.map(lambda _: current(), range(3))) == [mine] * 3
            assert pool.submit(otel_opto.carried(current)).result() == mine
        assert pool.submit(current).result() == 0


def test_of_the_application_no_context_goes_along(app: App) -> None:
    app.connect()
    token = other.set("the request's")
    with app.span(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(other.get).result() == "nobody's"
    other.reset(token)


def test_the_default_executor_of_a_loop_does_so_too(app: App) -> None:
    app.connect()

    async def main() -> tuple[int, int]:
        with app.span() as span:
            found = await asyncio.get_running_loop().run_in_executor(None, current)
            return span.get_span_context().trace_id, found

    mine, found = asyncio.run(main())
    assert mine == found


def test_what_fails_fails_as_before(app: App) -> None:
    app.connect()

    def failing(one: int, *, two: int) -> Any:
        raise KeyError(one + two)

    with app.span(), ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyError, match="3"):
            pool.submit(failing, 1, two=2).result()
        with pytest.raises(TypeError):
            pool.submit()  # type: ignore[call-arg]


def test_afterwards_the_class_is_what_it_was(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ThreadPoolExecutor.submit
    app.connect()
    assert ThreadPoolExecutor.submit is not before
    second = Sdk()
    second.configure(service_name="s", endpoint=app.server.endpoint, tracer_provider=app.capture.tracer_provider)
    second.shutdown()
    assert ThreadPoolExecutor.submit is not before
    app.sdk.shutdown()
    assert ThreadPoolExecutor.submit is before
    monkeypatch.setenv("OTEL_OPTO_EXECUTORS", "off")
    app.connect()
    assert ThreadPoolExecutor.submit is before


def test_what_somebody_has_put_around_it_stays(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.connect()
    ours = ThreadPoolExecutor.submit

    def around(self: Any, *args: Any, **kwargs: Any) -> Any:
        return ours(self, *args, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", around)
    app.sdk.shutdown()
    assert ThreadPoolExecutor.submit is around
    monkeypatch.undo()
    ThreadPoolExecutor.submit = ours.__wrapped__  # type: ignore[attr-defined,method-assign]
