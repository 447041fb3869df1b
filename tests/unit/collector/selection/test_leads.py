"""Leads over what is in force by way of all that were measured beside it."""

import random

import pytest

from collector.selection.archive import Archive, Candidate, Measured
from collector.selection.leads import MOST_TOGETHER, Cell, Leads, inverse, leads_of


def cells(**of: dict[int, tuple[int, float]]) -> dict[str, dict[int, Cell]]:
    """By arm and batch: units and their mean."""
    return {arm: {batch: Cell(units, units * mean) for batch, (units, mean) in own.items()} for arm, own in of.items()}


def lead_of(found: Leads, arm: str) -> tuple[float, float]:
    lead = found.of(arm)
    assert lead is not None
    return lead


def test_with_one_candidate_it_is_the_difference_within_batches_weighted_by_their_units() -> None:
    found = leads_of("now", cells(now={1: (90, 0.8), 2: (10, 0.1)}, a={1: (10, 0.9), 2: (30, 0.5)}))
    weights = 90 * 10 / 100, 10 * 30 / 40
    lead, spread = lead_of(found, "a")
    assert lead == pytest.approx((weights[0] * 0.1 + weights[1] * 0.4) / sum(weights))
    assert spread == pytest.approx(1 / sum(weights))


def test_who_never_met_what_is_in_force_is_compared_by_way_of_another() -> None:
    """The second batch is worse by 0.4 for all."""
    found = leads_of("now", cells(now={1: (40, 0.5)}, a={1: (40, 0.6), 2: (40, 0.2)}, b={2: (40, 0.3)}))
    assert lead_of(found, "a") == (pytest.approx(0.1), pytest.approx(2 / 40))
    assert lead_of(found, "b") == (pytest.approx(0.2), pytest.approx(4 / 40))


def test_who_is_joined_by_nothing_has_no_lead() -> None:
    found = leads_of("now", cells(now={1: (4, 0.5)}, a={1: (4, 0.5)}, b={2: (4, 1.0)}, c={2: (4, 0.0)}))
    assert found.of("a") is not None
    assert found.of("b") is None
    assert found.of("c") is None
    assert leads_of("now", cells(now={}, a={1: (4, 0.5)})).of("a") is None


def test_what_befalls_a_whole_batch_changes_no_lead() -> None:
    rng = random.Random(1)
    arms = ("now", "a", "b", "c")
    made = {arm: {batch: (rng.randrange(1, 30), rng.random()) for batch in range(6)} for arm in arms}
    fallen = {arm: {batch: (units, mean - batch) for batch, (units, mean) in own.items()} for arm, own in made.items()}
    before, after = leads_of("now", cells(**made)), leads_of("now", cells(**fallen))
    assert [lead_of(after, arm)[0] for arm in "abc"] == pytest.approx([lead_of(before, arm)[0] for arm in "abc"])


def test_the_leads_vary_as_they_are_said_to_and_less_than_beside_the_control_alone() -> None:
    rng = random.Random(2)
    units = {"now": (2, 3, 2), "a": (20, 5, 20), "b": (20, 40, 0), "c": (5, 10, 40)}
    errors: list[float] = []
    spread = direct = 0.0
    for _ in range(800):
        made = cells(
            **{
                arm: {
                    batch: (count, sum(rng.gauss() for _ in range(count)) / count)
                    for batch, count in enumerate(own)
                    if count
                }
                for arm, own in units.items()
            }
        )
        lead, spread = lead_of(leads_of("now", made), "b")
        direct = lead_of(leads_of("now", {key: made[key] for key in ("now", "b")}), "b")[1]
        errors.append(lead)
    assert abs(sum(errors) / len(errors)) < 4 * (spread / len(errors)) ** 0.5
    assert sum(error**2 for error in errors) / len(errors) == pytest.approx(spread, rel=0.2)
    assert spread < direct


def test_the_inverse_is_one() -> None:
    matrix = [[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]]
    found = inverse(matrix)
    for at in range(3):
        product = [sum(matrix[at][k] * found[k][to] for k in range(3)) for to in range(3)]
        assert product == pytest.approx([float(at == to) for to in range(3)])


def test_of_very_many_those_with_the_fewest_units_are_compared_with_what_is_in_force_alone() -> None:
    kept = Archive(Candidate("now", {}))
    kept.take(1, [Measured("now", float(n % 2)) for n in range(40)])
    keys = [f"c{number}" for number in range(MOST_TOGETHER + 1)]
    for number, key in enumerate(keys):
        kept.add(Candidate(key, {}))
        kept.take(1, [Measured(key, float(n % 4 > 0)) for n in range(4 if number else 2)])
    assert kept.standing("c0").lead == pytest.approx(0.0)
    assert kept.standing("c1").lead == pytest.approx(0.25)
    assert kept.covariance(keys[:2]) == ()
    assert len(kept.covariance(keys[1:4])) == 3
