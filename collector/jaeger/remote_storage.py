"""Jaeger's remote storage API v2: a stock Jaeger reads this store (https://www.jaegertracing.io/docs/latest/storage/).

Traces that Jaeger writes come in at the OTLP port. Structured filters are refused, as the API asks of a backend that
does not declare them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, NoReturn, TypeVar

import grpc
from opentelemetry.proto.common.v1 import common_pb2

from collector.access.table import RpcTable, rpcs
from collector.access.tokens import Scope
from collector.core.errors import InvalidRequest, TooLarge, Unavailable, words
from collector.core.identity.ids import trace_id_of
from collector.core.span import SPAN_KINDS
from collector.core.telemetry import Answer, FoundTrace, Operation, TraceQuery
from collector.core.times import LATEST
from collector.jaeger.reader import Reader
from collector.jaeger.v2 import (
    capabilities_pb2,
    capabilities_pb2_grpc,
    dependency_storage_pb2,
    dependency_storage_pb2_grpc,
    trace_storage_pb2,
    trace_storage_pb2_grpc,
)
from collector.jaeger.view import Document, as_it_is, summary_bytes
from collector.otlp.attributes import value_of
from collector.otlp.pieces import pieces
from collector.otlp.text import text_of

_CHUNK_BYTES = 5 * 2**19
"""2.5 MiB: Jaeger takes messages of 4 MiB unless it is told otherwise (``max_recv_msg_size_mib``)."""

_READERS = [
    service
    for file in (trace_storage_pb2, dependency_storage_pb2, capabilities_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
]
SERVICES = tuple(service.full_name for service in _READERS)
"""For server reflection."""

RPCS: RpcTable = {
    path: scope
    for service in _READERS
    for path, scope in rpcs(service, {method.name: Scope.READ for method in service.methods}).items()
}
"""All of it is reading."""

_DEFAULT_DEPTH = 100
_MOST = 10_000
"""Traces that one search finds; more are none that anybody looks at."""

_PARTIAL_KEY = "otel-opto-partial"
"""Metadata behind an answer: why it is a part of what was asked for."""

_T = TypeVar("_T")
_Context = grpc.aio.ServicerContext[Any, Any]


def add_to(server: grpc.aio.Server, reader: Reader) -> None:
    """Registers the three services."""
    trace_storage_pb2_grpc.add_TraceReaderServicer_to_server(TraceReader(reader), server)
    dependency_storage_pb2_grpc.add_DependencyReaderServicer_to_server(DependencyReader(reader), server)
    capabilities_pb2_grpc.add_CapabilitiesServicer_to_server(Capabilities(), server)


class TraceReader(trace_storage_pb2_grpc.TraceReaderServicer):
    """Traces, services and operations."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def GetTraces(  # noqa: N802
        self, request: trace_storage_pb2.GetTracesRequest, context: _Context
    ) -> AsyncIterator[trace_storage_pb2.TracesData]:
        """Traces by id; the times of the request are hints that are not needed here."""
        for wanted in request.query:
            data = await _answered(context, self._trace_data(wanted.trace_id))
            async for message in _messages(data):
                yield message

    async def _trace_data(self, trace_id: bytes) -> bytes:
        return await self._reader.trace_data(trace_id_of(trace_id.hex()))

    async def FindTraces(  # noqa: N802
        self, request: trace_storage_pb2.FindTracesRequest, context: _Context
    ) -> AsyncIterator[trace_storage_pb2.TracesData]:
        """Whole traces, newest first. One that is too large is left out, and the metadata at the end says so."""
        found = await _answered(context, self._find(request))
        left_out = [found.partial] if found.partial else []
        for trace in found:
            data = await _answered(context, self._fitting(trace.trace_id, left_out))
            async for message in _messages(data):
                yield message
        _say_partial(context, "; ".join(left_out))

    async def _fitting(
        self, trace_id: str, left_out: list[str], document: Document = as_it_is, *, raw: bool = False
    ) -> bytes:
        try:
            return await self._reader.shown(trace_id, document, raw=raw)
        except TooLarge as error:
            left_out.append(str(error))
            return b""

    async def FindTraceIDs(  # noqa: N802
        self, request: trace_storage_pb2.FindTracesRequest, context: _Context
    ) -> trace_storage_pb2.FindTraceIDsResponse:
        """The ids of the same traces, in the same order."""
        found = await _answered(context, self._find(request))
        _say_partial(context, found.partial)
        answer = trace_storage_pb2.FindTraceIDsResponse()
        for trace in found:
            one = answer.trace_ids.add(trace_id=bytes.fromhex(trace.trace_id))
            one.start.FromNanoseconds(trace.start_unix_nano)
        return answer

    async def FindTraceSummaries(  # noqa: N802
        self, request: trace_storage_pb2.FindTracesRequest, context: _Context
    ) -> AsyncIterator[trace_storage_pb2.FindTraceSummariesResponse]:
        """What a list shows of the same traces, in the same order."""
        found = await _answered(context, self._find(request))
        left_out = [found.partial] if found.partial else []
        for trace in found:
            summary = await _answered(context, self._fitting(trace.trace_id, left_out, summary_bytes, raw=True))
            if summary:
                message = trace_storage_pb2.TraceSummary.FromString(summary)
                yield trace_storage_pb2.FindTraceSummariesResponse(summaries=[message])
        _say_partial(context, "; ".join(left_out))

    async def _find(self, request: trace_storage_pb2.FindTracesRequest) -> Answer[FoundTrace]:
        return await self._reader.find(query_of(request.query))

    async def GetServices(  # noqa: N802
        self, request: trace_storage_pb2.GetServicesRequest, context: _Context
    ) -> trace_storage_pb2.GetServicesResponse:
        """By name."""
        found = await _answered(context, self._reader.services())
        _say_partial(context, found.partial)
        return trace_storage_pb2.GetServicesResponse(services=found)

    async def GetOperations(  # noqa: N802
        self, request: trace_storage_pb2.GetOperationsRequest, context: _Context
    ) -> trace_storage_pb2.GetOperationsResponse:
        """By name; of one kind where the request names it."""
        found = await _answered(context, self._reader.operations(request.service))
        _say_partial(context, found.partial)
        return await asyncio.to_thread(_operations, found, request.span_kind)


class DependencyReader(dependency_storage_pb2_grpc.DependencyReaderServicer):
    """Who calls whom."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def GetDependencies(  # noqa: N802
        self, request: dependency_storage_pb2.GetDependenciesRequest, context: _Context
    ) -> dependency_storage_pb2.GetDependenciesResponse:
        """Of child spans that began in that time."""
        start, end = request.start_time.ToNanoseconds(), request.end_time.ToNanoseconds()
        found = await _answered(context, self._reader.dependencies(start, end or LATEST))
        _say_partial(context, found.partial)
        answer = dependency_storage_pb2.GetDependenciesResponse()
        for one in found:
            answer.dependencies.add(parent=one.parent, child=one.child, call_count=one.call_count, source="otel-opto")
        return answer


class Capabilities(capabilities_pb2_grpc.CapabilitiesServicer):
    """What a search may leave out here."""

    async def GetCapabilities(  # noqa: N802
        self, request: capabilities_pb2.GetCapabilitiesRequest, context: _Context
    ) -> capabilities_pb2.GetCapabilitiesResponse:
        """No service name is needed, and all conditions hold on one span."""
        search = capabilities_pb2.SearchCapabilities(without_service_name=True, same_span_conjunction=True)
        return capabilities_pb2.GetCapabilitiesResponse(search=search)


def kind_name(kind: int) -> str:
    """A span kind as Jaeger names it; empty where it is unspecified or unknown."""
    return SPAN_KINDS.get(kind, "")


def query_of(message: trace_storage_pb2.TraceQueryParameters) -> TraceQuery:
    """The store's query.

    Raises:
        InvalidRequest: it holds a structured filter.
    """
    if message.HasField("filter"):
        raise InvalidRequest("query.filter: structured filters are not supported here; use the other fields")
    longest = message.duration_max.ToNanoseconds()
    return TraceQuery(
        service=message.service_name,
        operation=message.operation_name,
        attributes={item.key: _text(item.value) for item in message.attributes},
        start_min_unix_nano=message.start_time_min.ToNanoseconds(),
        start_max_unix_nano=message.start_time_max.ToNanoseconds() or LATEST,
        duration_min_nano=message.duration_min.ToNanoseconds(),
        duration_max_nano=longest or None,
        limit=min(message.search_depth, _MOST) if message.search_depth > 0 else _DEFAULT_DEPTH,
    )


def _text(value: trace_storage_pb2.AnyValue) -> str:
    """jaeger.storage.v2 has a copy of OTLP's AnyValue with the same numbers."""
    return text_of(value_of(common_pb2.AnyValue.FromString(value.SerializeToString())))


def _operations(found: Sequence[Operation], wanted: str) -> trace_storage_pb2.GetOperationsResponse:
    """There may be tens of thousands."""
    answer = trace_storage_pb2.GetOperationsResponse()
    for operation in found:
        kind = kind_name(operation.kind)
        if wanted in ("", kind):
            answer.operations.add(name=operation.name, span_kind=kind)
    return answer


async def _messages(data: bytes) -> AsyncIterator[trace_storage_pb2.TracesData]:
    """A trace in messages that Jaeger takes, each made when the one before it is on its way."""
    rest = pieces(data, _CHUNK_BYTES)
    while data and (piece := await asyncio.to_thread(next, rest, None)) is not None:
        yield trace_storage_pb2.TracesData.FromString(piece)


def _say_partial(context: _Context, why: str) -> None:
    if why:
        context.set_trailing_metadata(((_PARTIAL_KEY, why),))


async def _answered(context: _Context, asked: Awaitable[_T]) -> _T:
    try:
        return await asked
    except InvalidRequest as error:
        await _abort(context, grpc.StatusCode.INVALID_ARGUMENT, words(error))
    except Unavailable as error:
        await _abort(context, grpc.StatusCode.UNAVAILABLE, words(error))
    except TooLarge as error:
        await _abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, words(error))


async def _abort(context: _Context, code: grpc.StatusCode, message: str) -> NoReturn:
    await context.abort(code, message)
    raise AssertionError("abort raises")
