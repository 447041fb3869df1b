"""The current trace, release and overrides in other threads and processes.

Tasks and `asyncio.to_thread` carry them by themselves; `ThreadPoolExecutor`, `loop.run_in_executor` and process pools
do not.
"""

import concurrent.futures
import contextvars
import functools
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar

from opentelemetry import context, propagate

P = ParamSpec("P")
R = TypeVar("R")


class Carried(Generic[P, R]):
    """A function that runs in the context in which it was carried, however often and wherever it is called.

    Pickled for another process it takes the trace along, and the release in the baggage: what HTTP headers carry.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._context = contextvars.copy_context()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the function."""
        return self._context.copy().run(self._function, *args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        headers: dict[str, str] = {}
        self._context.copy().run(propagate.inject, headers)
        return _Sent, (self._function, headers)


class _Sent:
    def __init__(self, function: Callable[..., Any], headers: Mapping[str, str]) -> None:
        self._function = function
        self._headers = headers

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = context.attach(propagate.extract(self._headers))
        try:
            return self._function(*args, **kwargs)
        finally:
            context.detach(token)


def carried(function: Callable[P, R]) -> Callable[P, R]:
    """The function, to be called in the present context: ``executor.map(otel_opto.carried(work), items)``."""
    return Carried(function)


class ContextThreadPoolExecutor(concurrent.futures.ThreadPoolExecutor):
    """A `ThreadPoolExecutor` whose work runs in the context in which it was submitted.

    It can stand wherever the other one does: ``loop.set_default_executor(ContextThreadPoolExecutor())`` makes
    `run_in_executor` carry the trace.
    """

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> concurrent.futures.Future[R]:
        """See `concurrent.futures.Executor.submit`; ``map`` goes through it."""
        return super().submit(Carried(fn), *args, **kwargs)
