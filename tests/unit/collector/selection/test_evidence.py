"""The bets on live traffic: how often they are wrong, and how soon they are right. Seeded simulations."""

import math
import random
import statistics
from collections.abc import Callable

import pytest

from collector.rollout.ratio import SampleRatio
from collector.selection.evidence import Evidence, Margins

NEEDED = 20.0  # alpha 0.05


def looks(seed: int, control: float, arm: float, share: Callable[[int], float], units: int) -> list[Evidence]:
    """Evidence after each unit of simulated thumbs."""
    rng, evidence, seen = random.Random(seed), Evidence(), []
    for number in range(units):
        part = share(number)
        in_arm = rng.random() < part
        outcome = float(rng.random() < (arm if in_arm else control))
        evidence = evidence.with_unit(outcome, in_arm=in_arm, share=part, margins=Margins(0.0, 0.05))
        seen.append(evidence)
    return seen


def first(seen: list[Evidence], reached: Callable[[Evidence], bool], least: int) -> int | None:
    return next((number for number, one in enumerate(seen, 1) if one.fewest >= least and reached(one)), None)


def harmed(seed: int, control: float, arm: float, share: Callable[[int], float], units: int) -> int | None:
    return first(looks(seed, control, arm, share, units), lambda one: one.harm_e_value >= NEEDED, 20)


def always(share: float) -> Callable[[int], float]:
    return lambda _: share


@pytest.mark.parametrize("mean", [0.8, 0.97])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_without_a_difference_a_look_after_every_unit_finds_harm_in_at_most_5_percent(
    mean: float, share: float
) -> None:
    alarms = sum(harmed(seed, mean, mean, always(share), 1_000) is not None for seed in range(100))
    assert alarms <= 5


def test_thumbs_that_fall_from_80_to_70_percent_are_found_within_600_units() -> None:
    found = [harmed(seed, 0.8, 0.7, always(0.5), 3_000) or math.inf for seed in range(40)]
    assert statistics.median(found) <= 600


def test_an_arm_that_is_worse_by_the_margin_is_hardly_ever_called_sound() -> None:
    wrong = [
        first(looks(seed, 0.8, 0.75, always(0.5), 1_500), lambda one: one.sound_e_value >= NEEDED, 100)
        for seed in range(60)
    ]
    assert sum(one is not None for one in wrong) <= 3


def test_a_better_arm_is_called_sound() -> None:
    found = [
        first(looks(seed, 0.6, 0.7, always(0.5), 1_500), lambda one: one.sound_e_value >= NEEDED, 100)
        for seed in range(30)
    ]
    assert sum(one is not None for one in found) >= 27


def test_a_ramp_over_days_that_differ_is_no_harm() -> None:
    """Most of the arm's units come on the worse day: pooled means would see harm (Simpson's paradox)."""
    alarms = 0
    for seed in range(60):
        rng, evidence = random.Random(seed), Evidence()
        for number in range(1_200):
            share, mean = (0.05, 0.9) if number < 600 else (0.5, 0.6)
            in_arm = rng.random() < share
            outcome = float(rng.random() < mean)
            evidence = evidence.with_unit(outcome, in_arm=in_arm, share=share, margins=Margins())
            if evidence.fewest >= 20 and evidence.harm_e_value >= NEEDED:
                alarms += 1
                break
    assert evidence.arm_mean is not None
    assert evidence.control_mean is not None
    assert evidence.control_mean - evidence.arm_mean > 0.05
    assert alarms <= 3


def test_means_and_counts_are_told_apart() -> None:
    evidence = Evidence()
    for in_arm, outcome in ((True, 1.0), (False, 0.0), (True, 0.5)):
        evidence = evidence.with_unit(outcome, in_arm=in_arm, share=0.5, margins=Margins())
    assert (evidence.arm_units, evidence.arm_mean) == (2, 0.75)
    assert (evidence.control_units, evidence.control_mean, evidence.fewest) == (1, 0.0, 1)


def mixed(seed: int, dealt: float, share: float, units: int) -> int | None:
    rng, ratio = random.Random(seed), SampleRatio()
    for number in range(units):
        ratio = ratio.with_unit(in_arm=rng.random() < dealt, share=share)
        if ratio.e_value >= 1_000:
            return number
    return None


def test_units_that_come_as_the_shares_say_are_never_suspected_and_others_are() -> None:
    assert [mixed(seed, share, share, 2_000) for seed in range(20) for share in (0.05, 0.5)] == [None] * 40
    found = [mixed(seed, 0.4, 0.5, 2_000) for seed in range(20)]
    assert None not in found
