"""What a rollout does next: a pure function of the plan, the evidence and the time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from collector.core.rollout import Guardrail, Rollout, RolloutState, Rule
from collector.rollout.comparison import Comparison
from collector.selection.evidence import Evidence

_MISDEALT = 1_000.0
"""An e-value of the sample ratio beyond which nothing is decided: something deals units that should not."""


class Step(Enum):
    """What there is to do."""

    WAIT = "wait"
    ADVANCE = "advance"
    PROMOTE = "promote"
    ABORT = "abort"
    PAUSE = "pause"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step, and why or what is waited for, in words."""

    step: Step
    message: str


def decide(rollout: Rollout, comparison: Comparison, now_unix_nano: int) -> Decision:
    """The next step of a rollout that is on live traffic.

    Harm is looked for in every state, also in a pause. Units that are dealt wrongly freeze everything. No data is
    neither bad nor good: the ramp waits, and at the cap a person is asked.
    """
    if comparison.ratio.e_value >= _MISDEALT:
        words = "units do not come as the shares say (sample-ratio mismatch): nothing is decided, look for the cause"
        return Decision(Step.PAUSE if rollout.state is RolloutState.RAMPING else Step.WAIT, words)
    harm = harm_in(rollout, comparison)
    if harm:
        return Decision(Step.ABORT, harm)
    if rollout.state is not RolloutState.RAMPING:
        return Decision(Step.WAIT, f"{rollout.state.value}: {rollout.message}")
    if _seconds(now_unix_nano - rollout.began_unix_nano) >= rollout.plan.cap_seconds:
        return Decision(Step.ASK, f"no evidence after {rollout.plan.cap_seconds:g} s: {_missing(rollout, comparison)}")
    return _onward(rollout, comparison, now_unix_nano)


def harm_in(rollout: Rollout, comparison: Comparison) -> str:
    """What shows that the arm does harm; empty if nothing does. Each metric has its part of the errors allowed."""
    plan = rollout.plan
    watched: list[tuple[str, Evidence]] = [
        (f"guardrail {rail.signal.value}", evidence)
        for rail, evidence in zip(plan.guardrails, comparison.rails, strict=False)
    ]
    if plan.metric is not None:
        watched.append((f"metric {plan.metric.name}", comparison.metric))
    needed = len(watched) / plan.alpha_harm
    for name, evidence in watched:
        if evidence.fewest >= plan.least_units_to_abort and evidence.harm_e_value >= needed:
            return (
                f"{name}: worse than the control, e-value {evidence.harm_e_value:.3g} of {needed:.3g} after "
                f"{evidence.arm_units} units of the arm and {evidence.control_units} of the control"
            )
    return ""


def _onward(rollout: Rollout, comparison: Comparison, now_unix_nano: int) -> Decision:
    stage = rollout.plan.stages[rollout.stage]
    left = stage.least_seconds - _seconds(now_unix_nano - rollout.stage_began_unix_nano)
    if left > 0:
        # The moment and not what is left of it: that would be something new at each look.
        over = _moment(rollout.stage_began_unix_nano / 1e9 + stage.least_seconds)
        return Decision(Step.WAIT, f"stage {rollout.stage + 1} lasts until {over} UTC, then {_next(rollout)}")
    missing = _missing(rollout, comparison)
    if rollout.stage + 1 < len(rollout.plan.stages):
        few = rollout.plan.least_units_to_abort - counted_by(rollout, comparison).arm_units
        if few > 0:
            return Decision(Step.WAIT, f"{few} more units of the arm, then {_next(rollout)}")
        return Decision(Step.ADVANCE, f"no harm seen; {_next(rollout)}")
    return Decision(Step.WAIT, missing) if missing else Decision(Step.PROMOTE, _proof(rollout, comparison))


def units_words(rollout: Rollout, comparison: Comparison) -> str:
    """How many units there are of how many that are needed at least, for people."""
    counted = counted_by(rollout, comparison)
    least = rollout.plan.least_units
    return f"{counted.arm_units} of the arm, {counted.control_units} of the control; {least} of each at least"


def counted_by(rollout: Rollout, comparison: Comparison) -> Evidence:
    """The evidence by which units are counted: the metric's, else the first guardrail's."""
    if rollout.plan.metric is not None or not comparison.rails:
        return comparison.metric
    return comparison.rails[0]


def _missing(rollout: Rollout, comparison: Comparison) -> str:
    """What is missing for a promotion, in words; empty if nothing is."""
    plan, counted = rollout.plan, counted_by(rollout, comparison)
    few = plan.least_units - counted.fewest
    if few > 0:
        return f"{few} more units are needed ({counted.arm_units} of the arm, {counted.control_units} of the control)"
    needed = 1 / plan.alpha_promote
    deciding = [counted] if plan.metric is not None else list(comparison.rails)
    weakest = min((evidence.sound_e_value for evidence in deciding), default=0.0)
    if weakest >= needed:
        return ""
    aim = "that it is better" if plan.metric is not None and plan.rule is Rule.BETTER else "that it is no worse"
    return f"no evidence yet {aim}: e-value {weakest:.3g} of {needed:.3g}"


def _proof(rollout: Rollout, comparison: Comparison) -> str:
    counted = counted_by(rollout, comparison)
    better = rollout.plan.metric is not None and rollout.plan.rule is Rule.BETTER
    return (
        f"{'better' if better else 'no worse'} than the control: e-value {counted.sound_e_value:.3g} after "
        f"{counted.arm_units} units of the arm and {counted.control_units} of the control"
    )


def _next(rollout: Rollout) -> str:
    following = rollout.stage + 1
    if following == len(rollout.plan.stages):
        return "the evidence decides"
    return f"{rollout.plan.stages[following].share / 100:g} % of the traffic"


def _moment(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(nanoseconds: int) -> float:
    return nanoseconds / 1e9


def rail_words(rail: Guardrail, evidence: Evidence) -> str:
    """A guardrail's state for people."""
    arm, control = evidence.arm_mean, evidence.control_mean
    if arm is None or control is None:
        return f"{rail.signal.value}: nothing to compare yet"
    return (
        f"{rail.signal.value}: {1 - arm:.1%} of the arm, {1 - control:.1%} of the control "
        f"(may be {rail.margin:.0%} higher), e-value {evidence.harm_e_value:.3g}"
    )
