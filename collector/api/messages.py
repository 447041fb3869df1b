"""The API's protobuf messages from and to the core's dataclasses (proto/otel_opto/v1)."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace

from collector.api.bodies import message_of, split, tree_of
from collector.core.errors import InvalidRequest, some
from collector.core.feedback import Feedback, StoredFeedback
from collector.core.identity.ids import span_id_of, trace_id_of
from collector.core.parameter import MOST_PARAMETERS
from collector.core.release import Release
from collector.core.span import SpanContext
from collector.core.study import Direction, Exploration, Policy, Reach, Study, StudyRecord, Trial
from collector.core.times import bounded
from collector.feedback.batch import folded
from otel_opto.spec import InvalidValue, ParameterSpec
from otel_opto.v1 import feedback_pb2, parameter_pb2, release_pb2, study_pb2
from otel_opto.wire import spec_from_proto, value_to_proto

DEFAULT_OPTIMIZER = "search"
DEFAULT_BATCH_SIZE = 20
DEFAULT_MAX_TRIALS = 30
MAX_LABELS = 100
MAX_ATTRIBUTES = 1_000

_DIRECTIONS = {
    study_pb2.DIRECTION_UNSPECIFIED: Direction.MAXIMIZE,
    study_pb2.DIRECTION_MAXIMIZE: Direction.MAXIMIZE,
    study_pb2.DIRECTION_MINIMIZE: Direction.MINIMIZE,
}
_PROMOTIONS = {
    study_pb2.PROMOTION_APPROVAL: Policy.APPROVAL,
    study_pb2.PROMOTION_AUTOMATIC: Policy.AUTOMATIC,
}
_REACHES = {
    study_pb2.REACH_TRACE: Reach.TRACE,
    study_pb2.REACH_LINKS: Reach.LINKS,
    study_pb2.REACH_SESSION: Reach.SESSION,
}


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


def checked_feedback(feedback: Feedback) -> Feedback:
    """The feedback as it is stored, its ids in one form and its time bounded, once it is known to judge something.

    Raises:
        InvalidRequest: with every fault: the ids' form, no name, nothing said, a score that is not finite.
    """
    faults: list[str] = []
    target = _checked_target(feedback, faults)
    if not feedback.name:
        faults.append("name: found nothing; it is the metric, for example 'quality'")
    if feedback.score is not None and not math.isfinite(feedback.score):
        faults.append(f"score: found {feedback.score}, allowed are finite numbers")
    if feedback.score is None and not feedback.label and not feedback.text:
        faults.append("one of score, label and text must be there")
    if len(feedback.attributes) > MAX_ATTRIBUTES:
        faults.append(f"attributes: found {len(feedback.attributes):,}, allowed are {MAX_ATTRIBUTES:,}")
    if faults:
        raise InvalidRequest("feedback: " + "; ".join(faults))
    return replace(feedback, target=target, time_unix_nano=bounded(feedback.time_unix_nano))


def _checked_target(feedback: Feedback, faults: list[str]) -> SpanContext:
    given = feedback.target
    if feedback.response_id and not given.trace_id:
        if given.span_id:
            faults.append("span_id: a span is named by its trace_id, too; or leave both to response_id")
        return SpanContext("", "")
    trace_id = span_id = ""
    try:
        trace_id = trace_id_of(given.trace_id, "trace_id")
    except InvalidRequest as error:
        faults.append(
            f"{error}, or none where response_id names the judged answer" if not given.trace_id else str(error)
        )
    try:
        span_id = span_id_of(given.span_id, "span_id") if given.span_id else ""
    except InvalidRequest as error:
        faults.append(f"{error}, or none for the trace's root")
    return SpanContext(trace_id, span_id)


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
            target=SpanContext(message.trace_id, message.span_id),
            name=message.name,
            score=message.score if message.HasField("score") else None,
            label=message.label,
            text=message.text,
            source=message.source,
            attributes=dict(message.attributes),
            time_unix_nano=message.time_unix_nano,
            response_id=message.response_id,
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
        ),
        state=stored.state.value,
        release=stored.release or 0,
        superseded=stored.superseded,
    )


def checked_study(study: Study) -> Study:
    """The study itself, once its own fields are sound.

    Raises:
        InvalidRequest: with every fault.
    """
    amounts = {
        "labels": (len(study.labels), MAX_LABELS),
        "feedback_filter": (len(study.feedback_filter), MAX_LABELS),
        "optimizer_options": (len(study.optimizer_options), MAX_LABELS),
        "parameters": (len(study.parameters), MOST_PARAMETERS),
    }
    faults = [
        f"{name}: found {found:,}, allowed are {most:,} at most"
        for name, (found, most) in amounts.items()
        if found > most
    ]
    faults = faults or [*study.faults(), *_label_faults(study)]
    if faults:
        raise InvalidRequest("study: " + "; ".join(faults))
    return study


def _label_faults(study: Study) -> list[str]:
    faults = [f"labels: {label!r}: found {score}, allowed are finite numbers" for label, score in study.labels.items()
              if not math.isfinite(score)]  # fmt: skip
    known = [folded(label) for label in study.labels]
    faults += [
        f"labels: {label!r} stands there twice" for label in sorted({one for one in known if known.count(one) > 1})
    ]
    return [*faults, "labels: found one without a name"] if "" in known else faults


def study_from_proto(message: study_pb2.Study) -> Study:
    """The study in a message, its defaults filled in; see `checked_study`."""
    try:
        options = tree_of(message.optimizer_options_json.encode())
    except InvalidRequest as error:
        raise InvalidRequest(f"study: optimizer_options_json: {error}") from None
    if not isinstance(options, dict):
        raise InvalidRequest(f"study: optimizer_options_json: found {type(options).__name__}, allowed is an object")
    return checked_study(
        Study(
            name=message.name,
            service=message.service,
            metric=message.metric,
            direction=_DIRECTIONS.get(message.direction, Direction.MAXIMIZE),
            optimizer=message.optimizer or DEFAULT_OPTIMIZER,
            optimizer_options=options,
            parameters=tuple(message.parameters),
            batch_size=message.batch_size or DEFAULT_BATCH_SIZE,
            max_trials=message.max_trials or DEFAULT_MAX_TRIALS,
            seed=message.seed,
            feedback_filter=dict(message.feedback_filter),
            instruction=message.instruction,
            reach=_REACHES.get(message.reach, Reach.TRACE),
            labels=dict(message.labels),
            lowest=message.range.lowest if message.HasField("range") else 0.0,
            highest=message.range.highest if message.HasField("range") else 1.0,
            exploration=_exploration(message.exploration),
            promotion=_PROMOTIONS.get(message.promotion, Policy.APPROVAL),
        )
    )


def _exploration(message: study_pb2.Exploration) -> Exploration:
    given = {field.name: value for field, value in message.ListFields()}
    return Exploration(**given)


def study_to_proto(record: StudyRecord, trials: Sequence[Trial]) -> study_pb2.StudyStatus:
    """The message for a study and some of its trials."""
    study, best = record.study, record.best_trial()
    maximize = study.direction is Direction.MAXIMIZE
    return study_pb2.StudyStatus(
        study=study_pb2.Study(
            name=study.name,
            service=study.service,
            metric=study.metric,
            direction=study_pb2.DIRECTION_MAXIMIZE if maximize else study_pb2.DIRECTION_MINIMIZE,
            optimizer=study.optimizer,
            optimizer_options_json=json.dumps(study.optimizer_options),
            parameters=study.parameters,
            batch_size=study.batch_size,
            max_trials=study.max_trials,
            seed=study.seed,
            feedback_filter=study.feedback_filter,
            instruction=study.instruction,
            reach=next(number for number, reach in _REACHES.items() if reach is study.reach),
            labels=study.labels,
            exploration=study_pb2.Exploration(**asdict(study.exploration)),
            promotion=next(number for number, policy in _PROMOTIONS.items() if policy is study.promotion),
            range=study_pb2.Range(lowest=study.lowest, highest=study.highest),
        ),
        state=record.state.value,
        message=record.message,
        trials=[_trial_to_proto(trial) for trial in trials],
        best_trial=best.number if best else None,
        rejected_proposals=len(record.rejected),
    )


def _trial_to_proto(trial: Trial) -> study_pb2.Trial:
    return study_pb2.Trial(
        number=trial.number,
        release=trial.release,
        state=trial.state,
        score=trial.score,
        feedback_count=trial.feedback_count,
        reasoning=trial.reasoning,
        control_score=trial.control_score,
        given_up=trial.given_up,
    )
