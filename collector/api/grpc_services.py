"""The API over gRPC: parameters, releases, feedback and studies of proto/otel_opto/v1."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from collector.access.tokens import Access
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
from collector.api.rollouts import RolloutOperations
from collector.api.rpc import Context, Rpc, caller_of, page_of, row
from collector.api.scopes import SCOPES
from collector.core.errors import InvalidRequest
from collector.core.feedback import Feedback
from collector.core.page import DEFAULT_ON_A_PAGE, MOST_ON_A_PAGE, PageRequest
from collector.core.release import ReleaseStatus
from otel_opto.spec import ParameterSpec
from otel_opto.v1 import (
    feedback_pb2,
    parameter_pb2,
    release_pb2,
    study_pb2,
)
from otel_opto.wire import assignment_to_proto, spec_to_proto, value_from_proto

_STATUSES = {
    release_pb2.RELEASE_STATUS_APPLIED: ReleaseStatus.APPLIED,
    release_pb2.RELEASE_STATUS_FAILED: ReleaseStatus.FAILED,
}


_PARAMETERS = parameter_pb2.DESCRIPTOR.services_by_name["ParameterService"]
_RELEASES = release_pb2.DESCRIPTOR.services_by_name["ReleaseService"]
_FEEDBACK = feedback_pb2.DESCRIPTOR.services_by_name["FeedbackService"]
_STUDIES = study_pb2.DESCRIPTOR.services_by_name["StudyService"]


def table(operations: Operations, rollouts: RolloutOperations, bulletins: Bulletins, access: Access) -> Sequence[Rpc]:
    """All that is served of parameters, releases, feedback and studies, and who may ask for it."""
    parameters, releases = Parameters(operations, access), Releases(operations, rollouts, bulletins, access)
    feedback, studies = FeedbackEntries(operations), Studies(operations, access)

    return [
        Rpc(_PARAMETERS, "DeclareParameters", SCOPES["declare_parameters"], declaration_in, parameters.declare),
        row(_PARAMETERS, "ListParameters", SCOPES["declared"], parameters.list),
        row(_RELEASES, "WatchReleases", SCOPES["watch_releases"], releases.watch, serialized=True),
        row(_RELEASES, "GetAssignment", SCOPES["assignment"], releases.assignment),
        row(_RELEASES, "AcknowledgeRelease", SCOPES["acknowledge"], releases.acknowledge),
        row(_RELEASES, "ListReleases", SCOPES["releases"], releases.list),
        row(_RELEASES, "GetRelease", SCOPES["release"], releases.get),
        row(_RELEASES, "ProposeRelease", SCOPES["propose_release"], releases.propose),
        row(_RELEASES, "SignRelease", SCOPES["sign"], releases.sign),
        row(_RELEASES, "Rollback", SCOPES["rollback"], releases.rollback),
        Rpc(_FEEDBACK, "SubmitFeedback", SCOPES["submit_feedback"], feedback_in, feedback.submit),
        row(_FEEDBACK, "ListFeedback", SCOPES["feedback"], feedback.list),
        row(_STUDIES, "CreateStudy", SCOPES["create_study"], studies.create),
        row(_STUDIES, "ListStudies", SCOPES["studies"], studies.list),
        row(_STUDIES, "GetStudy", SCOPES["study"], studies.get),
        row(_STUDIES, "StopStudy", SCOPES["stop_study"], studies.stop),
    ]


class Parameters:
    """proto/otel_opto/v1/parameter.proto."""

    def __init__(self, operations: Operations, access: Access) -> None:
        self._operations = operations
        self._access = access

    async def declare(
        self, declared: tuple[str, Sequence[ParameterSpec]], context: Context
    ) -> parameter_pb2.DeclareParametersResponse:
        """See the proto file."""
        await self._operations.declare_parameters(*declared, caller_of(self._access, context))
        return parameter_pb2.DeclareParametersResponse()

    async def list(
        self, request: parameter_pb2.ListParametersRequest, context: Context
    ) -> parameter_pb2.ListParametersResponse:
        """See the proto file."""
        page = await self._operations.declared(request.service, page_of(request, MOST_ON_A_PAGE))
        return parameter_pb2.ListParametersResponse(
            parameters=[spec_to_proto(spec) for spec in page.items], next_page_token=page.next_cursor
        )


class Releases:
    """proto/otel_opto/v1/release.proto."""

    def __init__(
        self, operations: Operations, rollouts: RolloutOperations, bulletins: Bulletins, access: Access
    ) -> None:
        self._operations = operations
        self._rollouts = rollouts
        self._bulletins = bulletins
        self._access = access

    async def watch(self, request: release_pb2.WatchReleasesRequest, context: Context) -> AsyncIterator[bytes]:
        """See the proto file."""
        if not request.service:
            raise InvalidRequest("service: found nothing; it must be the application's service.name")
        await context.send_initial_metadata(())
        async with aclosing(self._bulletins.watch(request.service, request.applied, request.revision)) as messages:
            async for message in messages:
                yield message

    async def sign(self, request: release_pb2.SignReleaseRequest, context: Context) -> release_pb2.SignReleaseResponse:
        """See the proto file."""
        await self._operations.sign(
            request.number, request.envelope.decode("utf-8", "replace"), caller_of(self._access, context)
        )
        return release_pb2.SignReleaseResponse()

    async def assignment(
        self, request: release_pb2.GetAssignmentRequest, context: Context
    ) -> release_pb2.GetAssignmentResponse:
        """See the proto file."""
        found = await self._operations.assignment(request.service)
        return release_pb2.GetAssignmentResponse(assignment=assignment_to_proto(found) if found else None)

    async def acknowledge(
        self, request: release_pb2.AcknowledgeReleaseRequest, context: Context
    ) -> release_pb2.AcknowledgeReleaseResponse:
        """See the proto file."""
        status = _STATUSES.get(request.status)
        if status is None:
            raise InvalidRequest(f"status: found {request.status}, allowed are 1 (APPLIED) and 2 (FAILED)")
        await self._operations.acknowledge(request.service, request.instance_id, request.release, status, request.error)
        return release_pb2.AcknowledgeReleaseResponse()

    async def list(
        self, request: release_pb2.ListReleasesRequest, context: Context
    ) -> release_pb2.ListReleasesResponse:
        """See the proto file."""
        page = await self._operations.releases(request.service, page_of(request))
        return release_pb2.ListReleasesResponse(
            releases=[release_to_proto(release) for release in page.items], next_page_token=page.next_cursor
        )

    async def get(self, request: release_pb2.GetReleaseRequest, context: Context) -> release_pb2.GetReleaseResponse:
        """See the proto file."""
        release = await self._operations.release(request.number)
        return release_pb2.GetReleaseResponse(release=release_to_proto(release))

    async def propose(
        self, request: release_pb2.ProposeReleaseRequest, context: Context
    ) -> release_pb2.ProposeReleaseResponse:
        """See the proto file."""
        values = {key: value_from_proto(value) for key, value in request.values.items()}
        release = await self._rollouts.propose_release(
            request.service, values, request.reason, caller_of(self._access, context)
        )
        return release_pb2.ProposeReleaseResponse(release=release_to_proto(release))

    async def rollback(self, request: release_pb2.RollbackRequest, context: Context) -> release_pb2.RollbackResponse:
        """See the proto file."""
        release = await self._operations.rollback(request.number, caller_of(self._access, context))
        lacks = await self._operations.unsigned(release)
        return release_pb2.RollbackResponse(release=release_to_proto(release), message=lacks)


class FeedbackEntries:
    """proto/otel_opto/v1/feedback.proto."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def submit(self, feedback: Sequence[Feedback], context: Context) -> feedback_pb2.SubmitFeedbackResponse:
        """See the proto file."""
        return feedback_pb2.SubmitFeedbackResponse(ids=await self._operations.submit_feedback(feedback))

    async def list(
        self, request: feedback_pb2.ListFeedbackRequest, context: Context
    ) -> feedback_pb2.ListFeedbackResponse:
        """See the proto file."""
        page = await self._operations.feedback(request.trace_id, page_of(request))
        return feedback_pb2.ListFeedbackResponse(
            feedback=[stored_feedback_to_proto(item) for item in page.items], next_page_token=page.next_cursor
        )


class Studies:
    """proto/otel_opto/v1/study.proto."""

    def __init__(self, operations: Operations, access: Access) -> None:
        self._operations = operations
        self._access = access

    async def create(self, request: study_pb2.CreateStudyRequest, context: Context) -> study_pb2.CreateStudyResponse:
        """See the proto file."""
        record = await self._operations.create_study(study_from_proto(request.study), caller_of(self._access, context))
        return study_pb2.CreateStudyResponse(status=study_to_proto(record, record.trials))

    async def list(self, request: study_pb2.ListStudiesRequest, context: Context) -> study_pb2.ListStudiesResponse:
        """See the proto file."""
        page = await self._operations.studies(page_of(request))
        trials = PageRequest(DEFAULT_ON_A_PAGE)
        return study_pb2.ListStudiesResponse(
            studies=[study_to_proto(record, numbered("trials", record.trials, trials).items) for record in page.items],
            next_page_token=page.next_cursor,
        )

    async def get(self, request: study_pb2.GetStudyRequest, context: Context) -> study_pb2.GetStudyResponse:
        """See the proto file."""
        record = await self._operations.study(request.name)
        trials = numbered("trials", record.trials, page_of(request, MOST_ON_A_PAGE))
        return study_pb2.GetStudyResponse(
            status=study_to_proto(record, trials.items), next_page_token=trials.next_cursor
        )

    async def stop(self, request: study_pb2.StopStudyRequest, context: Context) -> study_pb2.StopStudyResponse:
        """See the proto file."""
        record = await self._operations.stop_study(request.name, caller_of(self._access, context))
        trials = numbered("trials", record.trials, PageRequest(MOST_ON_A_PAGE))
        return study_pb2.StopStudyResponse(status=study_to_proto(record, trials.items))
