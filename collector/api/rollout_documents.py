"""Rollouts and the ledger as JSON: what comes in, checked by pydantic; what goes out, as plain dictionaries."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BeforeValidator, FailFast, Field

from collector.api.documents import Document, at_most
from collector.api.rollouts import RolloutReport
from collector.core.errors import InvalidRequest
from collector.core.ledger import Recorded
from collector.core.parameter import MOST_PARAMETERS
from collector.core.rollout import (
    DEFAULT_GUARDRAILS,
    DEFAULT_STAGES,
    Guardrail,
    Metric,
    Rollout,
    RolloutPlan,
    Rule,
    Signal,
    Stage,
)
from collector.core.study import Direction, Policy
from collector.rollout.decision import rail_words, units_words
from collector.rollout.evidence import Evidence

_PLAN = RolloutPlan("", 0, "")


_FEW = BeforeValidator(at_most(100))
_LONGEST_KEY = 256
_LONGEST_REASON = 10_000


class StageDocument(Document):
    """One stage: its share, between 0 and 1, and how long it takes at least."""

    share: float = Field(ge=0, le=1)
    least_seconds: float


class MetricDocument(Document):
    """What a release is compared by."""

    name: str = Field(min_length=1, max_length=_LONGEST_KEY)
    direction: str = Direction.MAXIMIZE.value
    lowest: float = 0.0
    highest: float = 1.0


class GuardrailDocument(Document):
    """What must not get worse."""

    signal: str
    bound: float | None = None
    margin: float = 0.02


_STAGES = [StageDocument(share=one.share / 10_000, least_seconds=one.least_seconds) for one in DEFAULT_STAGES]
_GUARDRAILS = [
    GuardrailDocument(signal=one.signal.value, bound=one.bound, margin=one.margin) for one in DEFAULT_GUARDRAILS
]


class RolloutDocument(Document):
    """The body that starts a rollout."""

    service: str
    release: int
    content_hash: str = ""
    metric: MetricDocument | None = None
    margin: float = _PLAN.margin
    rule: str = _PLAN.rule.value
    stages: Annotated[list[StageDocument], FailFast(), _FEW] = _STAGES
    guardrails: Annotated[list[GuardrailDocument], FailFast(), _FEW] = _GUARDRAILS
    policy: str = _PLAN.policy.value
    alpha_harm: float = _PLAN.alpha_harm
    alpha_promote: float = _PLAN.alpha_promote
    least_units: int = _PLAN.least_units
    least_units_to_abort: int = _PLAN.least_units_to_abort
    feedback_delay_seconds: float = _PLAN.feedback_delay_seconds
    cap_seconds: float = _PLAN.cap_seconds
    targeting: str = Field("", max_length=_LONGEST_KEY)

    def plan(self) -> RolloutPlan:
        """The plan. Raises `InvalidRequest` for a word that is none of the allowed."""
        metric = self.metric
        try:
            return RolloutPlan(
                **{
                    **self.model_dump(exclude={"metric", "stages", "guardrails"}),
                    "metric": metric
                    and Metric(metric.name, Direction(metric.direction), metric.lowest, metric.highest),
                    "rule": Rule(self.rule),
                    "policy": Policy(self.policy),
                    "stages": tuple(Stage(round(one.share * 10_000), one.least_seconds) for one in self.stages),
                    "guardrails": tuple(
                        Guardrail(Signal(one.signal), one.bound, one.margin) for one in self.guardrails
                    ),
                }
            )
        except ValueError as error:
            allowed = "; ".join(
                f"{kind.__name__.lower()}: {', '.join(one.value for one in kind)}"
                for kind in (Rule, Policy, Direction, Signal)
            )
            raise InvalidRequest(f"rollout: found {error}; allowed are {allowed}") from None


class ApprovalDocument(Document):
    """The body of an approval: what was looked at."""

    content_hash: str


class StepDocument(Document):
    """The body of a step: why."""

    message: str = Field("", max_length=_LONGEST_REASON)


class ValuesDocument(Document):
    """The body that proposes a release."""

    values: Annotated[dict[str, Any], BeforeValidator(at_most(MOST_PARAMETERS))]
    reason: str = Field("", max_length=_LONGEST_REASON)


def rollout_document(rollout: Rollout) -> dict[str, object]:
    """A rollout and its plan."""
    plan, stage = rollout.plan, rollout.plan.stages[rollout.stage]
    following = plan.stages[rollout.stage + 1].share if rollout.stage + 1 < len(plan.stages) else None
    return {
        "name": rollout.name,
        "service": plan.service,
        "release": plan.release,
        "content_hash": plan.content_hash,
        "state": rollout.state.value,
        "message": rollout.message,
        "stage": rollout.stage,
        "share": stage.share / 10_000 if rollout.began_unix_nano and not rollout.state.ended else 0.0,
        "next_share": following / 10_000 if following is not None else None,
        "stage_began_unix_nano": rollout.stage_began_unix_nano,
        "began_unix_nano": rollout.began_unix_nano,
        "approved_by": rollout.approved_by,
        "rule": plan.rule.value,
        "policy": plan.policy.value,
        "margin": plan.margin,
        "metric": plan.metric and {**asdict(plan.metric), "direction": plan.metric.direction.value},
        "stages": [{"share": one.share / 10_000, "least_seconds": one.least_seconds} for one in plan.stages],
        "guardrails": [
            {"signal": one.signal.value, "bound": one.bound, "margin": one.margin} for one in plan.guardrails
        ],
        "least_units": plan.least_units,
        "cap_seconds": plan.cap_seconds,
        "feedback_delay_seconds": plan.feedback_delay_seconds,
        "targeting": plan.targeting,
    }


def report_document(report: RolloutReport) -> dict[str, object]:
    """A rollout with its evidence and what it does next, in numbers and in words."""
    rollout, comparison = report.rollout, report.comparison
    plan = rollout.plan
    return {
        **rollout_document(rollout),
        "next": {"step": report.decision.step.value, "message": report.decision.message},
        "units": units_words(rollout, comparison),
        "evidence": _evidence(comparison.metric) if plan.metric is not None else None,
        "guardrails": [
            {
                "signal": rail.signal.value,
                "bound": rail.bound,
                "margin": rail.margin,
                "evidence": _evidence(evidence),
                "words": rail_words(rail, evidence),
            }
            for rail, evidence in zip(
                plan.guardrails, comparison.rails or (Evidence(),) * len(plan.guardrails), strict=True
            )
        ],
        "sample_ratio": {"units": comparison.ratio.units, "e_value": _finite(comparison.ratio.e_value)},
        "unscored": comparison.unscored,
        "clipped": comparison.clipped,
        "mixed": comparison.mixed,
    }


def recorded_document(recorded: Recorded) -> dict[str, object]:
    """One event of the ledger."""
    return {
        "sequence": recorded.sequence,
        "time_unix_nano": recorded.time_unix_nano,
        "actor": recorded.actor,
        "stream": recorded.stream,
        "version": recorded.version,
        "kind": recorded.kind,
        "service": recorded.subject,
        "data": recorded.data,
    }


def _evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "arm": {"units": evidence.arm_units, "mean": evidence.arm_mean},
        "control": {"units": evidence.control_units, "mean": evidence.control_mean},
        "harm_e_value": _finite(evidence.harm_e_value),
        "sound_e_value": _finite(evidence.sound_e_value),
    }


def _finite(e_value: float) -> float:
    """JSON has no infinity."""
    return min(e_value, 1e300)
