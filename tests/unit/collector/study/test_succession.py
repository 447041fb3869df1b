"""What a winner's rollout takes over of what its study may not make worse."""

import random
from dataclasses import replace

import pytest

from collector.core.objective import Objective
from collector.core.release import Release
from collector.core.rollout import DEFAULT_GUARDRAILS, Guardrail, Rule, Signal
from collector.core.study import Study
from collector.core.units import Unit
from collector.rollout.comparison import compared
from collector.rollout.decision import harm_in
from collector.study.window.measuring import Counted
from collector.study.window.plans import watched
from collector.study.window.succession import succession

STUDY = Study("tune", "shop", "quality")
RELEASE = Release(7, "shop", {}, None, 0, "r")


def seconds(slower: float = 1.0, *, many: int = 1_000, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [rng.lognormvariate(0, 0.5) * slower for _ in range(many)]


def counted(*, trial: int = 0) -> list[Counted]:
    return [Counted(1, trial, Unit(trial > 0, 0.5, 1.0, {}, values={"latency": one})) for one in seconds()]


def rails(study: Study, units: list[Counted] | None = None) -> dict[Signal, Guardrail]:
    plan = succession(study, RELEASE, counted() if units is None else units).plan
    assert plan.faults() == []
    assert plan.guardrails[:3] == DEFAULT_GUARDRAILS
    return {rail.signal: rail for rail in plan.guardrails[3:]}


def test_a_study_of_its_metric_alone_goes_on_until_it_is_better() -> None:
    plan = succession(STUDY, RELEASE, ()).plan
    assert (plan.release, plan.content_hash, plan.rule) == (7, RELEASE.hash, Rule.BETTER)
    assert plan.metric is not None
    assert plan.guardrails == DEFAULT_GUARDRAILS


def test_limits_go_on_but_for_those_that_are_a_part_of_the_objective() -> None:
    study = replace(STUDY, limits={"latency": 2.0, "cost": 0.01}, weights={"cost": 0.2})
    assert rails(study) == {Signal.LATENCY: Guardrail(Signal.LATENCY, 2.0)}


@pytest.mark.parametrize(
    "more", [{"weights": {"cost": 0.2}, "limits": {"cost": 1.0}}, {"objectives": (Objective("cost"),)}]
)
def test_who_was_better_in_more_than_the_metric_has_to_be_no_worse_in_it(more: dict[str, object]) -> None:
    plan = succession(replace(STUDY, **more), RELEASE, ()).plan  # type: ignore[arg-type]
    assert (plan.rule, plan.margin) == (Rule.NON_INFERIOR, 0.05)
    plan = succession(replace(STUDY, not_worse={"quality": 0.02}, **more), RELEASE, ()).plan  # type: ignore[arg-type]
    assert (plan.rule, plan.margin) == (Rule.NON_INFERIOR, 0.02)


def test_a_quantile_becomes_a_bound_that_the_arm_may_be_beyond_as_the_study_said() -> None:
    rail = rails(replace(STUDY, not_worse={"latency.p95": 0.1}))[Signal.LATENCY]
    assert rail.bound is not None
    p95 = sorted(seconds())[949]
    assert rail.bound == pytest.approx(p95 * 1.1)
    beyond = sum(one > p95 * 1.1 for one in seconds()) / 1_000
    assert rail.margin == pytest.approx(0.05 - beyond + 0.02)


@pytest.mark.parametrize(("slower", "taken_back"), [(1.0, False), (1.1, False), (1.6, True)])
def test_an_arm_is_taken_back_that_is_slower_by_more(slower: float, taken_back: bool) -> None:
    plan = succession(replace(STUDY, not_worse={"latency.p95": 0.1}), RELEASE, counted()).plan
    bound = next(rail.bound for rail in plan.guardrails if rail.signal is Signal.LATENCY)
    assert bound is not None
    rng = random.Random(5)
    units = []
    for one in seconds(many=3_000, seed=2):
        in_arm = rng.random() < 0.5
        late = one * (slower if in_arm else 1.0) > bound
        units.append(Unit(in_arm, 0.5, 1.0, {Signal.LATENCY: late, Signal.ERROR: False}))
    arm = replace(watched(STUDY, 1, 7), plan=plan)
    assert bool(harm_in(arm, compared(units, plan))) == taken_back


def test_what_a_rollout_cannot_hold_is_named() -> None:
    wanted = {"latency.p50": 0.1, "latency.p95": 0.1, "tokens": 0.2, "kind": 0.1, "quality": 0.02}
    study = replace(STUDY, not_worse=wanted, objectives=(Objective("kind", weight=0.0),))
    found = succession(study, RELEASE, counted())
    assert found.left == ("kind", "latency.p50", "tokens")  # of one signal the highest quantile; no span said tokens
    assert found.plan.rule is Rule.BETTER
    assert [rail.signal for rail in found.plan.guardrails[3:]] == [Signal.LATENCY]
    limited = succession(replace(study, limits={"latency": 2.0}), RELEASE, counted())
    assert limited.left == ("kind", "latency.p50", "latency.p95", "tokens")


def test_only_what_is_in_force_says_what_is_usual() -> None:
    assert rails(replace(STUDY, not_worse={"latency.p95": 0.1}), counted(trial=1)) == {}
