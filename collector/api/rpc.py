"""Methods of gRPC: a row each, with what it costs to read a request bounded, and one mapping of errors to codes."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from collector.access.table import RpcTable, rpcs
from collector.access.tokens import REQUEST_ID, Access, Scope
from collector.api.bodies import Bodies, message_of
from collector.core.errors import (
    AlreadyExists,
    CollectorError,
    Conflict,
    Damaged,
    InvalidRequest,
    NotFound,
    OptimizerError,
    TooLarge,
    Unavailable,
    words,
)
from collector.core.page import DEFAULT_ON_A_PAGE, PageRequest, limit_of
from collector.core.requests import Caller
from otel_opto.spec import InvalidValue

Context = grpc.aio.ServicerContext[Any, Any]
_CODES: dict[type[Exception], grpc.StatusCode] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidValue: grpc.StatusCode.INVALID_ARGUMENT,
    OptimizerError: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    Conflict: grpc.StatusCode.FAILED_PRECONDITION,
    TooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    Damaged: grpc.StatusCode.DATA_LOSS,
}


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method of one service.

    Attributes:
        scope: What a token has to allow.
        make: What the serialized request stands for, made off the event loop; raises `CollectorError`.
        answer: Gives the response, or a stream of them.
        serialized: The answer comes as bytes already.
    """

    service: ServiceDescriptor
    name: str
    scope: Scope
    make: Callable[[bytes], Any]
    answer: Callable[[Any, Context], Any]
    serialized: bool = False


def row(
    service: ServiceDescriptor,
    name: str,
    scope: Scope,
    answer: Callable[[Any, Context], Any],
    *,
    serialized: bool = False,
) -> Rpc:
    """A method whose request is a message as it is."""
    kind = GetMessageClass(service.methods_by_name[name].input_type)
    return Rpc(service, name, scope, partial(message_of, kind), answer, serialized)


def scopes(rows: Sequence[Rpc]) -> RpcTable:
    """What the guard asks for. Every method of every service must have its row."""
    found: dict[str, Scope | None] = {}
    for service in {row.service.full_name: row.service for row in rows}.values():
        found.update(rpcs(service, {row.name: row.scope for row in rows if row.service is service}))
    return found


def handlers(rows: Sequence[Rpc], bodies: Bodies) -> tuple[grpc.GenericRpcHandler, ...]:
    """For `Server.add_generic_rpc_handlers`. Requests come as bytes: what they cost is bounded before they are read."""
    by_service: dict[str, dict[str, Any]] = {}
    for row in rows:
        streamed = row.service.methods_by_name[row.name].server_streaming
        kind = grpc.unary_stream_rpc_method_handler if streamed else grpc.unary_unary_rpc_method_handler
        served = _streaming(row, bodies) if streamed else _answering(row, bodies)
        output = row.service.methods_by_name[row.name].output_type
        serializer = None if row.serialized else GetMessageClass(output).SerializeToString
        by_service.setdefault(row.service.full_name, {})[row.name] = kind(served, response_serializer=serializer)
    return tuple(grpc.method_handlers_generic_handler(name, methods) for name, methods in by_service.items())


def _answering(row: Rpc, bodies: Bodies) -> Callable[[bytes, Context], Awaitable[Any]]:
    async def answer(body: bytes, context: Context) -> Any:
        try:
            return await row.answer(await bodies.of_rpc(body, row.make), context)
        except (CollectorError, InvalidValue) as error:
            await _abort(context, error)

    return answer


def _streaming(row: Rpc, bodies: Bodies) -> Callable[[bytes, Context], Awaitable[None]]:
    async def answer(body: bytes, context: Context) -> None:
        try:
            async with aclosing(row.answer(await bodies.of_rpc(body, row.make), context)) as messages:
                async for message in messages:
                    await context.write(message)
        except (CollectorError, InvalidValue) as error:
            await _abort(context, error)

    return answer


def page_of(request: Any, default: int = DEFAULT_ON_A_PAGE) -> PageRequest:
    """``page_size`` and ``page_token`` of a request (AIP-158)."""
    return PageRequest(limit_of(request.page_size or default), request.page_token)


async def _abort(context: Context, error: Exception) -> NoReturn:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)
    await context.abort(code, words(error))
    raise AssertionError("abort raises")


def caller_of(access: Access, context: Context) -> Caller:
    """Who asks for a change, and under which id."""
    given = {key: str(value) for key, value in context.invocation_metadata() or ()}
    return access.caller(given.get("authorization", ""), given.get(REQUEST_ID, ""))
