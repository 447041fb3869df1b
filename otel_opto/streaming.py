"""Nodes that last longer than their call: generators, async generators, and functions that give an awaitable."""

import types
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, Final

from opentelemetry import context, trace

from otel_opto.capture import MAX_CHARS, Captured
from otel_opto.node import Node

_MAX_ITEMS: Final = 256
_MAX_JOINED: Final = 65_536


class Stream:
    """The node of a generator. Its span is the current one while the generator runs, and not while its consumer does.

    The generator goes on in the context in which it stopped, whoever asks for the next item: what it has entered (a
    span over several items) stays entered.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._base = node.context
        self._written: list[str] = []
        self._texts: list[str] | None = []
        self._size = 0
        self._joined = 0
        self._cut = False
        self._open = True

    def enter(self) -> None:
        """Before each step."""
        node = self._node
        span = trace.get_current_span(node.context)
        if span is not node.span and span.get_span_context().trace_flags.sampled and not span.is_recording():
            node.context = self._base  # a span was ended where its context could not be left
        node.enter()

    def leave(self) -> None:
        """After each step."""
        reached = context.get_current()
        self._node.leave()
        self._node.context = reached

    def add(self, item: object) -> None:
        """Collects an item as far as there is room. Texts are kept to know their whole again where it goes on."""
        captured = self._node.gave(item)
        if captured is None:
            return
        if self._texts is not None:
            self._join(item)
        if len(self._written) >= _MAX_ITEMS or self._size + len(captured.text) > 2 * MAX_CHARS:
            self._cut = True
            return
        self._cut = self._cut or captured.cut
        self._size += len(captured.text) + 2
        self._written.append(captured.text)

    def _join(self, item: object) -> None:
        if type(item) is str and self._texts is not None and self._joined + len(item) <= _MAX_JOINED:
            self._texts.append(item)
            self._joined += len(item)
        else:
            self._texts = None

    def end(self, returned: object = None) -> None:
        """After the last item: the output is the list of the items, and what was returned beside it."""
        if not self._open:
            return
        self._open = False
        node = self._node
        if self._texts:
            node.gave("".join(self._texts))
        text = f"[{', '.join(self._written)}]"
        if returned is not None:
            said = node.gave(returned)
            if said is not None:
                text, self._cut = f'{{"items": {text}, "return": {said.text}}}', self._cut or said.cut
        if node.records:
            node.say(Captured(text, self._cut))
        node.end()

    def fail(self, error: BaseException) -> None:
        """The generator ended with an exception; the items before it are an output, too."""
        if self._open:
            self._node.fail(error)
            self.end()


Begin = Callable[[tuple[Any, ...], dict[str, Any]], Node | None]
"""Makes the node of a call; None where none could be made: the call goes on."""


def generating(begin: Begin, function: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Any]:
    """The generator function as a node, from its first step to its end; what is sent and thrown reaches it."""

    def stepping(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        node = begin(args, kwargs)
        inner = function(*args, **kwargs)
        if node is None:
            return (yield from inner)
        stream = Stream(node)
        resume: Callable[[Any], Any] = inner.send
        value: Any = None
        try:
            while True:
                stop: StopIteration | None = None
                stream.enter()
                try:
                    item = resume(value)
                except StopIteration as stopped:
                    stop = stopped
                finally:
                    stream.leave()
                    value = None
                if stop is not None:
                    stream.end(stop.value)
                    return stop.value
                stream.add(item)
                try:
                    value = yield item
                    resume = inner.send
                except BaseException as thrown:  # noqa: BLE001 - the generator's own to handle
                    resume, value = inner.throw, thrown
        except BaseException as error:
            stream.fail(error)
            raise

    return stepping


def streaming(begin: Begin, function: Callable[..., AsyncGenerator[Any, Any]]) -> Callable[..., Any]:
    """The same for an async generator function."""

    async def stepping(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        node = begin(args, kwargs)
        inner = function(*args, **kwargs)
        stream = Stream(node) if node is not None else None
        resume: Callable[[Any], Any] = inner.asend
        value: Any = None
        try:
            while True:
                if stream is not None:
                    stream.enter()
                try:
                    item = await resume(value)
                except StopAsyncIteration:
                    break
                finally:
                    if stream is not None:
                        stream.leave()
                    value = None
                if stream is not None:
                    stream.add(item)
                try:
                    value = yield item
                    resume = inner.asend
                except BaseException as thrown:  # noqa: BLE001 - the generator's own to handle
                    resume, value = inner.athrow, thrown
        except BaseException as error:
            if stream is not None:
                stream.fail(error)
            raise
        if stream is not None:
            stream.end()

    return stepping


def outlasting(node: Node, result: Any) -> Any:
    """What a function gave that is only the beginning: a coroutine, a generator, a task. The node ends with it.

    A coroutine or a generator is given on in one that runs it; a task or another future is given on itself.
    """
    kind = type(result)
    if kind is types.CoroutineType:
        driver: Any = _awaited(node, result)
    elif kind is types.GeneratorType:
        driver = generating(lambda *_: node, lambda: result)()
    elif kind is types.AsyncGeneratorType:
        driver = streaming(lambda *_: node, lambda: result)()
    elif callable(getattr(kind, "add_done_callback", None)):
        result.add_done_callback(lambda future: _settled(node, future))
        return result
    else:
        node.close(result)
        return result
    driver.__name__, driver.__qualname__ = result.__name__, result.__qualname__
    weakref.finalize(driver, _dropped, node, result).atexit = False
    return driver


async def _awaited(node: Node, coroutine: Coroutine[Any, Any, Any]) -> Any:
    node.enter()
    try:
        result = await coroutine
    except BaseException as error:
        node.abort(error)
        raise
    node.close(result)
    return result


def _dropped(node: Node, result: Any) -> None:
    """Nobody has begun with it, or it has ended; the first kind says itself that it was never awaited."""
    if node.span.is_recording():
        node.end()
    if type(result) is types.CoroutineType:
        result.close()


def _settled(node: Node, future: Any) -> None:
    """Reads what a future came to without asking it: that would count as having seen its exception."""
    error = getattr(future, "_exception", None)
    if isinstance(error, Exception):
        node.fail(error)
    elif error is None and not future.cancelled():
        node.output(getattr(future, "_result", None))
    node.end()
