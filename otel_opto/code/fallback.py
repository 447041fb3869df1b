"""Released code beside the declared function: where it fails, the declared one answers within the same call."""

import inspect
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial, update_wrapper
from typing import Any, Final

from otel_opto.code.versions import Versions

_FAILURES = (Exception, SystemExit)
"""Of released code; cancellation and the interpreter's end are none."""

_END: Final = object()


def beside(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    """The function with its versions, and of its own kind.

    A generator falls back as long as it has given no item: after that its consumer has seen what cannot be taken back.
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
        try:
            return other(*args, **kwargs)
        except _FAILURES as error:
            if not versions.failed(error, other):
                raise
        token = versions.falling.set(True)
        try:
            return function(*args, **kwargs)
        finally:
            versions.falling.reset(token)

    return calling


def _awaiting(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    async def awaiting(*args: Any, **kwargs: Any) -> Any:
        other = versions.chosen()
        if other is None:
            return await function(*args, **kwargs)
        try:
            return await other(*args, **kwargs)
        except _FAILURES as error:
            if not versions.failed(error, other):
                raise
        token = versions.falling.set(True)
        try:
            return await function(*args, **kwargs)
        finally:
            versions.falling.reset(token)

    return awaiting


def _generating(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    def generating(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        other = versions.chosen()
        if other is None:
            return (yield from function(*args, **kwargs))
        inner = other(*args, **kwargs)
        try:
            item = next(inner)
        except StopIteration as stop:
            return stop.value
        except _FAILURES as error:
            if not versions.failed(error, other):
                raise
            return (yield from function(*args, **kwargs))
        try:
            return (yield from _from_there(inner, item))
        except _FAILURES as error:
            versions.failed(error, other, begun=True)
            raise

    return generating


def _from_there(inner: Generator[Any, Any, Any], item: Any) -> Generator[Any, Any, Any]:
    """``yield from`` a generator whose first item was taken already."""
    while True:
        try:
            sent = yield item
        except GeneratorExit:
            inner.close()
            raise
        except BaseException as thrown:  # noqa: BLE001 - the generator's own to handle
            step = partial(inner.throw, thrown)
        else:
            step = partial(inner.send, sent)
        try:
            item = step()
        except StopIteration as stop:
            return stop.value


def _streaming(function: types.FunctionType, versions: Versions) -> Callable[..., Any]:
    async def streaming(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        other = versions.chosen()
        inner = (other or function)(*args, **kwargs)
        try:
            item = await anext(inner, _END)
        except _FAILURES as error:
            if other is None or not versions.failed(error, other):
                raise
            other, inner = None, function(*args, **kwargs)
            item = await anext(inner, _END)
        while item is not _END:
            try:
                sent = yield item
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException as thrown:  # noqa: BLE001 - the generator's own to handle
                given = inner.athrow(thrown)
            else:
                given = inner.asend(sent)
            try:
                item = await _ended(given)
            except _FAILURES as error:
                if other is not None:
                    versions.failed(error, other, begun=True)
                raise

    return streaming


async def _ended(given: Awaitable[Any]) -> Any:
    """The next item, `_END` behind the last."""
    try:
        return await given
    except StopAsyncIteration:
        return _END
