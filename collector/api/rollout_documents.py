"""Rollouts and the ledger as JSON: what comes in, checked by pydantic; what goes out, as plain dictionaries."""

from typing import Annotated, Any

from pydantic import BeforeValidator, FailFast, Field

from collector.api.documents import Document, at_most, document_of
from collector.api.rollouts import MOST_REASON_CHARACTERS, RolloutReport
from collector.core.ledger import Recorded
from collector.core.parameter import MOST_PARAMETERS
from collector.core.record import record_of, tree_of
from collector.core.rollout import DEFAULT_STAGES, Rollout, RolloutPlan
from collector.rollout.decision import rail_words, units_words
from collector.selection.evidence import Evidence
from otel_opto.assignment import BUCKETS

_MOST_STAGES = 100


class StageDocument(Document):
    """One stage: its share, between 0 and 1, and how long it takes at least."""

    share: float = Field(ge=0, le=1)
    least_seconds: float


_Stages = Annotated[list[StageDocument], FailFast(), BeforeValidator(at_most(_MOST_STAGES))]
_STAGES = [StageDocument(share=one.share / BUCKETS, least_seconds=one.least_seconds) for one in DEFAULT_STAGES]


class RolloutDocument(document_of(RolloutPlan)):  # type: ignore[misc] # its other fields are those of `RolloutPlan`
    """The body that starts a rollout. Shares are parts of 1 in it."""

    content_hash: str = ""
    stages: _Stages = _STAGES

    def plan(self) -> RolloutPlan:
        """The plan; `RolloutPlan.faults` says what is wrong with it."""
        stages = [{**one.model_dump(), "share": round(one.share * BUCKETS)} for one in self.stages]
        return record_of(RolloutPlan, {**self.model_dump(), "stages": stages})


class ApprovalDocument(Document):
    """The body of an approval: what was looked at."""

    content_hash: str


class StepDocument(Document):
    """The body of a step: why."""

    message: str = Field("", max_length=MOST_REASON_CHARACTERS)


class ValuesDocument(Document):
    """The body that proposes a release."""

    values: Annotated[dict[str, Any], BeforeValidator(at_most(MOST_PARAMETERS))]
    reason: str = Field("", max_length=MOST_REASON_CHARACTERS)


def plan_document(plan: RolloutPlan) -> dict[str, Any]:
    """A rollout's plan, as `RolloutDocument` takes it."""
    stages = [{"share": one.share / BUCKETS, "least_seconds": one.least_seconds} for one in plan.stages]
    return {**tree_of(plan), "stages": stages}


def standing_document(rollout: Rollout) -> dict[str, object]:
    """Where a rollout stands."""
    stages, began = rollout.plan.stages, bool(rollout.began_unix_nano)
    following = [] if rollout.state.ended else stages[rollout.stage + began :]
    return {
        "name": rollout.name,
        "state": rollout.state.value,
        "message": rollout.message,
        "stage": rollout.stage,
        "share": stages[rollout.stage].share / BUCKETS if began and not rollout.state.ended else 0.0,
        "next_share": following[0].share / BUCKETS if following else None,
        "stage_began_unix_nano": rollout.stage_began_unix_nano,
        "began_unix_nano": rollout.began_unix_nano,
        "approved_by": rollout.approved_by,
    }


def rollout_document(rollout: Rollout) -> dict[str, object]:
    """A rollout and its plan."""
    return {**plan_document(rollout.plan), **standing_document(rollout)}


def report_document(report: RolloutReport) -> dict[str, object]:
    """A rollout with its evidence and what it does next, in numbers and in words."""
    return {**rollout_document(report.rollout), **evidence_document(report)}


def evidence_document(report: RolloutReport) -> dict[str, object]:
    """What a rollout's units say, and what it does next."""
    rollout, comparison = report.rollout, report.comparison
    plan = rollout.plan
    return {
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
