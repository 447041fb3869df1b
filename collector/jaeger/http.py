"""Jaeger's query API over HTTP, for reading: version 1 (Grafana, scripts) and version 3 (newer user interfaces)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from collector.access.table import Endpoint, Handler
from collector.access.tokens import Scope
from collector.core.errors import CollectorError, InvalidRequest, NotFound, TooLarge, Unavailable, words
from collector.core.identity.ids import trace_id_of
from collector.core.span import SPAN_KINDS
from collector.core.telemetry import Answer, Operation
from collector.jaeger.parameters import query_v1, query_v3
from collector.jaeger.parts import Parts, PartsResponse, shown
from collector.jaeger.reader import Reader
from collector.jaeger.view import dumped, summary_json, v1_json, v3_json, v3_untangled_json

_DAY_MILLIS = 86_400_000
_STATUSES = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
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
        found = await self._reader.services()
        return _listed(list(found), found.partial)

    async def operation_names(self, request: Request) -> object:
        found = await self._reader.operations(request.path_params["service"])
        return _listed(sorted({operation.name for operation in found}), found.partial)

    async def operations(self, request: Request) -> object:
        service, kind = request.query_params.get("service", ""), request.query_params.get("spanKind", "")
        if not service:
            raise InvalidRequest("service: is missing")
        found = await self._reader.operations(service)
        return _listed(await asyncio.to_thread(_named, found, kind), found.partial)

    async def traces(self, request: Request) -> object:
        wanted = [trace_id_of(text) for text in request.query_params.getlist("traceID")]
        cut = ""
        if not wanted:
            if not request.query_params.get("service"):
                raise InvalidRequest("service: is missing; name a service, or traces with traceID")
            found = await self._reader.find(query_v1(request.query_params))
            wanted, cut = [one.trace_id for one in found], found.partial
        return _v1_traces(await shown(self._reader, wanted, v1_json, cut))

    async def trace(self, request: Request) -> object:
        raw = request.query_params.get("raw") == "true"
        trace = await self._reader.shown(trace_id_of(request.path_params["trace_id"]), v1_json, raw=raw)
        if not trace:
            raise NotFound("trace not found")
        return _v1_traces(Answer((trace,)))

    async def dependencies(self, request: Request) -> object:
        numbers = {}
        for name, default in (("endTs", self._now_unix_nano() // 10**6), ("lookback", _DAY_MILLIS)):
            text = request.query_params.get(name, str(default))
            if not text.isdecimal() or len(text) > 15:
                raise InvalidRequest(f"{name}: found {text!r}, allowed is a whole number of milliseconds")
            numbers[name] = int(text)
        end, lookback = numbers["endTs"], numbers["lookback"]
        found = await self._reader.dependencies(max(end - lookback, 0) * 10**6, end * 10**6)
        called = [{"parent": one.parent, "child": one.child, "callCount": one.call_count} for one in found]
        return _listed(called, found.partial)


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
        return {"operations": await asyncio.to_thread(_named, found, kind)}

    async def traces(self, request: Request) -> object:
        found = await self._reader.find(query_v3(request.query_params))
        raw = _is_true(request, "query.rawTraces", "query.raw_traces")
        wanted = [one.trace_id for one in found]
        document = v3_json if raw else v3_untangled_json
        return _v3_traces(await shown(self._reader, wanted, document, found.partial, raw=raw))

    async def trace(self, request: Request) -> object:
        raw = _is_true(request, "rawTraces", "raw_traces")
        document = v3_json if raw else v3_untangled_json
        trace = await self._reader.shown(trace_id_of(request.path_params["trace_id"]), document, raw=raw)
        return _v3_traces(Answer((trace,) if trace else ()))

    async def summaries(self, request: Request) -> object:
        found = await self._reader.find(query_v3(request.query_params))
        wanted = [one.trace_id for one in found]
        listed = await shown(self._reader, wanted, summary_json, found.partial, raw=True)
        return Parts(b'{"summaries":[', listed.items, b"]}", listed.partial)


def _named(found: Sequence[Operation], wanted: str) -> Sequence[object]:
    """There may be tens of thousands."""
    named = [{"name": one.name, "spanKind": SPAN_KINDS.get(one.kind, "")} for one in found]
    return [one for one in named if wanted in ("", one["spanKind"])]


def _is_true(request: Request, *names: str) -> bool:
    return any(request.query_params.get(name) == "true" for name in names)


def _listed(data: Sequence[object], cut: str = "") -> object:
    return {"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": _v1_faults(cut)}


def _v1_faults(cut: str) -> object:
    """Jaeger's list of what went wrong stands beside the data; 206 is HTTP's number for a part."""
    return [{"code": int(HTTPStatus.PARTIAL_CONTENT), "msg": cut}] if cut else None


def _v1_traces(traces: Answer[bytes]) -> Parts:
    after = b'],"total":%d,"limit":0,"offset":0,"errors":%b}' % (len(traces), dumped(_v1_faults(traces.partial)))
    return Parts(b'{"data":[', traces.items, after, traces.partial)


def _v3_traces(traces: Answer[bytes]) -> Parts:
    if not traces:
        raise NotFound("No traces found" + (f": {traces.partial}" if traces.partial else ""))
    return Parts(b'{"result":{"resourceSpans":[', traces.items, b"]}}", traces.partial)


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
            document = error_of(status, words(error))
        if isinstance(document, Parts):
            return PartsResponse(document)
        return Response(dumped(document), status, media_type="application/json")

    return answer
