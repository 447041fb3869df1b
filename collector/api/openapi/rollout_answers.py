"""What the API answers of rollouts and services, as types; a rollout's plan is that of `RolloutPlan`, written there."""

from pydantic import ConfigDict

from collector.api.openapi.answers import Answer, Assignment, ReleaseWords
from collector.api.rollout_documents import RolloutDocument
from collector.core.rollout import RolloutState, Signal
from collector.rollout.decision import Step


class RolloutStanding(RolloutDocument):
    """A rollout and its plan."""

    model_config = ConfigDict(
        extra="ignore", use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )
    name: str
    state: RolloutState
    message: str
    stage: int
    share: float
    """Of the traffic now, from 0 to 1."""
    next_share: float | None
    stage_began_unix_nano: int
    began_unix_nano: int
    """0 before it went on live traffic first."""
    approved_by: str


class NextStep(Answer):
    """What a rollout does next, and why."""

    step: Step
    message: str


class Side(Answer):
    """The units of one side of a comparison."""

    units: int
    mean: float | None
    """Null without units."""


class Compared(Answer):
    """What the units of both sides say; the e-values are those of docs/rollouts.md."""

    arm: Side
    control: Side
    harm_e_value: float
    sound_e_value: float


class Rail(Answer):
    """One guardrail."""

    signal: Signal
    bound: float | None
    margin: float
    evidence: Compared
    words: str


class SampleRatio(Answer):
    """Whether the arms got the shares that they should."""

    units: int
    e_value: float


class RolloutEvidence(RolloutStanding):
    """A rollout with its evidence."""

    next: NextStep
    units: str
    """In words."""
    evidence: Compared | None
    """Null without a metric."""
    guardrails: list[Rail]
    sample_ratio: SampleRatio
    unscored: int
    clipped: int
    mixed: int


class RolloutOfService(Answer):
    """A rollout that has not ended."""

    release: int
    name: str
    state: RolloutState
    message: str
    stage: int
    share: float
    next_share: float | None
    stage_began_unix_nano: int
    began_unix_nano: int
    approved_by: str


class Service(Answer):
    """A service: what is in force, what its instances said of it, and what is under way."""

    service: str
    assignment: Assignment
    releases: list[ReleaseWords]
    connected: int
    studies: list[str]
    rollouts: list[RolloutOfService]
