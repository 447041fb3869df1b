"""What is believed of candidates, and where units go by it."""

import random

import pytest

from collector.selection.archive import Standing
from collector.selection.belief import belief_of
from collector.selection.leads import MOST_TOGETHER
from collector.selection.selector import Field
from collector.selection.selectors import selector_of


def standing(key: str, lead: float, own: float = 0.04, shared: float = 0.0) -> Standing:
    return Standing(key, 100, 0, lead, (own**2 + shared**2) ** 0.5, shared)


def test_alone_a_lead_is_drawn_to_zero_as_its_error_says() -> None:
    found = belief_of([standing("a", 0.1, own=0.05)], prior=0.05)
    assert found.means == pytest.approx([0.05])
    assert found.root[0] == pytest.approx([0.05 / 2**0.5])
    assert found.positive(0) == pytest.approx(0.9214, abs=1e-4)


def test_where_all_lead_by_as_much_what_is_in_force_had_bad_luck() -> None:
    alike = [standing(f"c{number}", 0.1, shared=0.1) for number in range(8)]
    means = belief_of(alike).means
    assert max(means) < 0.02
    assert belief_of([*alike[1:], standing("best", 0.2, shared=0.1)]).means[-1] > 0.04


def test_draws_are_of_the_means_and_the_spread_that_are_believed() -> None:
    covariance = [[0.002, 0.001], [0.001, 0.003]]
    found = belief_of([standing("a", 0.1), standing("b", -0.05)], covariance)
    rng = random.Random(3)
    drawn = [found.drawn(rng) for _ in range(4_000)]
    for at in range(2):
        assert sum(one[at] for one in drawn) / len(drawn) == pytest.approx(found.means[at], abs=0.003)
        positive = sum(one[at] > 0 for one in drawn) / len(drawn)
        assert positive == pytest.approx(found.positive(at), abs=0.03)


def test_half_of_the_units_go_where_they_tell_whether_the_leader_leads() -> None:
    known = (standing("first", 0.06), standing("second", 0.055), standing("third", 0.05), standing("last", -0.05))
    shares = selector_of("thompson").choose(Field(known, 4, 50, 30, 1_500, 1_000, 1)).shares
    assert shares.keys() == {"first", "second", "third", "last"}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["last"] < 0.1 < shares["third"] < 0.5
    assert max(shares.values()) <= 0.5


def test_very_many_are_thought_about_by_those_that_look_best() -> None:
    known = tuple(standing(f"c{number}", number / 5_000) for number in range(MOST_TOGETHER + 30))
    move = selector_of("thompson").choose(Field(known, len(known), 50, 30, 1_500, 1_000, 1))
    assert len(move.shares) == len(known)
    assert move.shares["c0"] < move.shares[known[-1].key]
