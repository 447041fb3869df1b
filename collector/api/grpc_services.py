"""The API over gRPC: the four services of proto/otel_opto/v1."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from collector.access.table import RpcTable, rpcs
from collector.access.tokens import Access, Scope
from collector.api.bodies import Bodies, message_of
from collector.api.bulletins import Bulletins
from collector.api.messages import (
    declaration_in,
    feedback_in,
    release_to_proto,
    stored_feedback_to_proto,
    study_from_proto,
    study_to_proto,
)
from collector.api.operations import Operations
from collector.api.pages import numbered
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
from collector.core.feedback import Feedback
from collector.core.page import DEFAULT_ON_A_PAGE, MOST_ON_A_PAGE, PageRequest, limit_of
from collector.core.release import ReleaseStatus
from otel_opto.spec import InvalidValue, ParameterSpec
from otel_opto.v1 import (
    feedback_pb2,
    parameter_pb2,
    release_pb2,
    study_pb2,
)
from otel_opto.wire import assignment_to_proto, spec_to_proto

_Context = grpc.aio.ServicerContext[Any, Any]
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
_STATUSES = {
    release_pb2.RELEASE_STATUS_APPLIED: ReleaseStatus.APPLIED,
    release_pb2.RELEASE_STATUS_FAILED: ReleaseStatus.FAILED,
}


_INGEST, _READ, _PUBLISH = Scope.INGEST, Scope.READ, Scope.PUBLISH
_PARAMETERS = parameter_pb2.DESCRIPTOR.services_by_name["ParameterService"]
_RELEASES = release_pb2.DESCRIPTOR.services_by_name["ReleaseService"]
_FEEDBACK = feedback_pb2.DESCRIPTOR.services_by_name["FeedbackService"]
_STUDIES = study_pb2.DESCRIPTOR.services_by_name["StudyService"]


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
    answer: Callable[[Any, _Context], Any]
    serialized: bool = False


def table(operations: Operations, bulletins: Bulletins, access: Access) -> Sequence[Rpc]:
    """All that is served, and who may ask for it."""
    parameters, releases = Parameters(operations), Releases(operations, bulletins, access)
    feedback, studies = FeedbackEntries(operations), Studies(operations, access)

    def one(
        service: ServiceDescriptor,
        name: str,
        scope: Scope,
        answer: Callable[[Any, _Context], Any],
        *,
        serialized: bool = False,
    ) -> Rpc:
        kind = GetMessageClass(service.methods_by_name[name].input_type)
        return Rpc(service, name, scope, partial(message_of, kind), answer, serialized)

    return [
        Rpc(_PARAMETERS, "DeclareParameters", _INGEST, declaration_in, parameters.declare),
        one(_PARAMETERS, "ListParameters", _READ, parameters.list),
        one(_RELEASES, "WatchReleases", _INGEST, releases.watch, serialized=True),
        one(_RELEASES, "GetAssignment", _INGEST, releases.assignment),
        one(_RELEASES, "AcknowledgeRelease", _INGEST, releases.acknowledge),
        one(_RELEASES, "ListReleases", _READ, releases.list),
        one(_RELEASES, "GetRelease", _READ, releases.get),
        one(_RELEASES, "SignRelease", _PUBLISH, releases.sign),
        one(_RELEASES, "Rollback", _PUBLISH, releases.rollback),
        Rpc(_FEEDBACK, "SubmitFeedback", _INGEST, feedback_in, feedback.submit),
        one(_FEEDBACK, "ListFeedback", _READ, feedback.list),
        one(_STUDIES, "CreateStudy", _PUBLISH, studies.create),
        one(_STUDIES, "ListStudies", _READ, studies.list),
        one(_STUDIES, "GetStudy", _READ, studies.get),
        one(_STUDIES, "StopStudy", _PUBLISH, studies.stop),
    ]


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


def _answering(row: Rpc, bodies: Bodies) -> Callable[[bytes, _Context], Awaitable[Any]]:
    async def answer(body: bytes, context: _Context) -> Any:
        try:
            return await row.answer(await bodies.of_rpc(body, row.make), context)
        except (CollectorError, InvalidValue) as error:
            await _abort(context, error)

    return answer


def _streaming(row: Rpc, bodies: Bodies) -> Callable[[bytes, _Context], Awaitable[None]]:
    async def answer(body: bytes, context: _Context) -> None:
        try:
            async with aclosing(row.answer(await bodies.of_rpc(body, row.make), context)) as messages:
                async for message in messages:
                    await context.write(message)
        except (CollectorError, InvalidValue) as error:
            await _abort(context, error)

    return answer


def _page(request: Any, default: int = DEFAULT_ON_A_PAGE) -> PageRequest:
    """``page_size`` and ``page_token`` of a request (AIP-158)."""
    return PageRequest(limit_of(request.page_size or default), request.page_token)


async def _abort(context: _Context, error: Exception) -> NoReturn:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)
    await context.abort(code, words(error))
    raise AssertionError("abort raises")


class Parameters:
    """proto/otel_opto/v1/parameter.proto."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def declare(
        self, declared: tuple[str, Sequence[ParameterSpec]], context: _Context
    ) -> parameter_pb2.DeclareParametersResponse:
        """See the proto file."""
        await self._operations.declare_parameters(*declared)
        return parameter_pb2.DeclareParametersResponse()

    async def list(
        self, request: parameter_pb2.ListParametersRequest, context: _Context
    ) -> parameter_pb2.ListParametersResponse:
        """See the proto file."""
        page = await self._operations.declared(request.service, _page(request, MOST_ON_A_PAGE))
        return parameter_pb2.ListParametersResponse(
            parameters=[spec_to_proto(spec) for spec in page.items], next_page_token=page.next_cursor
        )


def _authorization(context: _Context) -> str:
    return next((str(value) for key, value in context.invocation_metadata() or () if key == "authorization"), "")


def _actor(access: Access, context: _Context) -> str:
    return access.actor(_authorization(context))


class Releases:
    """proto/otel_opto/v1/release.proto."""

    def __init__(self, operations: Operations, bulletins: Bulletins, access: Access) -> None:
        self._operations = operations
        self._bulletins = bulletins
        self._access = access

    async def watch(self, request: release_pb2.WatchReleasesRequest, context: _Context) -> AsyncIterator[bytes]:
        """See the proto file."""
        if not request.service:
            raise InvalidRequest("service: found nothing; it must be the application's service.name")
        await context.send_initial_metadata(())
        async with aclosing(self._bulletins.watch(request.service, request.applied, request.revision)) as messages:
            async for message in messages:
                yield message

    async def sign(self, request: release_pb2.SignReleaseRequest, context: _Context) -> release_pb2.SignReleaseResponse:
        """See the proto file."""
        await self._operations.sign(
            request.number, request.envelope.decode("utf-8", "replace"), _actor(self._access, context)
        )
        return release_pb2.SignReleaseResponse()

    async def assignment(
        self, request: release_pb2.GetAssignmentRequest, context: _Context
    ) -> release_pb2.GetAssignmentResponse:
        """See the proto file."""
        found = await self._operations.assignment(request.service)
        return release_pb2.GetAssignmentResponse(assignment=assignment_to_proto(found) if found else None)

    async def acknowledge(
        self, request: release_pb2.AcknowledgeReleaseRequest, context: _Context
    ) -> release_pb2.AcknowledgeReleaseResponse:
        """See the proto file."""
        status = _STATUSES.get(request.status)
        if status is None:
            raise InvalidRequest(f"status: found {request.status}, allowed are 1 (APPLIED) and 2 (FAILED)")
        await self._operations.acknowledge(request.service, request.instance_id, request.release, status, request.error)
        return release_pb2.AcknowledgeReleaseResponse()

    async def list(
        self, request: release_pb2.ListReleasesRequest, context: _Context
    ) -> release_pb2.ListReleasesResponse:
        """See the proto file."""
        page = await self._operations.releases(request.service, _page(request))
        return release_pb2.ListReleasesResponse(
            releases=[release_to_proto(release) for release in page.items], next_page_token=page.next_cursor
        )

    async def get(self, request: release_pb2.GetReleaseRequest, context: _Context) -> release_pb2.GetReleaseResponse:
        """See the proto file."""
        release = await self._operations.release(request.number)
        return release_pb2.GetReleaseResponse(release=release_to_proto(release))

    async def rollback(self, request: release_pb2.RollbackRequest, context: _Context) -> release_pb2.RollbackResponse:
        """See the proto file."""
        release = await self._operations.rollback(request.number, _actor(self._access, context))
        return release_pb2.RollbackResponse(release=release_to_proto(release))


class FeedbackEntries:
    """proto/otel_opto/v1/feedback.proto."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def submit(self, feedback: Sequence[Feedback], context: _Context) -> feedback_pb2.SubmitFeedbackResponse:
        """See the proto file."""
        return feedback_pb2.SubmitFeedbackResponse(ids=await self._operations.submit_feedback(feedback))

    async def list(
        self, request: feedback_pb2.ListFeedbackRequest, context: _Context
    ) -> feedback_pb2.ListFeedbackResponse:
        """See the proto file."""
        page = await self._operations.feedback(request.trace_id, _page(request))
        return feedback_pb2.ListFeedbackResponse(
            feedback=[stored_feedback_to_proto(item) for item in page.items], next_page_token=page.next_cursor
        )


class Studies:
    """proto/otel_opto/v1/study.proto."""

    def __init__(self, operations: Operations, access: Access) -> None:
        self._operations = operations
        self._access = access

    async def create(self, request: study_pb2.CreateStudyRequest, context: _Context) -> study_pb2.CreateStudyResponse:
        """See the proto file."""
        record = await self._operations.create_study(
            study_from_proto(request.study),
            _actor(self._access, context),
            may_approve=self._access.allows(_authorization(context), Scope.APPROVE),
        )
        return study_pb2.CreateStudyResponse(status=study_to_proto(record, record.trials))

    async def list(self, request: study_pb2.ListStudiesRequest, context: _Context) -> study_pb2.ListStudiesResponse:
        """See the proto file."""
        page = await self._operations.studies(_page(request))
        trials = PageRequest(DEFAULT_ON_A_PAGE)
        return study_pb2.ListStudiesResponse(
            studies=[study_to_proto(record, numbered("trials", record.trials, trials).items) for record in page.items],
            next_page_token=page.next_cursor,
        )

    async def get(self, request: study_pb2.GetStudyRequest, context: _Context) -> study_pb2.GetStudyResponse:
        """See the proto file."""
        record = await self._operations.study(request.name)
        trials = numbered("trials", record.trials, _page(request, MOST_ON_A_PAGE))
        return study_pb2.GetStudyResponse(
            status=study_to_proto(record, trials.items), next_page_token=trials.next_cursor
        )

    async def stop(self, request: study_pb2.StopStudyRequest, context: _Context) -> study_pb2.StopStudyResponse:
        """See the proto file."""
        record = await self._operations.stop_study(request.name, _actor(self._access, context))
        trials = numbered("trials", record.trials, PageRequest(MOST_ON_A_PAGE))
        return study_pb2.StopStudyResponse(status=study_to_proto(record, trials.items))
