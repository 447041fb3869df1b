"""Tokens in front of gRPC services."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

from collector.access.tokens import Access, Denied, Scope
from collector.counters import Counter, Counters

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class GrpcGuard(grpc.aio.ServerInterceptor):
    """Passes on what is allowed.

    Args:
        access: Decides.
        scope_of: What a method (``/package.Service/Method``) needs; None if it is open to everybody.
        counters: Refusals are counted.
    """

    def __init__(self, access: Access, scope_of: Callable[[str], Scope | None], counters: Counters) -> None:
        self._access = access
        self._scope_of = scope_of
        self._counters = counters

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Called by gRPC for every call."""
        needed = self._scope_of(handler_call_details.method)
        metadata = dict(handler_call_details.invocation_metadata or ())
        try:
            if needed is not None:
                self._access.check(str(metadata.get("authorization", "")), needed)
        except Denied as denied:
            self._counters.add(Counter.RECEIVER_UNAUTHENTICATED_REQUESTS)
            return _refusing(denied)
        return await continuation(handler_call_details)


def _refusing(denied: Denied) -> _Handler:
    code = grpc.StatusCode.PERMISSION_DENIED if denied.authenticated else grpc.StatusCode.UNAUTHENTICATED

    async def refuse(_: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await context.abort(code, str(denied))
        raise AssertionError("abort raises")

    return grpc.unary_unary_rpc_method_handler(refuse)
