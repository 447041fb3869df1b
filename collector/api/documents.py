"""The API's JSON documents: what comes in, checked by pydantic; what goes out, as plain dictionaries."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from collector.api.messages import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_MAX_TRIALS,
    DEFAULT_OPTIMIZER,
    checked_feedback,
    checked_study,
)
from collector.core.errors import InvalidRequest
from collector.core.feedback import Feedback, StoredFeedback, score_of
from collector.core.release import Acknowledgement, Release, ReleaseStatus, ValueChange
from collector.core.span import SpanContext
from collector.core.study import Direction, Exploration, Policy, Reach, Study, StudyRecord
from collector.core.telemetry import TraceSummary
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType, ParameterValue

_Document = TypeVar("_Document", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ParameterDocument(_Strict):
    """One declared parameter."""

    key: str
    type: str
    default: bool | int | float | str
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] = []
    max_length: int | None = None
    placeholders: list[str] = []
    pattern: str | None = None
    candidates: list[str] = []
    description: str = ""
    trainable: bool = True

    def spec(self) -> ParameterSpec:
        """The specification. Raises `InvalidValue` if it contradicts itself."""
        kinds = {kind.value: kind for kind in ParameterType}
        if self.type not in kinds:
            raise InvalidValue(f"parameter {self.key!r}: type: found {self.type!r}, allowed: {', '.join(kinds)}")
        constraint = Constraint(
            minimum=self.minimum,
            maximum=self.maximum,
            choices=tuple(self.choices),
            max_length=self.max_length,
            placeholders=tuple(self.placeholders),
            pattern=self.pattern,
            candidates=tuple(self.candidates),
        )
        return ParameterSpec(self.key, kinds[self.type], self.default, constraint, self.description, self.trainable)


class ParametersDocument(_Strict):
    """The body of a declaration."""

    parameters: list[ParameterDocument]

    def specs(self) -> Sequence[ParameterSpec]:
        """All of them. Raises `InvalidRequest` with every fault."""
        specs, faults = [], []
        for document in self.parameters:
            try:
                specs.append(document.spec())
            except InvalidValue as error:
                faults.append(str(error))
        if faults:
            raise InvalidRequest("; ".join(faults))
        return specs


class FeedbackDocument(_Strict):
    """One feedback."""

    trace_id: str = ""
    span_id: str = ""
    response_id: str = ""
    name: str
    score: Annotated[float | None, BeforeValidator(score_of)] = None
    label: str = ""
    text: str = ""
    source: str = "api"
    attributes: dict[str, str] = {}
    time_unix_nano: int = 0

    def feedback(self) -> Feedback:
        """The feedback. Raises `InvalidRequest` with every fault."""
        content = self.model_dump(exclude={"trace_id", "span_id"})
        return checked_feedback(Feedback(SpanContext(self.trace_id, self.span_id), **content))


class FeedbacksDocument(_Strict):
    """The body of a submission."""

    feedback: list[FeedbackDocument]


_EXPLORATION = Exploration()


class ExplorationDocument(_Strict):
    """How a study tries releases."""

    share: float = _EXPLORATION.share
    parallel: int = _EXPLORATION.parallel
    deadline_seconds: float = _EXPLORATION.deadline_seconds
    feedback_delay_seconds: float = _EXPLORATION.feedback_delay_seconds


class StudyDocument(_Strict):
    """The body that creates a study."""

    name: str
    service: str
    metric: str
    direction: str = "maximize"
    optimizer: str = DEFAULT_OPTIMIZER
    optimizer_options: dict[str, Any] = {}
    parameters: list[str] = []
    batch_size: int = DEFAULT_BATCH_SIZE
    max_trials: int = DEFAULT_MAX_TRIALS
    seed: int = Field(0, ge=0, lt=2**32)
    feedback_filter: dict[str, str] = {}
    instruction: str = ""
    reach: str = Reach.TRACE.value
    labels: dict[str, float] = {}
    lowest: float = 0.0
    highest: float = 1.0
    exploration: ExplorationDocument = ExplorationDocument()
    promotion: str = Policy.APPROVAL.value

    def study(self) -> Study:
        """The study. Raises `InvalidRequest` with every fault."""
        directions = {direction.value: direction for direction in Direction}
        if self.direction not in directions:
            raise InvalidRequest(f"study: direction: found {self.direction!r}, allowed: {', '.join(directions)}")
        policies = {policy.value: policy for policy in Policy}
        if self.promotion not in policies:
            raise InvalidRequest(f"study: promotion: found {self.promotion!r}, allowed: {', '.join(policies)}")
        content = self.model_dump(exclude={"direction", "parameters", "reach", "exploration", "promotion"})
        return checked_study(
            Study(
                direction=directions[self.direction],
                parameters=tuple(self.parameters),
                reach=reach_of(self.reach, "study: reach"),
                exploration=Exploration(**self.exploration.model_dump()),
                promotion=policies[self.promotion],
                **content,
            )
        )


def reach_of(text: str, where: str) -> Reach:
    """Raises `InvalidRequest` for anything that is none."""
    reaches = {reach.value: reach for reach in Reach}
    if text not in reaches:
        raise InvalidRequest(f"{where}: found {text!r}, allowed: {', '.join(reaches)}")
    return reaches[text]


class AcknowledgementDocument(_Strict):
    """The body of an application's word on a release."""

    service: str
    instance_id: str = ""
    status: str
    error: str = ""

    def release_status(self) -> ReleaseStatus:
        """Raises `InvalidRequest` for anything but APPLIED and FAILED."""
        try:
            return ReleaseStatus(self.status)
        except ValueError:
            raise InvalidRequest(f"status: found {self.status!r}, allowed: APPLIED, FAILED") from None


def parse(model: type[_Document], body: bytes) -> _Document:
    """A document out of a request body.

    Raises:
        InvalidRequest: with every fault and its key path.
    """
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise InvalidRequest("; ".join(faults_of(error))) from None


def faults_of(error: ValidationError) -> list[str]:
    """Every fault of a validation: key path, what is wrong, what was found."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        path = ".".join(str(part) for part in fault["loc"]) or "body"
        found = "" if fault["type"] in ("missing", "json_invalid") else f"; found {_short(fault['input'])}"
        faults.append(f"{path}: {fault['msg'][:1].lower()}{fault['msg'][1:]}{found}")
    return faults


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def parameter_document(spec: ParameterSpec) -> dict[str, object]:
    """A declared parameter; constraints that are not set are left out."""
    limits = {name: getattr(spec.constraint, name) for name in Constraint.__dataclass_fields__}
    return {
        "key": spec.key,
        "type": spec.type.value,
        "default": spec.default,
        **{
            name: list(limit) if isinstance(limit, tuple) else limit
            for name, limit in limits.items()
            if limit not in (None, ())
        },
        "description": spec.description,
        "trainable": spec.trainable,
    }


def release_document(release: Release) -> dict[str, object]:
    """A release, whole."""
    return {
        "number": release.number,
        "service": release.service,
        "hash": release.hash,
        "parent": release.parent,
        "created_unix_nano": release.created_unix_nano,
        "reason": release.reason,
        "values": {key: released.value for key, released in release.values.items()},
        "versions": {key: released.version for key, released in release.values.items()},
    }


def values_document(service: str, release: Release | None, defaults: Sequence[ParameterSpec]) -> dict[str, object]:
    """What an application without the SDK applies: the values in force, with what to write on its spans."""
    parameters: dict[str, dict[str, ParameterValue | None]] = {
        spec.key: {"value": spec.default, "version": None, "hash": None} for spec in defaults
    }
    for key, released in release.values.items() if release else ():
        parameters[key] = {"value": released.value, "version": released.version, "hash": released.hash}
    return {
        "service": service,
        "release": release.number if release else None,
        "hash": release.hash if release else None,
        "values": {key: parameter["value"] for key, parameter in parameters.items()},
        "parameters": parameters,
    }


def change_document(change: ValueChange) -> dict[str, object]:
    """One line of a diff."""
    return {"key": change.key, "before": change.before, "after": change.after}


def acknowledgement_document(acknowledgement: Acknowledgement) -> dict[str, object]:
    """An application's word on a release."""
    return {
        "service": acknowledgement.service,
        "instance_id": acknowledgement.instance_id,
        "release": acknowledgement.release,
        "status": acknowledgement.status.value,
        "error": acknowledgement.error,
        "time_unix_nano": acknowledgement.time_unix_nano,
    }


def feedback_document(stored: StoredFeedback) -> dict[str, object]:
    """Feedback and what became of it."""
    feedback = stored.feedback
    return {
        "id": stored.id,
        "trace_id": feedback.target.trace_id,
        "span_id": feedback.target.span_id,
        "name": feedback.name,
        "score": feedback.score,
        "label": feedback.label,
        "text": feedback.text,
        "source": feedback.source,
        "attributes": dict(feedback.attributes),
        "time_unix_nano": feedback.time_unix_nano,
        "response_id": feedback.response_id,
        "state": stored.state.value,
        "superseded": stored.superseded,
        "release": stored.release,
    }


def study_document(record: StudyRecord) -> dict[str, object]:
    """A study and its history."""
    study, best = record.study, record.best_trial()
    return {
        "name": study.name,
        "service": study.service,
        "metric": study.metric,
        "direction": study.direction.value,
        "optimizer": study.optimizer,
        "optimizer_options": dict(study.optimizer_options),
        "parameters": list(study.parameters),
        "batch_size": study.batch_size,
        "max_trials": study.max_trials,
        "seed": study.seed,
        "feedback_filter": dict(study.feedback_filter),
        "instruction": study.instruction,
        "reach": study.reach.value,
        "labels": dict(study.labels),
        "lowest": study.lowest,
        "highest": study.highest,
        "exploration": asdict(study.exploration),
        "promotion": study.promotion.value,
        "state": record.state.value,
        "message": record.message,
        "best_trial": best.number if best else None,
        "trials": [
            {
                "number": trial.number,
                "release": trial.release,
                "state": trial.state,
                "score": trial.score,
                "control_score": trial.control_score,
                "given_up": trial.given_up,
                "feedback_count": trial.feedback_count,
                "values": dict(trial.values),
                "reasoning": trial.reasoning,
            }
            for trial in record.trials
        ],
        "rejected": [
            {"trial": rejected.trial, "values": dict(rejected.proposal.values), "errors": list(rejected.errors)}
            for rejected in record.rejected
        ],
    }


def trace_document(summary: TraceSummary) -> dict[str, object]:
    """One line of a list of traces."""
    return {
        "trace_id": summary.trace_id,
        "root_name": summary.root_name,
        "services": list(summary.services),
        "start_time_unix_nano": summary.start_time_unix_nano,
        "duration_nano": summary.end_time_unix_nano - summary.start_time_unix_nano,
        "span_count": summary.span_count,
        "error_count": summary.error_count,
    }
