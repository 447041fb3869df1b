"""Paired comparison: how often it is wrong, and how much it needs."""

import math
import random

import pytest

from collector.core.problem import Objective
from collector.core.study import Direction
from otel_opto_train.trainer.comparing import compared, mean_of, outcome_of


def thumbs(rng: random.Random, pairs: int, ours: float, theirs: float) -> tuple[dict[str, float], dict[str, float]]:
    return (
        {str(number): float(rng.random() < ours) for number in range(pairs)},
        {str(number): float(rng.random() < theirs) for number in range(pairs)},
    )


def test_what_is_no_better_is_seldom_called_better() -> None:
    rng = random.Random(1)
    found = [compared(*thumbs(rng, 50, 0.6, 0.6), 0.05).better for _ in range(600)]
    assert sum(found) / len(found) <= 0.05
    worse = [compared(*thumbs(rng, 50, 0.5, 0.6), 0.05).better for _ in range(300)]
    assert sum(worse) / len(worse) <= 0.01


def test_a_large_gain_shows_on_ten_examples_and_a_small_one_on_a_thousand() -> None:
    ten = {str(number): 1.0 for number in range(8)} | {"8": 0.0, "9": 0.0}
    assert compared(ten, dict.fromkeys(ten, 0.0), 0.05).better
    rng = random.Random(2)
    found = [compared(*thumbs(rng, 1000, 0.7, 0.6), 0.05).better for _ in range(60)]
    assert sum(found) / len(found) >= 0.8


def test_without_evidence_it_says_how_many_more() -> None:
    ours = {str(number): 0.6 for number in range(5)}
    lead = compared(ours, dict.fromkeys(ours, 0.4), 0.05)
    assert (lead.better, lead.pairs, round(lead.gain, 3)) == (False, 5, 0.2)
    assert lead.words().startswith("no evidence yet: +0.2 (")
    more = 5 + math.ceil(lead.more)
    longer = {str(number): 0.6 for number in range(more)}
    assert compared(longer, dict.fromkeys(longer, 0.4), 0.05).better
    assert compared(dict.fromkeys(ours, 0.4), ours, 0.05).words().startswith("not better: -0.2")


def test_failures_are_no_outcome_and_not_forgiven() -> None:
    theirs: dict[str, float | None] = {str(number): 0.0 for number in range(20)}
    ours: dict[str, float | None] = {str(number): 1.0 for number in range(20)}
    assert compared(ours, theirs, 0.05).better
    failing = {**ours, "3": None}
    lead = compared(failing, theirs, 0.05)
    assert (lead.pairs, lead.failures, lead.better, lead.looks_better) == (19, (0, 1), False, False)
    assert compared(failing, {**theirs, "4": None}, 0.05).failures == (1, 1)
    assert compared({"1": None}, {"1": 0.5}, 0.05).words() == "no example on which both ran without failing"


@pytest.mark.parametrize(("score", "outcome"), [(5.0, 1.0), (0.0, 0.5), (-5.0, 0.0), (9.0, 1.0), (None, None)])
def test_scores_become_outcomes_in_the_metrics_range(score: float | None, outcome: float | None) -> None:
    objective = Objective(lowest=-5, highest=5)
    assert outcome_of(score, objective) == outcome
    downwards = outcome_of(score, Objective(lowest=-5, highest=5, direction=Direction.MINIMIZE))
    assert downwards == (None if outcome is None else 1 - outcome)


def test_the_interval_of_a_mean_holds_it() -> None:
    rng, objective = random.Random(3), Objective(lowest=0, highest=10)
    outside = 0
    for _ in range(200):
        found = mean_of([rng.uniform(2, 8) for _ in range(30)], objective, 0.05)
        outside += not found.lowest <= 5 <= found.highest
    assert outside / 200 <= 0.05
    assert 0 < found.highest - found.lowest < 6
    assert (found.n, mean_of([None], objective, 0.05).mean, mean_of([1.0, None], objective, 0.05).failures) == (
        30,
        None,
        1,
    )
