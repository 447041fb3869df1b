"""The API as JSON over HTTP, for the command line, for scripts and for applications without the SDK."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from collector.access.table import Endpoint, HttpTable
from collector.access.tokens import Scope
from collector.api.documents import (
    AcknowledgementDocument,
    FeedbacksDocument,
    ParametersDocument,
    StudyDocument,
    acknowledgement_document,
    change_document,
    feedback_document,
    parameter_document,
    parse,
    reach_of,
    release_document,
    study_document,
    trace_document,
    values_document,
)
from collector.api.drawing import MEDIA_TYPES
from collector.api.etags import none_match
from collector.api.operations import Operations
from collector.core.errors import (
    AlreadyExists,
    CollectorError,
    Conflict,
    GraphError,
    InvalidRequest,
    NotFound,
    OptimizerError,
    TooLarge,
    Unavailable,
)
from collector.core.study import Reach

_MAX_BODY_BYTES = 4 * 2**20
_STATUSES: dict[type[CollectorError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    OptimizerError: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    AlreadyExists: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
    GraphError: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def app(table: HttpTable) -> Starlette:
    """The ASGI application that serves a table, and nothing else."""
    return Starlette(
        routes=list(table.routes), exception_handlers={CollectorError: _refused, HTTPException: _not_served}
    )


def endpoints(operations: Operations, ready: Callable[[], bool]) -> Sequence[Endpoint]:
    """All that is served of the API itself, and who may ask for it.

    Args:
        operations: What is served.
        ready: Whether the collector accepts data.
    """
    served = _Served(operations, ready)
    ingest, read, publish = Scope.INGEST, Scope.READ, Scope.PUBLISH
    return [
        Endpoint("GET", "/readyz", served.readyz, None),
        Endpoint("GET", "/healthz", served.healthz, None),
        Endpoint("GET", "/metrics", served.metrics, read),
        Endpoint("GET", "/v1/stats", served.stats, read),
        Endpoint("GET", "/v1/traces", served.traces, read),
        Endpoint("GET", "/v1/traces/{trace_id}/graph", served.graph, read),
        Endpoint("GET", "/v1/feedback", served.feedback, read),
        Endpoint("POST", "/v1/feedback", served.submit_feedback, ingest),
        Endpoint("GET", "/v1/services/{service}/parameters", served.parameters, read),
        Endpoint("PUT", "/v1/services/{service}/parameters", served.declare_parameters, ingest),
        Endpoint("GET", "/v1/services/{service}/release", served.values, ingest),
        Endpoint("GET", "/v1/releases", served.releases, read),
        Endpoint("GET", "/v1/releases/{number:int}", served.release, read),
        Endpoint("GET", "/v1/releases/{number:int}/acknowledgements", served.acknowledgements, read),
        Endpoint("POST", "/v1/releases/{number:int}/acknowledgements", served.acknowledge, ingest),
        Endpoint("GET", "/v1/releases/{before:int}/diff/{number:int}", served.diff, read),
        Endpoint("POST", "/v1/releases/{number:int}/rollback", served.rollback, publish),
        Endpoint("GET", "/v1/studies", served.studies, read),
        Endpoint("POST", "/v1/studies", served.create_study, publish),
        Endpoint("GET", "/v1/studies/{name}", served.study, read),
        Endpoint("POST", "/v1/studies/{name}/stop", served.stop_study, publish),
    ]


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    kinds = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    status = next(kinds, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, Unavailable) else None
    return _error(status, str(error), headers)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, f"{request.method} {request.url.path}: {error.detail}", dict(error.headers or {}))


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise TooLarge(f"the body is longer than {_MAX_BODY_BYTES} bytes; send it in parts")
    return body


def _limit(request: Request, default: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not text.isdecimal() or len(text) > 9:
        raise InvalidRequest(f"limit: found {text!r}, allowed is a whole number; 0 means all")
    return int(text)


class _Served:
    """One method per route."""

    def __init__(self, operations: Operations, ready: Callable[[], bool]) -> None:
        self._operations = operations
        self._ready = ready

    async def readyz(self, _: Request) -> Response:
        if not self._ready():
            return PlainTextResponse("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("ready\n")

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def metrics(self, _: Request) -> Response:
        return PlainTextResponse(self._operations.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def stats(self, _: Request) -> Response:
        counts = await self._operations.counts()
        return JSONResponse(
            {
                "spans": counts.spans,
                "traces": counts.traces,
                "log_records": counts.log_records,
                "bytes": counts.bytes,
                "feedback": dict(counts.feedback),
                "counters": dict(self._operations.counters()),
            }
        )

    async def traces(self, request: Request) -> Response:
        summaries = await self._operations.traces(_limit(request, 100))
        cut = {"partial": True, "message": summaries.partial} if summaries.partial else {}
        return JSONResponse({"traces": [trace_document(summary) for summary in summaries], **cut})

    async def graph(self, request: Request) -> Response:
        reach = reach_of(request.query_params.get("reach", Reach.TRACE.value), "reach")
        form = request.query_params.get("format", "json")
        drawn = await self._operations.drawn(request.path_params["trace_id"], reach, form)
        return Response(drawn, media_type=MEDIA_TYPES[form])

    async def feedback(self, request: Request) -> Response:
        trace_id = request.query_params.get("trace_id", "")
        stored = await self._operations.feedback(trace_id, _limit(request, 100))
        return JSONResponse({"feedback": [feedback_document(item) for item in stored]})

    async def submit_feedback(self, request: Request) -> Response:
        document = parse(FeedbacksDocument, await _body(request))
        ids = await self._operations.submit_feedback([item.feedback() for item in document.feedback])
        return JSONResponse({"ids": list(ids)}, HTTPStatus.CREATED)

    async def parameters(self, request: Request) -> Response:
        specs = await self._operations.parameters(request.path_params["service"])
        return JSONResponse({"parameters": [parameter_document(spec) for spec in specs]})

    async def declare_parameters(self, request: Request) -> Response:
        specs = parse(ParametersDocument, await _body(request)).specs()
        await self._operations.declare_parameters(request.path_params["service"], specs)
        return await self.parameters(request)

    async def values(self, request: Request) -> Response:
        service = request.path_params["service"]
        release = await self._operations.release_of(service, request.query_params.get("targeting_key", ""))
        etag = f'"{release.number}-{release.hash[:16]}"' if release else '"none"'
        if not none_match(request.headers.getlist("if-none-match"), etag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
        document = values_document(service, release, await self._operations.parameters(service))
        return JSONResponse(document, headers={"ETag": etag, "Cache-Control": "no-cache"})

    async def releases(self, request: Request) -> Response:
        releases = await self._operations.releases(request.query_params.get("service", ""))
        return JSONResponse({"releases": [release_document(release) for release in releases]})

    async def release(self, request: Request) -> Response:
        return JSONResponse(release_document(await self._operations.release(request.path_params["number"])))

    async def acknowledgements(self, request: Request) -> Response:
        words = await self._operations.acknowledgements(request.path_params["number"])
        return JSONResponse({"acknowledgements": [acknowledgement_document(word) for word in words]})

    async def acknowledge(self, request: Request) -> Response:
        word = parse(AcknowledgementDocument, await _body(request))
        number = request.path_params["number"]
        await self._operations.acknowledge(word.service, word.instance_id, number, word.release_status(), word.error)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def diff(self, request: Request) -> Response:
        before, after = request.path_params["before"], request.path_params["number"]
        changes = await self._operations.diff(before, after)
        return JSONResponse(
            {"before": before, "after": after, "changes": [change_document(change) for change in changes]}
        )

    async def rollback(self, request: Request) -> Response:
        release = await self._operations.rollback(request.path_params["number"], "api")
        return JSONResponse(release_document(release), HTTPStatus.CREATED)

    async def studies(self, _: Request) -> Response:
        records = await self._operations.studies()
        return JSONResponse({"studies": [study_document(record) for record in records]})

    async def create_study(self, request: Request) -> Response:
        document = parse(StudyDocument, await _body(request))
        record = await self._operations.create_study(document.study(), "api")
        return JSONResponse(study_document(record), HTTPStatus.CREATED)

    async def study(self, request: Request) -> Response:
        return JSONResponse(study_document(await self._operations.study(request.path_params["name"])))

    async def stop_study(self, request: Request) -> Response:
        return JSONResponse(study_document(await self._operations.stop_study(request.path_params["name"], "api")))
