"""`ThreadPoolExecutor` as it is, with the trace in its threads, as OpenTelemetry's instrumentation of threads does it.

What is submitted within a trace runs within it. Only OpenTelemetry's context goes along, no other context variable:
those of the application stay where its code expects them.
"""

import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context

from otel_opto.executors import Carried


class Threads:
    """Makes `ThreadPoolExecutor.submit` carry the trace, and leaves it as it was."""

    def __init__(self) -> None:
        self._before: Callable[..., Any] | None = None
        self._ours: Callable[..., Any] | None = None

    def carry(self) -> None:
        """From now on, unless it does already."""
        before = ThreadPoolExecutor.submit
        if hasattr(before, "_otel_opto"):
            return
        self._before, self._ours = before, _submitting(before)
        ThreadPoolExecutor.submit = self._ours  # type: ignore[method-assign]

    def leave(self) -> None:
        """Not any longer. What somebody else has put around it since stays."""
        if self._before is not None and ThreadPoolExecutor.submit is self._ours:
            ThreadPoolExecutor.submit = self._before  # type: ignore[method-assign]
        self._before = self._ours = None


def _submitting(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def submit(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        current = context.get_current()
        if current and not isinstance(fn, Carried):
            return before(self, _within, current, fn, *args, **kwargs)  # type: ignore[no-any-return]
        return before(self, fn, *args, **kwargs)  # type: ignore[no-any-return]

    submit._otel_opto = True  # type: ignore[attr-defined] # noqa: SLF001 - our own mark
    return submit


def _within(current: Context, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = context.attach(current)
    try:
        return function(*args, **kwargs)
    finally:
        context.detach(token)
