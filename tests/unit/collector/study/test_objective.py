"""Objectives: a metric, and what may not get worse or counts beside it."""

import pytest

from benchmarks.selection.town import Users, released, studied, study
from collector.core.candidate import Fate, Selection
from collector.core.objective import Objective
from collector.core.rollout import Signal
from collector.core.study import Study
from collector.core.units import Unit
from collector.study.window.measuring import Counted
from collector.study.window.objective import beyond, outcome_of
from collector.study.window.plans import plan_of, watched


class Slow(Users):
    """Users who wait: beyond the limit as often as x says."""

    def next(self, value: int, *, in_arm: bool, share: float) -> Unit:
        unit = super().next(value, in_arm=in_arm, share=share)
        slow = self.rng.random() < (0.6 if value == 1 else 0.1)
        return Unit(in_arm, share, unit.outcome, {**unit.signals, Signal.LATENCY: slow})


async def test_the_best_one_is_not_released_where_it_is_slow_and_the_next_one_is() -> None:
    users = Slow({0: 0.4, 1: 0.95, 2: 0.8})
    record = await studied(users, study(limits={"latency": 2.0}, selection=Selection(units=2_000)))
    assert record.trials[1].fate is Fate.BROKEN
    assert "latency: " in record.trials[1].why
    assert released(record, users) == pytest.approx(0.4)
    winner = record.winner()
    assert winner is not None
    assert winner.number == 2


async def test_a_weight_makes_it_a_part_of_the_objective() -> None:
    users = Slow({0: 0.4, 1: 0.95, 2: 0.8})
    weighed = study(limits={"latency": 2.0}, weights={"latency": 2.0}, selection=Selection(units=2_000))
    record = await studied(users, weighed)
    winner = record.winner()
    assert winner is not None
    assert winner.number == 2  # 0.8 and 2 of 0.9 are more than 0.95 and 2 of 0.4
    assert record.trials[1].fate is not Fate.WON


def test_an_outcome_is_the_metric_and_what_was_kept_with_their_weights() -> None:
    one = study(limits={"latency": 2.0, "tokens": 100.0}, weights={"latency": 0.5})
    slow = Unit(True, 0.5, 0.6, {Signal.LATENCY: True, Signal.TOKENS: True})
    assert outcome_of(one, slow) == pytest.approx(0.4)
    assert outcome_of(one, Unit(True, 0.5, 0.6, {Signal.LATENCY: False})) == pytest.approx(1.1 / 1.5)
    assert outcome_of(one, Unit(True, 0.5, None, {Signal.LATENCY: False})) is None
    assert outcome_of(study(), slow) == 0.6


def test_a_limit_is_kept_where_no_more_are_beyond_it() -> None:
    one = study(limits={"tokens": 100.0})
    units = [
        Counted(2, number % 2, Unit(number % 2 > 0, 0.5, 1.0, {Signal.TOKENS: number < 4})) for number in range(40)
    ]
    assert beyond(one, 1, units) == ""
    more = [Counted(2, 1, Unit(True, 0.5, 1.0, {Signal.TOKENS: True})) for _ in range(5)]
    assert "tokens: 28.0% of its fresh units are beyond 100, of what is in force 10.0%" in beyond(one, 1, units + more)


def test_bounds_are_guarded_and_weights_are_not() -> None:
    one = study(limits={"latency": 2.0, "tokens": 100.0}, weights={"latency": 0.5})
    assert {rail.signal: rail.bound for rail in plan_of(one).guardrails if rail.bound} == {
        Signal.LATENCY: 2.0, Signal.TOKENS: 100.0,
    }  # fmt: skip
    guarded = {rail.signal for rail in watched(one, 1, 1).plan.guardrails}
    assert (Signal.TOKENS in guarded, Signal.LATENCY in guarded) == (True, False)


def test_wrong_limits_and_weights_are_named() -> None:
    wrong = Study("s", "shop", "q", limits={"speed": 1.0, "cost": 0.0}, weights={"latency": 1.0})
    assert wrong.faults() == [
        "limits: found 'speed', allowed are latency, tokens, cost",
        "weights: 'latency' has no limit; say what it counts within",
        "limits: 'cost': found 0, allowed are finite numbers above 0",
    ]


def test_a_weight_in_which_all_others_would_be_lost_is_refused() -> None:
    heavy = Objective("cost", highest=1.0, weight=1e300)
    found = Study(
        "s", "shop", "q", objectives=(heavy,), limits={"latency": 2.0}, weights={"latency": 1e7}
    ).faults()  # fmt: skip
    assert found == [
        "weights: 'latency': found 1e+07, allowed are 1,000,000 at most",
        "objectives: 'cost': found the weight 1e+300, allowed is 0 to 1,000,000",
    ]
