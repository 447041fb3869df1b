"""Rollouts, proposals and the ledger as JSON over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collector.access.table import Endpoint, Handler
from collector.access.tokens import Access
from collector.api.answers import answer
from collector.api.bodies import Bodies, parse
from collector.api.documents import release_document
from collector.api.http import caller_of
from collector.api.pages import page_document, page_in
from collector.api.rollout_documents import (
    ApprovalDocument,
    RolloutDocument,
    StepDocument,
    ValuesDocument,
    recorded_document,
    report_document,
    rollout_document,
)
from collector.api.rollouts import RolloutOperations
from collector.api.scopes import SCOPES
from collector.core.requests import Caller
from collector.core.rollout import Rollout


def endpoints(operations: RolloutOperations, access: Access, bodies: Bodies) -> Sequence[Endpoint]:
    """All that is served of rollouts, and who may ask for it."""
    served = _Served(operations, access, bodies)
    return [
        Endpoint("POST", "/v1/services/{service}/releases", served.propose_release, SCOPES["propose_release"]),
        Endpoint("GET", "/v1/rollouts", served.rollouts, SCOPES["rollouts"]),
        Endpoint("GET", "/v1/rollouts/{name}", served.rollout, SCOPES["rollout"]),
        Endpoint("PUT", "/v1/rollouts/{name}", served.start, SCOPES["start_rollout"]),
        Endpoint("POST", "/v1/rollouts/{name}/approve", served.approve, SCOPES["approve_rollout"]),
        Endpoint("POST", "/v1/rollouts/{name}/pause", served.step(operations.pause), SCOPES["pause_rollout"]),
        Endpoint("POST", "/v1/rollouts/{name}/abort", served.step(operations.abort), SCOPES["abort_rollout"]),
        Endpoint("POST", "/v1/rollouts/{name}/resume", served.step(operations.resume), SCOPES["resume_rollout"]),
        Endpoint("POST", "/v1/rollouts/{name}/promote", served.step(operations.promote), SCOPES["promote_rollout"]),
        Endpoint("GET", "/v1/audit", served.audit, SCOPES["audit"]),
    ]


class _Served:
    """One method per route."""

    def __init__(self, operations: RolloutOperations, access: Access, bodies: Bodies) -> None:
        self._operations = operations
        self._access = access
        self._bodies = bodies

    async def propose_release(self, request: Request) -> Response:
        body = await self._bodies.of_http(request, lambda text: parse(ValuesDocument, text))
        service = request.path_params["service"]
        release = await self._operations.propose_release(
            service, body.values, body.reason, caller_of(self._access, request)
        )
        return await answer(lambda: release_document(release), HTTPStatus.CREATED)

    async def rollouts(self, request: Request) -> Response:
        page = await self._operations.list(request.query_params.get("service", ""), page_in(request.query_params))
        return await answer(lambda: page_document("rollouts", page, rollout_document))

    async def rollout(self, request: Request) -> Response:
        report = await self._operations.report(request.path_params["name"])
        return await answer(lambda: report_document(report))

    async def start(self, request: Request) -> Response:
        plan = await self._bodies.of_http(request, lambda text: parse(RolloutDocument, text).plan())
        name = request.path_params["name"]
        rollout = await self._operations.start(name, plan, caller_of(self._access, request))
        return JSONResponse(rollout_document(rollout))

    async def approve(self, request: Request) -> Response:
        approval = await self._bodies.of_http(request, lambda text: parse(ApprovalDocument, text))
        name = request.path_params["name"]
        rollout = await self._operations.approve(name, approval.content_hash, caller_of(self._access, request))
        return JSONResponse(rollout_document(rollout))

    def step(self, step: Callable[[str, str, Caller], Awaitable[Rollout]]) -> Handler:
        async def taken(request: Request) -> Response:
            message = await self._bodies.of_http(request, lambda text: parse(StepDocument, text).message)
            changed = await step(request.path_params["name"], message, caller_of(self._access, request))
            return JSONResponse(rollout_document(changed))

        return taken

    async def audit(self, request: Request) -> Response:
        asked = request.query_params
        page = await self._operations.audit(asked.get("stream", ""), asked.get("service", ""), page_in(asked))
        return await answer(lambda: page_document("events", page, recorded_document))
