"""Jaeger's query API over HTTP, for reading: version 1 (Grafana, scripts) and version 3 (newer user interfaces)."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from collector.access.table import Endpoint, Handler
from collector.access.tokens import Scope
from collector.core.errors import CollectorError, InvalidRequest, NotFound, Unavailable
from collector.core.identity.ids import trace_id_of
from collector.core.span import SPAN_KINDS
from collector.jaeger.parameters import query_v1, query_v3
from collector.jaeger.reader import Reader
from collector.jaeger.summary import summary_document
from collector.jaeger.untangled import untangled
from collector.jaeger.v1_document import trace_document
from collector.otlp.json_traces import resource_spans

_DAY_MILLIS = 86_400_000
_STATUSES = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_Method = Callable[[Request], Awaitable[object]]


def endpoints(reader: Reader, now_unix_nano: Callable[[], int]) -> Sequence[Endpoint]:
    """All that is served, each for readers. `now_unix_nano`: where a request names no time."""
    v1, v3 = _Version1(reader, now_unix_nano), _Version3(reader)
    first: list[tuple[str, _Method]] = [
        ("/api/services", v1.services),
        ("/api/services/{service}/operations", v1.operation_names),
        ("/api/operations", v1.operations),
        ("/api/traces", v1.traces),
        ("/api/traces/{trace_id}", v1.trace),
        ("/api/dependencies", v1.dependencies),
    ]
    third: list[tuple[str, _Method]] = [
        ("/api/v3/services", v3.services),
        ("/api/v3/operations", v3.operations),
        ("/api/v3/traces", v3.traces),
        ("/api/v3/traces/{trace_id}", v3.trace),
        ("/api/v3/trace-summaries", v3.summaries),
    ]
    return [
        Endpoint("GET", path, _answering(method, error_of), Scope.READ)
        for methods, error_of in ((first, _v1_error), (third, _v3_error))
        for path, method in methods
    ]


class _Version1:
    """One method per route; lists come in an envelope."""

    def __init__(self, reader: Reader, now_unix_nano: Callable[[], int]) -> None:
        self._reader = reader
        self._now_unix_nano = now_unix_nano

    async def services(self, _: Request) -> object:
        return _listed(list(await self._reader.services()))

    async def operation_names(self, request: Request) -> object:
        found = await self._reader.operations(request.path_params["service"])
        return _listed(sorted({operation.name for operation in found}))

    async def operations(self, request: Request) -> object:
        service, kind = request.query_params.get("service", ""), request.query_params.get("spanKind", "")
        if not service:
            raise InvalidRequest("service: is missing")
        found = await self._reader.operations(service)
        named = [{"name": one.name, "spanKind": SPAN_KINDS.get(one.kind, "")} for one in found]
        return _listed([one for one in named if kind in ("", one["spanKind"])])

    async def traces(self, request: Request) -> object:
        wanted = [trace_id_of(text) for text in request.query_params.getlist("traceID")]
        if not wanted:
            if not request.query_params.get("service"):
                raise InvalidRequest("service: is missing; name a service, or traces with traceID")
            wanted = [found.trace_id for found in await self._reader.find(query_v1(request.query_params))]
        datas = [await self._reader.trace_data(trace_id) for trace_id in wanted]
        return _listed([await asyncio.to_thread(trace_document, data) for data in datas if data])

    async def trace(self, request: Request) -> object:
        raw = request.query_params.get("raw") == "true"
        data = await self._reader.trace_data(trace_id_of(request.path_params["trace_id"]), raw=raw)
        if not data:
            raise NotFound("trace not found")
        return _listed([await asyncio.to_thread(trace_document, data)])

    async def dependencies(self, request: Request) -> object:
        numbers = {}
        for name, default in (("endTs", self._now_unix_nano() // 10**6), ("lookback", _DAY_MILLIS)):
            text = request.query_params.get(name, str(default))
            if not text.isdecimal() or len(text) > 15:
                raise InvalidRequest(f"{name}: found {text!r}, allowed is a whole number of milliseconds")
            numbers[name] = int(text)
        end, lookback = numbers["endTs"], numbers["lookback"]
        found = await self._reader.dependencies(max(end - lookback, 0) * 10**6, end * 10**6)
        return _listed([{"parent": one.parent, "child": one.child, "callCount": one.call_count} for one in found])


class _Version3:
    """One method per route; traces come as OTLP/JSON."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def services(self, _: Request) -> object:
        return {"services": list(await self._reader.services())}

    async def operations(self, request: Request) -> object:
        given = request.query_params
        kind = given.get("spanKind", given.get("span_kind", "")).lower()
        found = await self._reader.operations(given.get("service", ""))
        named = [{"name": one.name, "spanKind": SPAN_KINDS.get(one.kind, "")} for one in found]
        return {"operations": [one for one in named if kind in ("", one["spanKind"])]}

    async def traces(self, request: Request) -> object:
        found = await self._reader.find(query_v3(request.query_params))
        raw = _is_true(request, "query.rawTraces", "query.raw_traces")
        datas = [await self._reader.trace_data(one.trace_id, raw=raw) for one in found]
        return await asyncio.to_thread(_result, datas, raw=raw)

    async def trace(self, request: Request) -> object:
        raw = _is_true(request, "rawTraces", "raw_traces")
        data = await self._reader.trace_data(trace_id_of(request.path_params["trace_id"]), raw=raw)
        return await asyncio.to_thread(_result, [data], raw=raw)

    async def summaries(self, request: Request) -> object:
        found = await self._reader.find(query_v3(request.query_params))
        datas = [await self._reader.trace_data(one.trace_id, raw=True) for one in found]
        return {"summaries": [await asyncio.to_thread(summary_document, data) for data in datas if data]}


def _is_true(request: Request, *names: str) -> bool:
    return any(request.query_params.get(name) == "true" for name in names)


def _listed(data: Sequence[object]) -> object:
    return {"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None}


def _result(datas: Sequence[bytes], *, raw: bool) -> object:
    groups = [group for data in datas if data for group in resource_spans(data if raw else untangled(data))]
    if not groups:
        raise NotFound("No traces found")
    return {"result": {"resourceSpans": groups}}


def _v1_error(status: int, message: str) -> object:
    return {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": [{"code": status, "msg": message}]}


def _v3_error(status: int, message: str) -> object:
    return {"error": {"httpCode": status, "message": message}}


def _answering(method: _Method, error_of: Callable[[int, str], object]) -> Handler:
    async def answer(request: Request) -> Response:
        status = HTTPStatus.OK
        try:
            document = await method(request)
        except CollectorError as error:
            status = next(
                (code for kind, code in _STATUSES.items() if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
            )
            document = error_of(status, str(error))
        body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
        return Response(body, status, media_type="application/json")

    return answer
