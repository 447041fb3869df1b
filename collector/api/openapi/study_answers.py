"""What the API answers of studies, as types; their settings are those of `Study`, written there."""

from typing import Literal

from pydantic import ConfigDict

from collector.api.documents import document_of
from collector.api.openapi.answers import Answer
from collector.core.candidate import Fate
from collector.core.study import Cost, Study, StudyState

_ALL = ConfigDict(extra="ignore", use_attribute_docstrings=True, json_schema_serialization_defaults_required=True)


class Spent(document_of(Cost)):  # type: ignore[misc] # its fields are those of `Cost`
    """What proposals took."""

    model_config = _ALL


class OpenWindow(Answer):
    """What is measured now."""

    number: int
    purpose: Literal["baseline", "look", "confirm"]
    trials: list[int]
    units: int
    opened_unix_nano: int


class Trial(Answer):
    """One candidate; number 0 is what is in force."""

    number: int
    release: int
    """0 in a study that was imported: the release is another collector's."""
    state: Literal["running", "complete", "aborted"]
    score: float | None
    score_lowest: float | None
    """Two standard errors of the lead below the score."""
    score_highest: float | None
    control_score: float | None
    given_up: str
    """Why it ended without having been compared; empty if it did not."""
    feedback_count: int
    values: dict[str, bool | int | float | str]
    reasoning: str
    fate: Fate
    why: str
    errors: int
    lead: float | None
    """How much better than what is in force, as a part of the metric's range. It was chosen by these units: no gain."""
    deviation: float | None
    gain: float | None
    """What fresh data say."""
    gain_lowest: float | None
    gain_highest: float | None
    fresh_units: int
    objectives: dict[str, float]
    """By name: how it does in each, in its own unit; empty in a study of one metric."""
    deviations: dict[str, float]
    """Of these, the standard deviation of each lead over what is in force."""
    kept: dict[str, str]
    """What was promised to be not worse, and what is known of it, in words."""
    opened_unix_nano: int
    cost: Spent
    repeats: int
    """How often it was proposed again."""


class Taken(Answer):
    """A study that was brought."""

    study: str
    new: bool
    """Whether it was not here before."""
    trials: int


class Rejected(Answer):
    """A proposal that failed validation."""

    trial: int
    """Before which one."""
    values: dict[str, object]
    errors: list[str]
    reasoning: str
    cost: Spent


class Front(Answer):
    """The trials that no other is better than in all objectives."""

    objectives: list[dict[str, object]]
    """The metric and the study's other objectives, as its settings say them."""
    trials: list[int]
    rule: str
    """What decides which of them is released."""


class StudyReport(document_of(Study)):  # type: ignore[misc] # its other fields are those of `Study`
    """A study and its history, from its beginning, as far as a page goes."""

    model_config = _ALL
    state: StudyState
    message: str
    best_trial: int | None
    winner: int | None
    best_score: float | None
    complete_trials: int
    trial_count: int
    scored_units: int
    """In all trials."""
    window: OpenWindow | None
    rejected_count: int
    cost: Spent
    front: Front | None
    trials: list[Trial]
    next_trials_cursor: str
    """Where more follow: for the list of trials."""
    rejected: list[Rejected]
    next_rejected_cursor: str
