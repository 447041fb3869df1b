"""What a rollout does next, case by case."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from collector.core.rollout import (
    Guardrail,
    Metric,
    Rollout,
    RolloutPlan,
    RolloutState,
    Rule,
    Signal,
    Stage,
)
from collector.core.units import Unit
from collector.rollout.comparison import Comparison, compared
from collector.rollout.decision import Step, decide

SECOND = 1_000_000_000
PLAN = RolloutPlan(
    "shop", 2, "f" * 64, Metric("quality"),
    stages=(Stage(500, 10.0), Stage(5_000, 10.0)), guardrails=(Guardrail(Signal.ERROR),), cap_seconds=1_000.0,
)  # fmt: skip


def ramping(stage: int = 0, plan: RolloutPlan = PLAN) -> Rollout:
    return Rollout("r", plan, RolloutState.RAMPING, stage, 0, 100 * SECOND, 50 * SECOND, "", "began")


def units(arm: Sequence[float | None], control: Sequence[float | None], *, bad: int = 0) -> list[Unit]:
    """Units of both, one after the other in turn; the arm's first `bad` ones ended in an error."""
    made = []
    for number, (one, other) in enumerate(zip(arm, control, strict=True)):
        made.append(Unit(in_arm=True, share=0.5, outcome=one, signals={Signal.ERROR: number < bad}))
        made.append(Unit(in_arm=False, share=0.5, outcome=other, signals={Signal.ERROR: False}))
    return made


def step(rollout: Rollout, made: Sequence[Unit], at: float) -> tuple[Step, str]:
    decision = decide(rollout, compared(made, rollout.plan), int(at * SECOND))
    return decision.step, decision.message


def test_a_stage_takes_its_time() -> None:
    assert step(ramping(), units([1.0] * 50, [1.0] * 50), 104) == (
        Step.WAIT,
        "stage 1 lasts until 1970-01-01 00:01:50 UTC, then 50 % of the traffic",
    )
    assert step(ramping(), [], 104) == step(ramping(), [], 105)
    assert step(ramping(), units([1.0] * 50, [1.0] * 50), 111)[0] is Step.ADVANCE


def test_no_data_is_neither_good_nor_bad() -> None:
    assert step(ramping(), [], 111) == (Step.WAIT, "20 more units of the arm, then 50 % of the traffic")
    assert step(ramping(), units([None] * 50, [None] * 50), 111)[0] is Step.WAIT
    found, words = step(ramping(), [], 2_000)
    assert found is Step.ASK
    assert "no evidence after 1000 s" in words


def test_the_last_stage_waits_for_evidence_and_then_promotes() -> None:
    found, words = step(ramping(1), units([0.8] * 60, [0.8] * 60), 111)
    assert (found, words) == (Step.WAIT, "40 more units are needed (60 of the arm, 60 of the control)")
    few = units([1.0, 0.0] * 60, [1.0, 0.0] * 60)
    assert "no evidence yet that it is no worse" in step(ramping(1), few, 111)[1]
    found, words = step(ramping(1), units([0.8] * 400, [0.8] * 400), 111)
    assert found is Step.PROMOTE
    assert words.startswith("no worse than the control: e-value")


def test_a_rule_that_asks_for_better_is_not_met_by_as_good() -> None:
    plan = replace(PLAN, rule=Rule.BETTER)
    assert step(ramping(1, plan), units([0.8] * 400, [0.8] * 400), 111)[0] is Step.WAIT
    assert step(ramping(1, plan), units([0.9] * 400, [0.6] * 400), 111)[0] is Step.PROMOTE


@pytest.mark.parametrize("state", [RolloutState.RAMPING, RolloutState.PAUSED, RolloutState.INCONCLUSIVE])
def test_harm_ends_it_in_every_state(state: RolloutState) -> None:
    rollout = replace(ramping(), state=state)
    found, words = step(rollout, units([0.1] * 60, [0.9] * 60), 101)
    assert found is Step.ABORT
    assert words.startswith("metric quality: worse than the control, e-value")
    found, words = step(rollout, units([0.9] * 60, [0.9] * 60, bad=60), 101)
    assert found is Step.ABORT
    assert words.startswith("guardrail error: worse than the control")


def test_a_few_bad_units_are_no_catastrophe_yet() -> None:
    assert step(ramping(), units([0.0] * 19, [1.0] * 19), 101)[0] is Step.WAIT


def test_units_that_are_dealt_wrongly_freeze_everything() -> None:
    only_arm = [Unit(in_arm=True, share=0.5, outcome=0.0) for _ in range(300)]
    assert step(ramping(), only_arm, 111)[0] is Step.PAUSE
    found, words = step(replace(ramping(), state=RolloutState.PAUSED), only_arm, 111)
    assert (found, "sample-ratio mismatch" in words) == (Step.WAIT, True)


def test_without_a_metric_the_guardrails_decide() -> None:
    plan = replace(PLAN, metric=None)
    assert step(ramping(1, plan), units([None] * 60, [None] * 60), 111)[0] is Step.WAIT
    assert step(ramping(1, plan), units([None] * 600, [None] * 600), 111)[0] is Step.PROMOTE


def test_scores_are_clipped_to_the_bounds_and_turned_where_less_is_better() -> None:
    from collector.core.study import Direction

    seconds = Metric("seconds", Direction.MINIMIZE, 0.0, 10.0)
    assert [seconds.outcome(score) for score in (-1.0, 0.0, 2.5, 10.0, 99.0)] == [1.0, 1.0, 0.75, 0.0, 0.0]


def test_what_cannot_be_told_of_a_unit_counts_nowhere() -> None:
    comparison = compared([Unit(in_arm=True, share=0.5), Unit(in_arm=False, share=0.5, clipped=2)], PLAN)
    assert (comparison.metric.arm_units, comparison.rails[0].arm_units) == (0, 0)
    assert (comparison.unscored, comparison.clipped, comparison.ratio.units) == (2, 2, 2)
    assert Comparison().mixed == 0
