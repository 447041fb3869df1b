"""Rollouts and the ledger over gRPC: proto/otel_opto/v1/rollout.proto and ledger.proto."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from collector.access.tokens import Access
from collector.api.bodies import checked
from collector.api.rollout_documents import (
    RolloutDocument,
    evidence_document,
    plan_document,
    recorded_document,
    standing_document,
)
from collector.api.rollouts import RolloutOperations, RolloutReport
from collector.api.rpc import Context, Rpc, caller_of, page_of, row
from collector.api.scopes import SCOPES
from collector.api.trees import message_of, tree_of
from collector.core.requests import Caller
from collector.core.rollout import Rollout
from otel_opto.v1 import ledger_pb2, rollout_pb2

_ROLLOUTS = rollout_pb2.DESCRIPTOR.services_by_name["RolloutService"]
_LEDGER = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]
_Step = Callable[[str, str, Caller], Awaitable[Rollout]]
_Answer = TypeVar("_Answer", bound=Message)


def table(operations: RolloutOperations, access: Access) -> Sequence[Rpc]:
    """All that is served of rollouts and the ledger, and who may ask for it."""
    rollouts = Rollouts(operations, access)

    def step(name: str, operation: str, taken: _Step) -> Rpc:
        return row(_ROLLOUTS, name, SCOPES[operation], rollouts.step(name, taken))

    return [
        row(_ROLLOUTS, "ListRollouts", SCOPES["rollouts"], rollouts.list),
        row(_ROLLOUTS, "GetRollout", SCOPES["rollout"], rollouts.get),
        row(_ROLLOUTS, "StartRollout", SCOPES["start_rollout"], rollouts.start),
        row(_ROLLOUTS, "ApproveRollout", SCOPES["approve_rollout"], rollouts.approve),
        step("PauseRollout", "pause_rollout", operations.pause),
        step("ResumeRollout", "resume_rollout", operations.resume),
        step("PromoteRollout", "promote_rollout", operations.promote),
        step("AbortRollout", "abort_rollout", operations.abort),
        row(_ROLLOUTS, "WatchRollout", SCOPES["watch_rollout"], rollouts.watch),
        row(_LEDGER, "ListEvents", SCOPES["audit"], rollouts.events),
    ]


class Rollouts:
    """One method per RPC."""

    def __init__(self, operations: RolloutOperations, access: Access) -> None:
        self._operations = operations
        self._access = access

    async def list(
        self, request: rollout_pb2.ListRolloutsRequest, context: Context
    ) -> rollout_pb2.ListRolloutsResponse:
        """See the proto file."""
        page = await self._operations.list(request.service, page_of(request))
        rollouts = [_rollout(one) for one in page.items]
        return _message(rollout_pb2.ListRolloutsResponse, rollouts=rollouts, next_page_token=page.next_cursor)

    async def get(self, request: rollout_pb2.GetRolloutRequest, context: Context) -> rollout_pb2.GetRolloutResponse:
        """See the proto file."""
        report = await self._operations.report(request.name)
        return _message(rollout_pb2.GetRolloutResponse, report=_report(report))

    async def start(
        self, request: rollout_pb2.StartRolloutRequest, context: Context
    ) -> rollout_pb2.StartRolloutResponse:
        """See the proto file."""
        plan = checked(RolloutDocument, tree_of(request.plan)).plan()
        rollout = await self._operations.start(request.name, plan, caller_of(self._access, context))
        return _message(rollout_pb2.StartRolloutResponse, rollout=_rollout(rollout))

    async def approve(
        self, request: rollout_pb2.ApproveRolloutRequest, context: Context
    ) -> rollout_pb2.ApproveRolloutResponse:
        """See the proto file."""
        caller = caller_of(self._access, context)
        rollout = await self._operations.approve(request.name, request.content_hash, caller)
        return _message(rollout_pb2.ApproveRolloutResponse, rollout=_rollout(rollout))

    def step(self, name: str, step: _Step) -> Callable[[Any, Context], Awaitable[Message]]:
        """Pauses, resumes, promotes or aborts; see the proto file."""
        kind = GetMessageClass(_ROLLOUTS.methods_by_name[name].output_type)

        async def taken(request: Any, context: Context) -> Message:
            rollout = await step(request.name, request.message, caller_of(self._access, context))
            return _message(kind, rollout=_rollout(rollout))

        return taken

    async def watch(
        self, request: rollout_pb2.WatchRolloutRequest, context: Context
    ) -> AsyncIterator[rollout_pb2.WatchRolloutResponse]:
        """See the proto file."""
        async with aclosing(self._operations.watch(request.name)) as reports:
            async for report in reports:
                yield _message(rollout_pb2.WatchRolloutResponse, report=_report(report))

    async def events(self, request: ledger_pb2.ListEventsRequest, context: Context) -> ledger_pb2.ListEventsResponse:
        """See the proto file."""
        page = await self._operations.audit(request.stream, request.service, page_of(request))
        events = [recorded_document(one) for one in page.items]
        return _message(ledger_pb2.ListEventsResponse, events=events, next_page_token=page.next_cursor)


def _message(kind: type[_Answer], **tree: object) -> _Answer:
    return message_of(kind, tree)


def _rollout(rollout: Rollout) -> dict[str, object]:
    return {"plan": plan_document(rollout.plan), **standing_document(rollout)}


def _report(report: RolloutReport) -> dict[str, object]:
    return {"rollout": _rollout(report.rollout), **evidence_document(report)}
