"""A place for every message that is being received over gRPC: the library has no budget of its own.

gRPC reads a message whole before anybody sees it, and says nothing of its size before. So each one that is coming in is
taken for as large as it may be, and only as many are let in at once as the budget has room for. The others wait; none
of them is read before its turn.
"""

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from collector.access.grpc_guard import refusing
from collector.counters import Counter, Counters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_SLOW_SECONDS = 2.0
_MOST_WAITING = 256


class _Watched:
    """A place whose message can be given up."""

    def __init__(self, began: float, revoked: "asyncio.Future[None]") -> None:
        self.began = began
        self.revoked = revoked


class GrpcGate(grpc.aio.ServerInterceptor):
    """Lets messages in, in the order in which their calls began.

    Three of four places are plain: gRPC reads the message by itself, which is the fastest way, and cannot be stopped.
    Who finds them taken is read by us, which costs a little more. So senders that stall do not keep the others out:
    where somebody waits, what has been coming in by us for two seconds is given up, the oldest first.

    Args:
        places: How many messages may come in at once, all connections together.
        counters: What is given up or turned away is counted.
    """

    def __init__(self, places: int, counters: Counters) -> None:
        self._watchable = max(1, places // 4)
        self._plain = max(0, places - self._watchable)
        self._counters = counters
        self._watched: dict[_Watched, None] = {}  # in order of their begin
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Called by gRPC for every call, before it reads the message, in the task that will read it."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        if self._plain:
            return self._plainly(handler)
        if not self._watchable and len(self._waiting) >= _MOST_WAITING:
            self._counters.add(Counter.GRPC_SHED_REQUESTS)
            return refusing(grpc.StatusCode.UNAVAILABLE, "too many calls wait; come back when they are through")
        return self._by_us(handler)

    def _plainly(self, handler: _Handler) -> _Handler:
        """The place is free when the message is there, or when the call is over before."""
        self._plain -= 1
        task, deserialize = asyncio.current_task(), handler.request_deserializer
        assert task is not None

        def leave(_: object) -> None:
            self._plain += 1
            task.remove_done_callback(leave)

        def received(message: bytes) -> Any:
            leave(message)
            return message if deserialize is None else deserialize(message)

        task.add_done_callback(leave)
        return handler._replace(request_deserializer=received)  # type: ignore[attr-defined,no-any-return] # a named tuple

    def _by_us(self, handler: _Handler) -> _Handler:
        """The same handler for a stream of one message."""
        deserialize = handler.request_deserializer or (lambda message: message)
        if not handler.response_streaming:
            unary: Any = handler.unary_unary

            async def answer(_: Any, context: _Context) -> Any:
                return await unary(deserialize(await self._received(context)), context)

            return grpc.stream_unary_rpc_method_handler(answer, None, handler.response_serializer)
        streaming: Any = handler.unary_stream
        if not inspect.isasyncgenfunction(streaming):

            async def write(_: Any, context: _Context) -> None:
                await streaming(deserialize(await self._received(context)), context)

            return grpc.stream_stream_rpc_method_handler(write, None, handler.response_serializer)

        async def generate(_: Any, context: _Context) -> AsyncIterator[Any]:
            async for one in streaming(deserialize(await self._received(context)), context):
                yield one

        return grpc.stream_stream_rpc_method_handler(generate, None, handler.response_serializer)

    async def _received(self, context: _Context) -> bytes:
        place = await self._enter()
        reading = asyncio.ensure_future(context.read())
        try:
            await asyncio.wait((reading, place.revoked), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                self._counters.add(Counter.GRPC_SHED_REQUESTS)
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the message came slowly, and others wait; try again")
            message = reading.result()
        finally:
            reading.cancel()
            self._leave(place)
        if not isinstance(message, bytes):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no message")
        return bytes(message)

    async def _enter(self) -> _Watched:
        loop = asyncio.get_running_loop()
        if self._watchable:
            self._watchable -= 1
        else:
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append(turn)
            self._hurry()
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()
                raise
        place = _Watched(loop.time(), loop.create_future())
        self._watched[place] = None
        self._hurry()
        return place

    def _leave(self, place: _Watched) -> None:
        del self._watched[place]
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._watchable += 1

    def _hurry(self) -> None:
        """Gives up what is slow while somebody waits, now or when it is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        for place in list(self._watched)[: len(self._waiting)]:
            if loop.time() - place.began < _SLOW_SECONDS:
                self._timer = loop.call_at(place.began + _SLOW_SECONDS, self._hurry)
                return
            if not place.revoked.done():
                place.revoked.set_result(None)
