"""Axes: what can be searched, and counting through it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.optimizer.searching.space import (
    Categories,
    Integers,
    Interval,
    axis_of,
    candidate_of,
    size_of,
    spread,
    untried,
)
from otel_opto.spec import MAX_INTEGER, Constraint, ParameterSpec, ParameterType

AXES = (
    Integers("n", -1, 2),
    Categories("c", ("x", "y", "z")),
    Interval("one", 0.5, 0.5),
    Categories("b", (False, True)),
)


@pytest.mark.parametrize(
    ("spec", "axis"),
    [
        (ParameterSpec("p", ParameterType.BOOLEAN, default=True), Categories("p", (False, True))),
        (ParameterSpec("p", ParameterType.CHOICE, "b", Constraint(choices=("b", "a"))), Categories("p", ("b", "a"))),
        (ParameterSpec("p", ParameterType.FLOAT, 0.5, Constraint(minimum=0, maximum=1)), Interval("p", 0.0, 1.0)),
        (ParameterSpec("p", ParameterType.FLOAT, 0.5, Constraint(minimum=0)), None),
        (ParameterSpec("p", ParameterType.FLOAT, 0.5, Constraint(minimum=-math.inf, maximum=math.inf)), None),
        (ParameterSpec("p", ParameterType.FLOAT, 0.5, Constraint(minimum=-1.7e308, maximum=1.7e308)), None),
        (ParameterSpec("p", ParameterType.INTEGER, 2, Constraint(minimum=1.2, maximum=3.8)), Integers("p", 2, 3)),
        (
            ParameterSpec("p", ParameterType.INTEGER, 2, Constraint(minimum=0, maximum=1e20)),
            Integers("p", 0, MAX_INTEGER),
        ),
        (ParameterSpec("p", ParameterType.INTEGER, 2, Constraint(maximum=3)), None),
        (ParameterSpec("p", ParameterType.TEXT, "t"), None),
        (
            ParameterSpec("p", ParameterType.TEXT, "t", Constraint(candidates=("u", "t"))),
            Categories("p", ("t", "u")),
        ),
    ],
)  # fmt: skip
def test_what_can_be_searched(spec: ParameterSpec, axis: object) -> None:
    assert axis_of(spec) == axis


def test_a_text_in_force_is_kept_where_it_is_still_allowed() -> None:
    spec = ParameterSpec("p", ParameterType.TEXT, "{q}", Constraint(placeholders=("q",), candidates=("to {q}",)))
    assert axis_of(spec, "of {q}") == Categories("p", ("{q}", "to {q}", "of {q}"))
    assert axis_of(spec, "no place") == Categories("p", ("{q}", "to {q}"))


@pytest.mark.parametrize(
    ("values", "inside"),
    [
        ({"n": 0, "c": "x", "one": 0.5, "b": True}, True),
        ({"n": 3, "c": "x", "one": 0.5, "b": True}, False),
        ({"n": 0, "c": "w", "one": 0.5, "b": True}, False),
        ({"n": 0, "c": "x", "one": 0.6, "b": True}, False),
        ({"n": 0, "c": "x", "one": 0.5, "b": 1}, False),
        ({"n": True, "c": "x", "one": 0.5, "b": True}, False),
        ({"n": 0, "c": "x", "one": 0.5}, False),
    ],
)
def test_a_point_lies_inside_where_every_value_does(values: dict[str, bool | float | str], inside: bool) -> None:
    assert (candidate_of(AXES, values) is not None) is inside


def test_sizes() -> None:
    assert size_of(AXES) == 4 * 3 * 1 * 2
    assert size_of((*AXES, Interval("f", 0, 1))) == math.inf


@given(seed=st.integers(0, 2**32))
def test_every_point_comes_once(seed: int) -> None:
    tried: set[tuple[object, ...]] = set()
    for _ in range(24):
        candidate = untried(AXES, tried, seed)  # type: ignore[arg-type]
        assert candidate not in tried
        assert candidate_of(AXES, dict(zip(("n", "c", "one", "b"), candidate, strict=True))) == candidate
        tried.add(candidate)


def test_a_huge_space_is_not_spread_out() -> None:
    axes = (Integers("n", -MAX_INTEGER, MAX_INTEGER),) * 3
    assert len(untried(axes, frozenset(), 1)) == 3


def test_a_spread_meets_every_part_of_a_range_and_every_choice() -> None:
    axes = [Interval("f", 0.0, 8.0), Integers("i", 1, 8), Categories("c", ("a", "b", "c"))]
    begun = [spread(axes, 8, index, 3) for index in range(8)]
    assert sorted(int(float(candidate[0])) for candidate in begun) == list(range(8))
    assert sorted(int(candidate[1]) for candidate in begun) == list(range(1, 9))
    assert {candidate[2] for candidate in begun} == {"a", "b", "c"}
    assert begun == [spread(axes, 8, index, 3) for index in range(8)]
    assert begun != [spread(axes, 8, index, 4) for index in range(8)]
