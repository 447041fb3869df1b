"""Fresh data: how often noise passes, how soon a gain does, and whether the interval holds what is true."""

import random

from collector.selection.confirmation import Confirmation


def behind(seed: int, chance: float, *, alpha: float = 0.05, units: int = 1_000) -> Confirmation:
    """Behind the look at which it passed, or behind all units; the incumbent is at 0.6."""
    rng, test = random.Random(seed), Confirmation("c", alpha, 1_000)
    for _ in range(units):
        challenger = rng.random() < 0.5
        outcome = float(rng.random() < (chance if challenger else 0.6))
        test = test.with_unit(outcome, challenger=challenger, share=0.5)
        if test.e_value >= 1 / alpha and test.passed:
            break
    return test


def test_a_look_after_every_unit_lets_noise_pass_in_at_most_alpha() -> None:
    passed = sum(behind(seed, 0.6, units=1_200).passed for seed in range(100))
    assert passed <= 0.05 * 100 + 2 * (0.05 * 0.95 * 100) ** 0.5


def test_a_gain_of_a_tenth_passes_in_most_tests_of_a_thousand_units() -> None:
    assert sum(behind(seed, 0.7).passed for seed in range(60)) >= 50


def test_a_clear_gain_needs_fewer_units_than_were_planned() -> None:
    assert all(behind(seed, 0.95).units < 400 for seed in range(10))


def test_the_interval_holds_the_true_gain_when_it_stops() -> None:
    missed = 0
    for seed in range(60):
        gain = behind(seed, 0.7).gain
        missed += not gain.lowest <= 0.1 <= gain.highest
    assert missed <= 3


def test_pairs_need_fewer_examples_where_examples_differ_more_than_candidates() -> None:
    rng, test = random.Random(1), Confirmation("c", 0.05, 200)
    for _ in range(200):
        difficulty = rng.random()
        test = test.with_pair(min(difficulty + 0.05, 1.0), difficulty)
        if test.passed:
            break
    assert test.passed
    assert test.units <= 400  # two units a pair; 2,400 units that are not paired
    assert 0.03 < test.gain.mean < 0.06


def test_a_candidate_that_fails_more_often_does_not_pass_by_the_rest() -> None:
    test = Confirmation("c", 0.05, 400)
    for _ in range(100):
        test = test.with_pair(1.0, 0.5)
    assert test.passed
    for _ in range(20):
        test = test.with_pair(None, 0.5)
    assert not test.passed


def test_it_says_about_how_many_more_units_a_lead_takes() -> None:
    assert Confirmation("c", 0.05, 1_000).more() == float("inf")
    assert 400 < Confirmation("c", 0.05, 1_000).more(0.1) < 900
    assert behind(3, 0.6, units=200).more(0.1) < behind(3, 0.6, units=200).more(0.05)
