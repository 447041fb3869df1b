"""The API's JSON documents: what comes in, checked by pydantic; what goes out, as plain dictionaries."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, TypeAdapter, create_model, model_validator

from collector.core.errors import InvalidRequest, some
from collector.core.feedback import Feedback, StoredFeedback, checked_feedback, score_of
from collector.core.record import fields_of, record_of
from collector.core.release import Acknowledgement, Release, ReleaseStatus, ValueChange
from collector.core.span import SpanContext
from collector.core.study import Reach, Study
from collector.core.telemetry import TraceSummary
from otel_opto.assignment import Arm, Assignment
from otel_opto.handles import ids_in
from otel_opto.spec import CONSTRAINTS, Constraint, InvalidValue, ParameterSpec, ParameterType, ParameterValue

_MOST_KEYS = 50
_MOST_IN_A_LIST = 1_000


class Document(BaseModel):
    """A JSON object of a body: exactly its fields, in exactly their types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _few_keys(cls, given: object) -> object:
        """Each unknown key would be a fault of its own."""
        if isinstance(given, dict) and len(given) > _MOST_KEYS:
            raise ValueError(f"found {len(given):,} keys, allowed are {', '.join(cls.model_fields)}")
        return given


def at_most(most: int) -> Callable[[object], object]:
    """A check of a list's or object's length, for before its items are looked at: each could be a fault of its own."""

    def checked(given: object) -> object:
        if isinstance(given, dict | list) and len(given) > most:
            raise ValueError(f"found {len(given):,}, allowed are {most:,} at most")
        return given

    return checked


def json_text(given: object) -> object:
    """A list or an object as its JSON text; everything else as it came."""
    return json.dumps(given, ensure_ascii=False) if isinstance(given, dict | list) else given


_JSON: Any = bool | int | float | str | list[Any] | dict[str, Any]
"""What documents that are texts may come as."""

_Names = Annotated[list[str], FailFast(), BeforeValidator(at_most(_MOST_IN_A_LIST))]
_Texts = Annotated[dict[str, str], BeforeValidator(at_most(_MOST_IN_A_LIST))]


class ParameterDocument(Document):
    """One declared parameter."""

    key: str
    type: str
    default: Annotated[bool | int | float | str, BeforeValidator(json_text, json_schema_input_type=_JSON)]
    minimum: float | None = None
    maximum: float | None = None
    choices: _Names = []
    max_length: int | None = None
    placeholders: _Names = []
    pattern: str | None = None
    candidates: _Names = []
    json_schema: Annotated[str | None, BeforeValidator(json_text, json_schema_input_type=_JSON | None)] = None
    imports: _Names = []
    description: str = ""
    trainable: bool = True

    def spec(self) -> ParameterSpec:
        """The specification. Raises `InvalidValue` if it contradicts itself."""
        kinds = {kind.value: kind for kind in ParameterType}
        if self.type not in kinds:
            raise InvalidValue(f"parameter {self.key!r}: type: found {self.type!r}, allowed: {', '.join(kinds)}")
        given = {name: getattr(self, name) for name in CONSTRAINTS}
        limits: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in given.items()}
        constraint = Constraint(**limits)
        return ParameterSpec(self.key, kinds[self.type], self.default, constraint, self.description, self.trainable)


def specs_in(documents: Iterable[ParameterDocument]) -> Sequence[ParameterSpec]:
    """The specifications of a declaration. Raises `InvalidRequest` with the first faults."""
    specs: list[ParameterSpec] = []
    faults: list[str] = []
    for document in documents:
        try:
            specs.append(document.spec())
        except InvalidValue as error:
            faults.append(str(error))
    if faults:
        raise InvalidRequest(some(faults, "; "))
    return specs


def judged(trace_id: str, span_id: str, handle: str) -> SpanContext:
    """The span that feedback names, by its ids or by its handle.

    Raises:
        InvalidRequest: it names both, or the handle is none.
    """
    if not handle:
        return SpanContext(trace_id, span_id)
    if trace_id or span_id:
        raise InvalidRequest("handle: it stands for trace_id and span_id; give either")
    try:
        return SpanContext(*ids_in(handle))
    except ValueError as error:
        raise InvalidRequest(f"handle: {error}") from None


class FeedbackDocument(Document):
    """One feedback."""

    trace_id: str = ""
    span_id: str = ""
    handle: str = ""
    response_id: str = ""
    by_key: str = ""
    by_value: str = ""
    name: str
    score: Annotated[float | None, BeforeValidator(score_of, json_schema_input_type=float | bool | str | None)] = None
    label: str = ""
    text: str = ""
    source: str = "api"
    attributes: _Texts = {}
    time_unix_nano: int = 0

    def feedback(self) -> Feedback:
        """The feedback. Raises `InvalidRequest` with every fault."""
        return checked_feedback(
            Feedback(
                target=judged(self.trace_id, self.span_id, self.handle),
                name=self.name,
                score=self.score,
                label=self.label,
                text=self.text,
                source=self.source,
                attributes=self.attributes,
                time_unix_nano=self.time_unix_nano,
                response_id=self.response_id,
                by_key=self.by_key,
                by_value=self.by_value,
            )
        )


def document_of(record: type) -> type[Document]:
    """The body that stands for a record: its fields, in their types, with their defaults."""
    given: dict[str, Any] = {}
    for one in fields_of(record):
        kind = _document_type(one.type)
        kind = kind | None if one.optional else kind
        given[one.name] = (kind, ... if one.required else TypeAdapter(kind).validate_python(one.default))
    return create_model(
        f"{record.__name__}Document", __base__=Document, __doc__=f"The body of a {record.__name__}.", **given
    )


def _document_type(hint: Any) -> Any:
    """What stands in a body for a field of that type."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Literal[tuple(one.value for one in hint)]
    if isinstance(hint, type) and is_dataclass(hint):
        return document_of(hint)
    if get_origin(hint) is tuple:
        return Annotated[list[_document_type(get_args(hint)[0])], FailFast(), BeforeValidator(at_most(_MOST_IN_A_LIST))]  # type: ignore[misc]
    if get_origin(hint) is Mapping:
        return Annotated[dict[str, _document_type(get_args(hint)[1])], BeforeValidator(at_most(_MOST_IN_A_LIST))]  # type: ignore[misc]
    return hint if hint in (bool, int, float, str) else Any


class StudyDocument(document_of(Study)):  # type: ignore[misc] # its fields are those of `Study`, written there
    """The body that creates a study."""

    def study(self) -> Study:
        """The study. Raises `InvalidRequest` with every fault."""
        study = record_of(Study, self.model_dump())
        faults = study.faults()
        if faults:
            raise InvalidRequest("study: " + "; ".join(faults))
        return study


def reach_of(text: str, where: str) -> Reach:
    """Raises `InvalidRequest` for anything that is none."""
    reaches = {reach.value: reach for reach in Reach}
    if text not in reaches:
        raise InvalidRequest(f"{where}: found {text!r}, allowed: {', '.join(reaches)}")
    return reaches[text]


class SignatureDocument(Document):
    """The body that signs a release."""

    envelope: str


class AcknowledgementDocument(Document):
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


def parameter_document(spec: ParameterSpec) -> dict[str, object]:
    """A declared parameter; constraints that are not set are left out."""
    limits = {name: getattr(spec.constraint, name) for name in CONSTRAINTS}
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


def assignment_document(assignment: Assignment | None) -> dict[str, object]:
    """Who gets which release; nothing is in force where the control is null."""
    if assignment is None:
        return {"revision": 0, "control": None, "arms": [], "salt": "", "layers": [], "crossings": []}
    return {
        "revision": assignment.revision,
        "control": assignment.control,
        "arms": [_arm_document(arm) for arm in assignment.arms],
        "salt": assignment.salt,
        "layers": [
            {"name": layer.name, "salt": layer.salt, "arms": [_arm_document(arm) for arm in layer.arms]}
            for layer in assignment.layers
        ],
        "crossings": [{"release": one.release, "of": list(one.of)} for one in assignment.crossings],
    }


def _arm_document(arm: Arm) -> dict[str, object]:
    return {"release": arm.release, "start": arm.start, "share": arm.share}


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
        "by_key": feedback.by_key,
        "by_value": feedback.by_value,
        "state": stored.state.value,
        "superseded": stored.superseded,
        "release": stored.release,
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
