"""The API's protobuf messages from and to the core's dataclasses (proto/otel_opto/v1)."""

from collections.abc import Sequence

from collector.api import trees
from collector.api.bodies import checked, message_of, split
from collector.api.documents import StudyDocument, judged
from collector.api.study_documents import front_document, trial_documents
from collector.core.errors import InvalidRequest, some
from collector.core.feedback import Feedback, StoredFeedback, checked_feedback
from collector.core.record import tree_of
from collector.core.release import Release
from collector.core.study import Study, StudyRecord, Trial
from otel_opto.spec import InvalidValue, ParameterSpec
from otel_opto.v1 import feedback_pb2, parameter_pb2, release_pb2, study_pb2
from otel_opto.wire import spec_from_proto, value_to_proto


def release_to_proto(release: Release, envelope: str = "") -> release_pb2.Release:
    """The message for a release, with its signature."""
    return release_pb2.Release(
        number=release.number,
        service=release.service,
        hash=release.hash,
        values=[
            release_pb2.ReleasedValue(
                key=key, value=value_to_proto(released.value), version=released.version, hash=released.hash
            )
            for key, released in sorted(release.values.items())
        ],
        parent=release.parent or 0,
        created_unix_nano=release.created_unix_nano,
        reason=release.reason,
        envelope=envelope.encode(),
    )


def declaration_in(body: bytes) -> tuple[str, Sequence[ParameterSpec]]:
    """The service and the parameters of a serialized ``DeclareParametersRequest``.

    Raises:
        InvalidRequest: with the first faults.
        TooLarge: there are too many of them.
    """
    request, items = split(parameter_pb2.DeclareParametersRequest, "parameters", body)
    specs: list[ParameterSpec] = []
    faults: list[str] = []
    for item in items:
        try:
            specs.append(spec_from_proto(message_of(parameter_pb2.ParameterSpec, item)))
        except InvalidValue as error:
            faults.append(str(error))
    if faults:
        raise InvalidRequest(some(faults, "; "))
    return request.service, specs


def feedback_in(body: bytes) -> Sequence[Feedback]:
    """The feedback of a serialized ``SubmitFeedbackRequest``; see `checked_feedback`. Raises as above."""
    _, items = split(feedback_pb2.SubmitFeedbackRequest, "feedback", body)
    return [feedback_from_proto(message_of(feedback_pb2.Feedback, item)) for item in items]


def feedback_from_proto(message: feedback_pb2.Feedback) -> Feedback:
    """The feedback in a message; see `checked_feedback`."""
    return checked_feedback(
        Feedback(
            target=judged(message.trace_id, message.span_id, message.handle),
            name=message.name,
            score=message.score if message.HasField("score") else None,
            label=message.label,
            text=message.text,
            source=message.source,
            attributes=dict(message.attributes),
            time_unix_nano=message.time_unix_nano,
            response_id=message.response_id,
            by_key=message.by_key,
            by_value=message.by_value,
        )
    )


def stored_feedback_to_proto(stored: StoredFeedback) -> feedback_pb2.StoredFeedback:
    """The message for feedback that is kept."""
    feedback = stored.feedback
    return feedback_pb2.StoredFeedback(
        id=stored.id,
        feedback=feedback_pb2.Feedback(
            trace_id=feedback.target.trace_id,
            span_id=feedback.target.span_id,
            name=feedback.name,
            score=feedback.score,
            label=feedback.label,
            text=feedback.text,
            source=feedback.source,
            attributes=feedback.attributes,
            time_unix_nano=feedback.time_unix_nano,
            response_id=feedback.response_id,
            by_key=feedback.by_key,
            by_value=feedback.by_value,
        ),
        state=stored.state.value,
        release=stored.release or 0,
        superseded=stored.superseded,
    )


def study_from_proto(message: study_pb2.Study) -> Study:
    """The study in a message, its defaults filled in. Raises `InvalidRequest` with every fault."""
    try:
        return checked(StudyDocument, trees.tree_of(message)).study()
    except InvalidRequest as error:
        raise InvalidRequest(f"study: {str(error).removeprefix('study: ')}") from None


def study_to_proto(record: StudyRecord, trials: Sequence[Trial]) -> study_pb2.StudyStatus:
    """The message for a study and some of its trials."""
    best, winner = record.best_trial(), record.winner()
    said = {
        "study": tree_of(record.study),
        "state": record.state.value,
        "message": record.message or record.standing,
        "trials": trial_documents(record, trials),
        "best_trial": best.number if best else None,
        "winner": winner.number if winner else None,
        "rejected_proposals": len(record.rejected),
        "front": (front_document(record) or {}).get("trials"),
    }
    return trees.message_of(study_pb2.StudyStatus, said)
