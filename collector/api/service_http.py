"""Services, what is wrong, and the nodes of graphs, as JSON over HTTP."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from collector.access.table import Endpoint
from collector.api.answers import answer
from collector.api.discoveries import MOST_TRACES, Discoveries, discoveries_document
from collector.api.doctor import Doctor, doctor_document
from collector.api.documents import acknowledgement_document, assignment_document, reach_of
from collector.api.explained import explanation_document, explanation_text
from collector.api.nodes import KIND, NodesWanted
from collector.api.operations import Operations
from collector.api.pages import page_document, page_in
from collector.api.queries import graph_part, is_true, whole_in
from collector.api.rollout_documents import standing_document
from collector.api.scopes import SCOPES
from collector.api.services import Services, ServiceState, Words
from collector.core.errors import InvalidRequest
from collector.core.page import key_of
from collector.core.study import Reach
from otel_opto.assignment import BUCKETS


def endpoints(
    services: Services, operations: Operations, doctor: Doctor, discoveries: Discoveries
) -> Sequence[Endpoint]:
    """All that is served of them, and who may ask for it."""
    served = _Served(services, operations, doctor, discoveries)
    return [
        Endpoint("GET", "/v1/services", served.services, SCOPES["services"]),
        Endpoint("GET", "/v1/services/{service}", served.service, SCOPES["services"]),
        Endpoint("GET", "/v1/services/{service}/discoveries", served.discovered, SCOPES["discoveries"]),
        Endpoint("GET", "/v1/doctor", served.doctor, SCOPES["doctor"]),
        Endpoint("GET", "/v1/traces/{trace_id}/nodes", served.nodes, SCOPES["nodes"]),
        Endpoint("GET", "/v1/traces/{trace_id}/nodes/{node}", served.node, SCOPES["node"]),
        Endpoint("GET", "/v1/traces/{trace_id}/spans/{span_id}/explanation", served.explanation, SCOPES["explained"]),
    ]


class _Served:
    """One method per route."""

    def __init__(self, services: Services, operations: Operations, doctor: Doctor, discoveries: Discoveries) -> None:
        self._discoveries = discoveries
        self._services = services
        self._doctor = doctor
        self._operations = operations

    async def services(self, request: Request) -> Response:
        page = await self._services.listed(page_in(request.query_params))
        return await answer(lambda: page_document("services", page, service_document))

    async def service(self, request: Request) -> Response:
        return JSONResponse(service_document(await self._services.of(request.path_params["service"])))

    async def discovered(self, request: Request) -> Response:
        service = request.path_params["service"]
        found = await self._discoveries.of(service, whole_in(request.query_params, "traces", MOST_TRACES, 20))
        return await answer(lambda: discoveries_document(service, found))

    async def doctor(self, _: Request) -> Response:
        return JSONResponse(doctor_document(await self._doctor.findings()))

    async def nodes(self, request: Request) -> Response:
        query, page = request.query_params, page_in(request.query_params)
        (begin,) = key_of(page.cursor, KIND, int) or (0,)
        wanted = NodesWanted(graph_part(query), is_true(query, "fold"), int(begin), page.limit)
        reach = reach_of(query.get("reach", Reach.TRACE.value), "reach")
        found = await self._operations.nodes(request.path_params["trace_id"], reach, wanted)
        return Response(found, media_type="application/json")

    async def node(self, request: Request) -> Response:
        reach = reach_of(request.query_params.get("reach", Reach.TRACE.value), "reach")
        found = await self._operations.node(request.path_params["trace_id"], reach, request.path_params["node"])
        return Response(found, media_type="application/json")

    async def explanation(self, request: Request) -> Response:
        query, path = request.query_params, request.path_params
        form = query.get("format", "json")
        if form not in ("json", "text"):
            raise InvalidRequest(f"format: found {form[:80]!r}, allowed: json, text")
        reach = reach_of(query.get("reach", Reach.TRACE.value), "reach")
        found = await self._operations.explained(path["trace_id"], reach, path["span_id"])
        if form == "text":
            return PlainTextResponse(explanation_text(found))
        return await answer(lambda: explanation_document(found))


def service_document(state: ServiceState) -> dict[str, object]:
    """A service: what is in force, what its instances said of it, and what is under way."""
    assignment = state.assignment
    return {
        "service": state.service,
        "assignment": assignment_document(assignment),
        "releases": [
            {
                "release": words.release,
                "share": assignment.share(words.release) / BUCKETS if assignment is not None else 0.0,
                **_words_document(words),
            }
            for words in state.words
        ],
        "connected": state.watchers,
        "studies": list(state.studies),
        "rollouts": [{**standing_document(one), "release": one.plan.release} for one in state.rollouts],
    }


def _words_document(words: Words) -> dict[str, object]:
    return {
        "applied": words.applied,
        "failed": [acknowledgement_document(one) for one in words.failed],
        "partial": words.partial,
    }
