"""The API as JSON over HTTP, for the command line, for scripts and for applications without the SDK."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from collector.access.table import Endpoint, HttpTable
from collector.access.tokens import REQUEST_ID, Access
from collector.api.answers import answer
from collector.api.bodies import Bodies, parse, parse_each
from collector.api.documents import (
    AcknowledgementDocument,
    FeedbackDocument,
    ParameterDocument,
    SignatureDocument,
    StudyDocument,
    acknowledgement_document,
    assignment_document,
    change_document,
    feedback_document,
    parameter_document,
    reach_of,
    rejected_document,
    release_document,
    specs_in,
    study_document,
    study_overview,
    trace_document,
    trial_documents,
    values_document,
)
from collector.api.drawing import MEDIA_TYPES
from collector.api.etags import none_match
from collector.api.operations import Operations
from collector.api.pages import numbered, page_document, page_in
from collector.api.scopes import SCOPES
from collector.api.standing import standing_document
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
    words,
)
from collector.core.feedback import Feedback
from collector.core.page import MOST_ON_A_PAGE
from collector.core.requests import Caller
from collector.core.study import Reach
from otel_opto.spec import ParameterSpec, ParameterValue, content_hash

_Item = TypeVar("_Item")
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


def endpoints(operations: Operations, ready: Callable[[], bool], bodies: Bodies, access: Access) -> Sequence[Endpoint]:
    """All that is served of the API itself, and who may ask for it.

    Args:
        operations: What is served.
        ready: Whether the collector accepts data.
        bodies: Reads what is sent.
        access: Says who asks.
    """
    served = _Served(operations, ready, bodies, access)
    return [
        Endpoint("GET", "/readyz", served.readyz, None),
        Endpoint("GET", "/healthz", served.healthz, None),
        Endpoint("GET", "/metrics", served.metrics, SCOPES["metrics"]),
        Endpoint("GET", "/v1/stats", served.stats, SCOPES["counts"]),
        Endpoint("GET", "/v1/traces", served.traces, SCOPES["traces"]),
        Endpoint("GET", "/v1/traces/{trace_id}/graph", served.graph, SCOPES["drawn"]),
        Endpoint("GET", "/v1/feedback", served.feedback, SCOPES["feedback"]),
        Endpoint("POST", "/v1/feedback", served.submit_feedback, SCOPES["submit_feedback"]),
        Endpoint("GET", "/v1/services/{service}/parameters", served.parameters, SCOPES["declared"]),
        Endpoint("PUT", "/v1/services/{service}/parameters", served.declare_parameters, SCOPES["declare_parameters"]),
        Endpoint("GET", "/v1/services/{service}/status", served.standing, SCOPES["standing"]),
        Endpoint("GET", "/v1/services/{service}/release", served.values, SCOPES["release_of"]),
        Endpoint("GET", "/v1/releases", served.releases, SCOPES["releases"]),
        Endpoint("GET", "/v1/releases/{number:int}", served.release, SCOPES["release"]),
        Endpoint(
            "GET", "/v1/releases/{number:int}/acknowledgements", served.acknowledgements, SCOPES["acknowledgements"]
        ),
        Endpoint("POST", "/v1/releases/{number:int}/acknowledgements", served.acknowledge, SCOPES["acknowledge"]),
        Endpoint("GET", "/v1/releases/{before:int}/diff/{number:int}", served.diff, SCOPES["diff"]),
        Endpoint("POST", "/v1/releases/{number:int}/rollback", served.rollback, SCOPES["rollback"]),
        Endpoint("POST", "/v1/releases/{number:int}/signature", served.sign, SCOPES["sign"]),
        Endpoint("GET", "/v1/services/{service}/assignment", served.assignment, SCOPES["assignment"]),
        Endpoint("GET", "/v1/studies", served.studies, SCOPES["studies"]),
        Endpoint("POST", "/v1/studies", served.create_study, SCOPES["create_study"]),
        Endpoint("GET", "/v1/studies/{name}", served.study, SCOPES["study"]),
        Endpoint("GET", "/v1/studies/{name}/trials", served.trials, SCOPES["study"]),
        Endpoint("GET", "/v1/studies/{name}/rejected", served.rejected, SCOPES["study"]),
        Endpoint("POST", "/v1/studies/{name}/stop", served.stop_study, SCOPES["stop_study"]),
    ]


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    kinds = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    status = next(kinds, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, Unavailable) else None
    return _error(status, words(error), headers)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(
        error.status_code, f"{request.method} {request.url.path[:200]}: {error.detail}", dict(error.headers or {})
    )


def caller_of(access: Access, request: Request) -> Caller:
    """Who asks for a change, and under which id."""
    return access.caller(request.headers.get("authorization", ""), request.headers.get(REQUEST_ID, ""))


class _Served:
    """One method per route."""

    def __init__(self, operations: Operations, ready: Callable[[], bool], bodies: Bodies, access: Access) -> None:
        self._operations = operations
        self._access = access
        self._bodies = bodies
        self._ready = ready

    async def sign(self, request: Request) -> Response:
        envelope = await self._bodies.of_http(request, lambda body: parse(SignatureDocument, body).envelope)
        await self._operations.sign(request.path_params["number"], envelope, caller_of(self._access, request))
        return JSONResponse({})

    async def assignment(self, request: Request) -> Response:
        found = await self._operations.assignment(request.path_params["service"])
        return JSONResponse(assignment_document(found))

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
        page = await self._operations.traces(page_in(request.query_params))
        return await answer(lambda: page_document("traces", page, trace_document))

    async def graph(self, request: Request) -> Response:
        reach = reach_of(request.query_params.get("reach", Reach.TRACE.value), "reach")
        form = request.query_params.get("format", "json")
        drawn = await self._operations.drawn(request.path_params["trace_id"], reach, form)
        return Response(drawn, media_type=MEDIA_TYPES[form])

    async def feedback(self, request: Request) -> Response:
        trace_id = request.query_params.get("trace_id", "")
        page = await self._operations.feedback(trace_id, page_in(request.query_params))
        return await answer(lambda: page_document("feedback", page, feedback_document))

    async def submit_feedback(self, request: Request) -> Response:
        feedback = await self._bodies.of_http(request, _feedback_in)
        ids = await self._operations.submit_feedback(feedback)
        return await answer(lambda: {"ids": list(ids)}, HTTPStatus.CREATED)

    async def parameters(self, request: Request) -> Response:
        page = page_in(request.query_params, MOST_ON_A_PAGE)
        declared = await self._operations.declared(request.path_params["service"], page)
        return await answer(lambda: page_document("parameters", declared, parameter_document))

    async def declare_parameters(self, request: Request) -> Response:
        specs = await self._bodies.of_http(request, _specs_in)
        await self._operations.declare_parameters(
            request.path_params["service"], specs, caller_of(self._access, request)
        )
        return await self.parameters(request)

    async def standing(self, request: Request) -> Response:
        return JSONResponse(standing_document(await self._operations.standing(request.path_params["service"])))

    async def values(self, request: Request) -> Response:
        service = request.path_params["service"]
        release = await self._operations.release_of(service, request.query_params.get("targeting_key", ""))
        document = values_document(service, release, await self._operations.parameters(service))
        tag = await asyncio.to_thread(_tag_of, document)
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if not none_match(request.headers.getlist("if-none-match"), tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return await answer(lambda: document, headers=headers)

    async def releases(self, request: Request) -> Response:
        service = request.query_params.get("service", "")
        page = await self._operations.releases(service, page_in(request.query_params))
        return await answer(lambda: page_document("releases", page, release_document))

    async def release(self, request: Request) -> Response:
        release = await self._operations.release(request.path_params["number"])
        return await answer(lambda: release_document(release))

    async def acknowledgements(self, request: Request) -> Response:
        page = await self._operations.acknowledgements(request.path_params["number"], page_in(request.query_params))
        return await answer(lambda: page_document("acknowledgements", page, acknowledgement_document))

    async def acknowledge(self, request: Request) -> Response:
        word = await self._bodies.of_http(request, partial(parse, AcknowledgementDocument))
        number = request.path_params["number"]
        await self._operations.acknowledge(word.service, word.instance_id, number, word.release_status(), word.error)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def diff(self, request: Request) -> Response:
        before, after = request.path_params["before"], request.path_params["number"]
        changes = await self._operations.diff(before, after)
        return await answer(
            lambda: {"before": before, "after": after, "changes": [change_document(change) for change in changes]}
        )

    async def rollback(self, request: Request) -> Response:
        release = await self._operations.rollback(request.path_params["number"], caller_of(self._access, request))
        return await answer(lambda: release_document(release), HTTPStatus.CREATED)

    async def studies(self, request: Request) -> Response:
        page = await self._operations.studies(page_in(request.query_params))
        return await answer(lambda: page_document("studies", page, study_overview))

    async def create_study(self, request: Request) -> Response:
        study = await self._bodies.of_http(request, lambda body: parse(StudyDocument, body).study())
        record = await self._operations.create_study(study, caller_of(self._access, request))
        return await answer(lambda: study_document(record), HTTPStatus.CREATED)

    async def study(self, request: Request) -> Response:
        record = await self._operations.study(request.path_params["name"])
        return await answer(lambda: study_document(record))

    async def trials(self, request: Request) -> Response:
        record = await self._operations.study(request.path_params["name"])
        return await self._part(request, "trials", record.trials, lambda trial: trial_documents(record, [trial])[0])

    async def rejected(self, request: Request) -> Response:
        record = await self._operations.study(request.path_params["name"])
        return await self._part(request, "rejected", record.rejected, rejected_document)

    async def _part(
        self, request: Request, name: str, items: Sequence[_Item], document_of: Callable[[_Item], object]
    ) -> Response:
        page = numbered(name, items, page_in(request.query_params))
        return await answer(lambda: page_document(name, page, document_of))

    async def stop_study(self, request: Request) -> Response:
        record = await self._operations.stop_study(request.path_params["name"], caller_of(self._access, request))
        return await answer(lambda: study_document(record))


def _feedback_in(body: bytes) -> Sequence[Feedback]:
    return [document.feedback() for document in parse_each("feedback", FeedbackDocument, body)]


def _specs_in(body: bytes) -> Sequence[ParameterSpec]:
    return specs_in(parse_each("parameters", ParameterDocument, body))


def _tag_of(document: Mapping[str, Any]) -> str:
    """Of all values, those that come from the code included: another default is another answer."""
    values: Mapping[str, ParameterValue] = document["values"]
    return f'"{document["release"] or 0}-{content_hash(values.items())[:16]}"'
