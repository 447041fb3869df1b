"""The conformance battery of `Selector`, on every one in the box."""

import math

import pytest

from collector.selection.archive import Standing
from collector.selection.selector import Field, Selector
from collector.selection.selectors import SELECTORS, selector_of


@pytest.fixture(params=SELECTORS)
def selector(request: pytest.FixtureRequest) -> Selector:
    return selector_of(request.param)


def standing(key: str, units: int, lead: float) -> Standing:
    if not units:
        return Standing(key)
    return Standing(key, units, 0, lead, 0.7 / units**0.5, 0.3 / units**0.5)


def field(*candidates: Standing, number: int = 1, left: int = 1_000) -> Field:
    return Field(candidates, max(len(candidates), 8), 50, 30, 1_500, left, number)


FIELDS = {
    "new": field(*(standing(f"c{n}", 0, 0.0) for n in range(8))),
    "begun": field(*(standing(f"c{n}", 10 * n, 0.1) for n in range(8))),
    "compared with nothing": field(Standing("a", 40), Standing("b", 40)),
    "close": field(*(standing(f"c{n}", 100, n / 100) for n in range(5)), number=7),
    "one leads": field(standing("a", 400, 0.2), standing("b", 400, 0.0), standing("c", 400, -0.1)),
    "all trail": field(standing("a", 900, -0.2), standing("b", 900, -0.3)),
    "one": field(standing("a", 900, 0.1)),
    "one that is equal": field(standing("a", 900, 0.0)),
    "late": field(standing("a", 300, 0.1), standing("b", 0, 0.0)),
    "all used up": field(standing("a", 50, 0.1), standing("b", 0, 0.0), left=0),
}


@pytest.mark.parametrize("known", FIELDS.values(), ids=FIELDS)
def test_it_names_open_candidates_only_and_does_something_with_them(selector: Selector, known: Field) -> None:
    move, keys = selector.choose(known), {one.key for one in known.open}
    measured = {move.confirm} if move.confirm else set(move.shares)
    assert measured | set(move.dropped) <= keys
    assert not measured & set(move.dropped)
    assert measured | set(move.dropped)
    assert all(part > 0 and math.isfinite(part) for part in move.shares.values())
    assert all(move.dropped.values()), "a reason in words"


@pytest.mark.parametrize("known", FIELDS.values(), ids=FIELDS)
def test_the_same_field_gives_the_same_move(selector: Selector, known: Field) -> None:
    assert selector.choose(known) == selector.choose(known)


def test_without_candidates_it_wants_nothing(selector: Selector) -> None:
    move = selector.choose(field())
    assert (dict(move.shares), move.confirm, dict(move.dropped)) == ({}, "", {})


def test_a_candidate_that_nothing_is_known_of_is_measured(selector: Selector) -> None:
    assert selector.choose(field(standing("a", 0, 0.0))).shares == {"a": 1.0}


def test_a_clear_lead_is_confirmed(selector: Selector) -> None:
    assert selector.choose(field(standing("a", 3_000, 0.3), standing("b", 3_000, -0.3))).confirm == "a"
