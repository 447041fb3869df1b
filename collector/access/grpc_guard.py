"""Tokens in front of gRPC services."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

from collector.access.table import RpcTable
from collector.access.tokens import Access, Denied
from collector.counters import Counter, Counters

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class GrpcGuard(grpc.aio.ServerInterceptor):
    """Passes on what is allowed.

    Args:
        access: Decides.
        table: What is served. A method that is not in it is refused, whatever the server behind it would do.
        counters: Refusals are counted.
    """

    def __init__(self, access: Access, table: RpcTable, counters: Counters) -> None:
        self._access = access
        self._table = table
        self._counters = counters

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["_Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Called by gRPC for every call."""
        method = handler_call_details.method
        listed, needed = method in self._table, self._table.get(method)
        metadata = dict(handler_call_details.invocation_metadata or ())
        try:
            if needed is not None or not listed:
                self._access.check(str(metadata.get("authorization", "")), needed)
        except Denied as denied:
            self._counters.add(Counter.RECEIVER_UNAUTHENTICATED_REQUESTS)
            code = grpc.StatusCode.PERMISSION_DENIED if denied.authenticated else grpc.StatusCode.UNAUTHENTICATED
            return refusing(code, str(denied))
        if not listed:
            return refusing(grpc.StatusCode.UNIMPLEMENTED, f"{method[:200]} is not served here")
        return await continuation(handler_call_details)


def refusing(code: grpc.StatusCode, words: str) -> _Handler:
    """A handler that answers without a look at the message.

    It takes the request for a stream: a message that is expected gRPC would read first, whole.
    """

    async def refuse(_: Any, context: grpc.aio.ServicerContext[Any, bytes]) -> bytes:
        await context.abort(code, words)
        raise AssertionError("abort raises")

    return grpc.stream_unary_rpc_method_handler(refuse)
