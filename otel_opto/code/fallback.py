"""Released code beside the declared function: where it fails, the declared one answers within the same call."""

import inspect
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

from otel_opto.code.versions import Versions

_FAILURES = (Exception, SystemExit)
"""Of released code; cancellation and the interpreter's end are none."""


def beside(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    """The function with its versions, and of its own kind.

    Of calls within one another the outermost falls back: a recursion that fails has failed as a whole. A generator
    falls back as long as it has given no item: after that its consumer has seen what cannot be taken back.
    """
    if inspect.isasyncgenfunction(function):
        made = _streaming(function, versions)
    elif inspect.iscoroutinefunction(function):
        made = _awaiting(function, versions)
    elif inspect.isgeneratorfunction(function):
        made = _generating(function, versions)
    else:
        made = _calling(function, versions)
    return update_wrapper(made, function)


def _calling(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    def calling(*args: Any, **kwargs: Any) -> Any:
        other = versions.chosen()
        if other is None:
            return function(*args, **kwargs)
        with versions.released() as outermost:
            try:
                return other(*args, **kwargs)
            except _FAILURES as error:
                if not outermost or not versions.failed(error, other):
                    raise
        with versions.declared():
            return function(*args, **kwargs)

    return calling


def _awaiting(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    async def awaiting(*args: Any, **kwargs: Any) -> Any:
        other = versions.chosen()
        if other is None:
            return await function(*args, **kwargs)
        with versions.released() as outermost:
            try:
                return await other(*args, **kwargs)
            except _FAILURES as error:
                if not outermost or not versions.failed(error, other):
                    raise
        with versions.declared():
            return await function(*args, **kwargs)

    return awaiting


@dataclass(slots=True)
class _Course:
    """How far a generator has come.

    Attributes:
        other: The released function; None once the declared one runs.
        begun: Whether it has given an item.
        thrown: What its consumer threw into it last: that is no failure of its own.
        outermost: Whether its last step was no call within another one.
    """

    versions: Versions
    other: types.FunctionType | None
    begun: bool = False
    thrown: BaseException | None = None
    outermost: bool = True

    @contextmanager
    def step(self) -> Iterator[None]:
        """Around each step, which may run in another task or thread than the last."""
        with self.versions.released() if self.other is not None else self.versions.declared() as self.outermost:
            yield

    def falls_back(self, error: BaseException) -> bool:
        """Whether the declared function is to begin in its place."""
        if self.other is None or error is self.thrown or not self.outermost:
            return False
        if not self.versions.failed(error, self.other, begun=self.begun):
            return False
        self.other = None
        return True


def _generating(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    def generating(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        course = _Course(versions, versions.chosen())
        if course.other is None:
            return (yield from function(*args, **kwargs))
        inner = course.other(*args, **kwargs)
        resume: Callable[[], Any] = partial(next, inner)
        while True:
            try:
                with course.step():
                    item = resume()
            except StopIteration as stop:
                return stop.value
            except _FAILURES as error:
                if not course.falls_back(error):
                    raise
                inner = function(*args, **kwargs)
                resume = partial(next, inner)
                continue
            course.begun = True
            try:
                resume = partial(inner.send, (yield item))
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as thrown:  # noqa: BLE001 - the generator's own to handle
                course.thrown = thrown
                resume = partial(inner.throw, thrown)

    return generating


def _streaming(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    async def streaming(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        course = _Course(versions, versions.chosen())
        inner = (course.other or function)(*args, **kwargs)
        resume: Callable[[], Awaitable[Any]] = partial(anext, inner)
        while True:
            try:
                with course.step():
                    item = await resume()
            except StopAsyncIteration:
                return
            except _FAILURES as error:
                if not course.falls_back(error):
                    raise
                inner = function(*args, **kwargs)
                resume = partial(anext, inner)
                continue
            course.begun = True
            try:
                resume = partial(inner.asend, (yield item))
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException as thrown:  # noqa: BLE001 - the generator's own to handle
                course.thrown = thrown
                resume = partial(inner.athrow, thrown)

    return streaming
