"""The API over gRPC: the four services of proto/otel_opto/v1."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Any, NoReturn, TypeVar

import grpc

from collector.access.table import RpcTable, rpcs
from collector.access.tokens import Scope
from collector.api.messages import (
    feedback_from_proto,
    release_to_proto,
    stored_feedback_to_proto,
    study_from_proto,
    study_to_proto,
)
from collector.api.operations import Operations
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
)
from collector.core.protocols import Publisher
from collector.core.release import ReleaseStatus
from otel_opto.assignment import Assignment
from otel_opto.spec import InvalidValue
from otel_opto.v1 import (
    feedback_pb2,
    feedback_pb2_grpc,
    parameter_pb2,
    parameter_pb2_grpc,
    release_pb2,
    release_pb2_grpc,
    study_pb2,
    study_pb2_grpc,
)
from otel_opto.wire import assignment_to_proto, spec_from_proto, spec_to_proto

_Response = TypeVar("_Response")
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
RPCS: RpcTable = {
    **rpcs(
        parameter_pb2.DESCRIPTOR.services_by_name["ParameterService"],
        {"DeclareParameters": _INGEST, "ListParameters": _READ},
    ),
    **rpcs(
        release_pb2.DESCRIPTOR.services_by_name["ReleaseService"],
        {
            "WatchReleases": _INGEST,
            "GetAssignment": _INGEST,
            "AcknowledgeRelease": _INGEST,
            "ListReleases": _READ,
            "GetRelease": _READ,
            "Rollback": _PUBLISH,
        },
    ),
    **rpcs(
        feedback_pb2.DESCRIPTOR.services_by_name["FeedbackService"],
        {"SubmitFeedback": _INGEST, "ListFeedback": _READ},
    ),
    **rpcs(
        study_pb2.DESCRIPTOR.services_by_name["StudyService"],
        {"CreateStudy": _PUBLISH, "ListStudies": _READ, "GetStudy": _READ, "StopStudy": _PUBLISH},
    ),
}


def add_to(server: grpc.aio.Server, operations: Operations, publisher: Publisher) -> None:
    """Registers all services."""
    parameter_pb2_grpc.add_ParameterServiceServicer_to_server(Parameters(operations), server)
    release_pb2_grpc.add_ReleaseServiceServicer_to_server(Releases(operations, publisher), server)
    feedback_pb2_grpc.add_FeedbackServiceServicer_to_server(FeedbackEntries(operations), server)
    study_pb2_grpc.add_StudyServiceServicer_to_server(Studies(operations), server)


async def _abort(context: _Context, error: Exception) -> NoReturn:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)
    await context.abort(code, str(error))
    raise AssertionError("abort raises")


def _mapped(
    method: Callable[[Any, Any, _Context], Awaitable[_Response]],
) -> Callable[[Any, Any, _Context], Awaitable[_Response]]:
    """A method whose errors reach the client as status codes."""

    @wraps(method)
    async def answered(self: object, request: object, context: _Context) -> _Response:
        try:
            return await method(self, request, context)
        except (CollectorError, InvalidValue) as error:
            await _abort(context, error)

    return answered


class Parameters(parameter_pb2_grpc.ParameterServiceServicer):
    """proto/otel_opto/v1/parameter.proto."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @_mapped
    async def DeclareParameters(  # noqa: N802 - gRPC's name
        self, request: parameter_pb2.DeclareParametersRequest, context: _Context
    ) -> parameter_pb2.DeclareParametersResponse:
        """See the proto file."""
        specs, faults = [], []
        for message in request.parameters:
            try:
                specs.append(spec_from_proto(message))
            except InvalidValue as error:
                faults.append(str(error))
        if faults:
            raise InvalidRequest("; ".join(faults))
        await self._operations.declare_parameters(request.service, specs)
        return parameter_pb2.DeclareParametersResponse()

    @_mapped
    async def ListParameters(  # noqa: N802
        self, request: parameter_pb2.ListParametersRequest, context: _Context
    ) -> parameter_pb2.ListParametersResponse:
        """See the proto file."""
        specs = await self._operations.parameters(request.service)
        return parameter_pb2.ListParametersResponse(parameters=[spec_to_proto(spec) for spec in specs])


class Releases(release_pb2_grpc.ReleaseServiceServicer):
    """proto/otel_opto/v1/release.proto."""

    def __init__(self, operations: Operations, publisher: Publisher) -> None:
        self._operations = operations
        self._publisher = publisher

    async def WatchReleases(  # noqa: N802
        self, request: release_pb2.WatchReleasesRequest, context: _Context
    ) -> AsyncIterator[release_pb2.WatchReleasesResponse]:
        """See the proto file."""
        if not request.service:
            await _abort(context, InvalidRequest("service: found nothing; it must be the application's service.name"))
        # The subscription comes before the look at the store, so that no release falls between the two.
        with self._publisher.watch(request.service) as published:
            await context.send_initial_metadata(())
            try:
                current = await self._operations.assignment(request.service)
                if current is not None and (current.control, current.revision) != (request.applied, request.revision):
                    yield await self._in_force(current)
                async for assignment in published:
                    yield await self._in_force(assignment)
            except Unavailable as error:
                await _abort(context, error)

    async def _in_force(self, assignment: Assignment) -> release_pb2.WatchReleasesResponse:
        control, *arms = [release_to_proto(await self._operations.release(one)) for one in assignment.releases]
        return release_pb2.WatchReleasesResponse(release=control, assignment=assignment_to_proto(assignment), arms=arms)

    @_mapped
    async def GetAssignment(  # noqa: N802
        self, request: release_pb2.GetAssignmentRequest, context: _Context
    ) -> release_pb2.GetAssignmentResponse:
        """See the proto file."""
        found = await self._operations.assignment(request.service)
        return release_pb2.GetAssignmentResponse(assignment=assignment_to_proto(found) if found else None)

    @_mapped
    async def AcknowledgeRelease(  # noqa: N802
        self, request: release_pb2.AcknowledgeReleaseRequest, context: _Context
    ) -> release_pb2.AcknowledgeReleaseResponse:
        """See the proto file."""
        status = _STATUSES.get(request.status)
        if status is None:
            raise InvalidRequest(f"status: found {request.status}, allowed are 1 (APPLIED) and 2 (FAILED)")
        await self._operations.acknowledge(request.service, request.instance_id, request.release, status, request.error)
        return release_pb2.AcknowledgeReleaseResponse()

    @_mapped
    async def ListReleases(  # noqa: N802
        self, request: release_pb2.ListReleasesRequest, context: _Context
    ) -> release_pb2.ListReleasesResponse:
        """See the proto file."""
        releases = await self._operations.releases(request.service)
        return release_pb2.ListReleasesResponse(releases=[release_to_proto(release) for release in releases])

    @_mapped
    async def GetRelease(  # noqa: N802
        self, request: release_pb2.GetReleaseRequest, context: _Context
    ) -> release_pb2.GetReleaseResponse:
        """See the proto file."""
        release = await self._operations.release(request.number)
        return release_pb2.GetReleaseResponse(release=release_to_proto(release))

    @_mapped
    async def Rollback(  # noqa: N802
        self, request: release_pb2.RollbackRequest, context: _Context
    ) -> release_pb2.RollbackResponse:
        """See the proto file."""
        release = await self._operations.rollback(request.number, "api")
        return release_pb2.RollbackResponse(release=release_to_proto(release))


class FeedbackEntries(feedback_pb2_grpc.FeedbackServiceServicer):
    """proto/otel_opto/v1/feedback.proto."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @_mapped
    async def SubmitFeedback(  # noqa: N802
        self, request: feedback_pb2.SubmitFeedbackRequest, context: _Context
    ) -> feedback_pb2.SubmitFeedbackResponse:
        """See the proto file."""
        ids = await self._operations.submit_feedback([feedback_from_proto(message) for message in request.feedback])
        return feedback_pb2.SubmitFeedbackResponse(ids=ids)

    @_mapped
    async def ListFeedback(  # noqa: N802
        self, request: feedback_pb2.ListFeedbackRequest, context: _Context
    ) -> feedback_pb2.ListFeedbackResponse:
        """See the proto file."""
        stored = await self._operations.feedback(request.trace_id, request.limit or 100)
        return feedback_pb2.ListFeedbackResponse(feedback=[stored_feedback_to_proto(item) for item in stored])


class Studies(study_pb2_grpc.StudyServiceServicer):
    """proto/otel_opto/v1/study.proto."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @_mapped
    async def CreateStudy(  # noqa: N802
        self, request: study_pb2.CreateStudyRequest, context: _Context
    ) -> study_pb2.CreateStudyResponse:
        """See the proto file."""
        record = await self._operations.create_study(study_from_proto(request.study), "api")
        return study_pb2.CreateStudyResponse(status=study_to_proto(record))

    @_mapped
    async def ListStudies(  # noqa: N802
        self, request: study_pb2.ListStudiesRequest, context: _Context
    ) -> study_pb2.ListStudiesResponse:
        """See the proto file."""
        records = await self._operations.studies()
        return study_pb2.ListStudiesResponse(studies=[study_to_proto(record) for record in records])

    @_mapped
    async def GetStudy(  # noqa: N802
        self, request: study_pb2.GetStudyRequest, context: _Context
    ) -> study_pb2.GetStudyResponse:
        """See the proto file."""
        return study_pb2.GetStudyResponse(status=study_to_proto(await self._operations.study(request.name)))

    @_mapped
    async def StopStudy(  # noqa: N802
        self, request: study_pb2.StopStudyRequest, context: _Context
    ) -> study_pb2.StopStudyResponse:
        """See the proto file."""
        return study_pb2.StopStudyResponse(
            status=study_to_proto(await self._operations.stop_study(request.name, "api"))
        )
