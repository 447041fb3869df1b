"""What the API answers, as types: services, parameters, releases, feedback, traces.

A reader must bear members that it does not know.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from collector.api.documents import ParameterDocument
from collector.core.feedback import FeedbackState
from collector.core.release import ReleaseStatus


class Answer(BaseModel):
    """A document that goes out; it always has all of its members."""

    model_config = ConfigDict(use_attribute_docstrings=True, json_schema_serialization_defaults_required=True)


class Refusal(Answer):
    """Why something was not done, in words."""

    error: str


class Paged(BaseModel):
    """A page of a list."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    next_cursor: str = ""
    """Where more follow: what to hand back as `cursor`."""
    partial: Literal[True] = True
    """Only where a search was ended before it was done."""
    message: str = ""
    """Why it is partial."""


def page_of(name: str, item: Any) -> type[BaseModel]:
    """A page of a list whose items stand under `name`."""
    fields: dict[str, Any] = {name: (list[item], ...)}
    title = f"{name.title()}Page"
    return create_model(title, __base__=Paged, __doc__=f"A page of {name}.", **fields)


class Ids(Answer):
    """The ids of what was taken, in its order."""

    ids: list[str]


class Nothing(Answer):
    """Nothing more is to be said."""


class Stats(Answer):
    """How much is stored, and what was counted since the start."""

    spans: int
    traces: int
    log_records: int
    bytes: int
    feedback: dict[str, int]
    """By state."""
    counters: dict[str, int]
    """By the name that they have for Prometheus."""
    spans_per_second: float


class Trace(Answer):
    """One line of a list of traces."""

    trace_id: str
    root_name: str
    services: list[str]
    start_time_unix_nano: int
    duration_nano: int
    span_count: int
    error_count: int


class StoredFeedback(Answer):
    """Feedback and what became of it."""

    id: str
    trace_id: str
    span_id: str
    name: str
    score: float | None
    label: str
    text: str
    source: str
    attributes: dict[str, str]
    time_unix_nano: int
    response_id: str
    by_key: str
    by_value: str
    state: FeedbackState
    superseded: bool
    """Whether a later word of the same source on the same output counts in its place."""
    release: int | None
    """With which the judged output was made."""


class Parameter(ParameterDocument):
    """A declared parameter; constraints that are not set are left out."""

    model_config = ConfigDict(extra="ignore")
    description: str
    trainable: bool


class Check(Answer):
    """One thing that has to be there before an application gets better."""

    name: str
    ok: bool
    says: str


class Standing(Answer):
    """Where an application stands."""

    service: str
    waiting_for: str
    """What is missing first; empty if nothing is."""
    release: int | None
    connected: int
    """Instances that are connected now."""
    feedback: dict[str, int]
    """On the release in force, by metric."""
    checks: list[Check]


class InForce(Answer):
    """One value; version and hash are null where it is the code's own."""

    value: bool | int | float | str
    version: int | None
    hash: str | None


class Values(Answer):
    """What an application without the SDK applies."""

    service: str
    release: int | None
    hash: str | None
    values: dict[str, bool | int | float | str]
    parameters: dict[str, InForce]


class Release(Answer):
    """A numbered set of values, which never changes."""

    number: int
    service: str
    hash: str
    parent: int | None
    created_unix_nano: int
    reason: str
    values: dict[str, bool | int | float | str]
    versions: dict[str, int]
    """The release that brought each value."""


class RolledBack(Release):
    """The release that is in force now."""

    message: str
    """What it lacks before applications apply it; empty where nothing is."""


class Acknowledgement(Answer):
    """An application's word on a release."""

    service: str
    instance_id: str
    release: int
    status: ReleaseStatus
    error: str
    time_unix_nano: int


class Change(Answer):
    """One line of a diff; null where a release has no such value."""

    key: str
    before: bool | int | float | str | None
    after: bool | int | float | str | None


class Diff(Answer):
    """What is different in a release."""

    before: int
    after: int
    changes: list[Change]


class Arm(Answer):
    """A release that a share of the traffic gets, in buckets of 10,000 (docs/assignment.md)."""

    release: int
    start: int
    share: int


class Layer(Answer):
    """Arms of one study, which are dealt by a salt of their own."""

    name: str
    """Of the study."""
    salt: str
    arms: list[Arm]


class Crossing(Answer):
    """What units get that are in arms of several layers."""

    release: int
    of: list[int]
    """The releases of the arms, in the order of the layers."""


class Assignment(Answer):
    """Who gets which release."""

    revision: int
    control: int | None
    """Null before the first release."""
    arms: list[Arm]
    salt: str
    layers: list[Layer]
    """For units that none of the arms has."""
    crossings: list[Crossing]


class ReleaseWords(Answer):
    """What instances said of one release."""

    release: int
    share: float
    """Of the traffic, from 0 to 1."""
    applied: int
    failed: list[Acknowledgement]
    partial: bool
    """Whether there are more instances than were looked at."""


class Finding(Answer):
    """One thing that was looked at."""

    name: str
    level: Literal["green", "yellow", "red"]
    says: str
    cure: str
    """What to do; empty where nothing is to be done."""


class Findings(Answer):
    """What is wrong."""

    level: Literal["green", "yellow", "red"]
    """Of the worst."""
    findings: list[Finding]


class Event(Answer):
    """One event of the ledger."""

    sequence: int
    time_unix_nano: int
    actor: str
    stream: str
    version: int
    kind: str
    service: str
    data: dict[str, Any]
