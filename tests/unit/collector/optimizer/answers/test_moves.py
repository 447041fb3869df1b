"""Directions become numbers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.optimizer.answers.moves import moved, resolved
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests.contract.optimizers import request, trial

ARM = ParameterSpec("arm", ParameterType.FLOAT, 1.0, Constraint(minimum=0, maximum=10))
STEPS = ParameterSpec("steps", ParameterType.INTEGER, 1, Constraint(minimum=0, maximum=10))
FREE = ParameterSpec("free", ParameterType.FLOAT, 1.0)


@pytest.mark.parametrize(
    ("spec", "current", "tried", "upwards", "wanted"),
    [
        (ARM, 1.0, [1.0], True, 5.5),
        (ARM, 5.5, [1.0, 5.5], False, 3.25),
        (ARM, 1.0, [1.0, 5.5, 8.0], True, 3.25),
        (ARM, 1.0, [1.0, 1.1, 6.0], True, 3.5),
        (ARM, 9.0, [9.0, 9.2], True, 9.5),
        (STEPS, 1.0, [1.0], True, 6),
        (STEPS, 1.0, [1.0, 2.0], True, 2),
        (STEPS, 10.0, [10.0], True, 10),
        (FREE, 8.0, [8.0], True, 16.0),
        (FREE, 0.0, [0.0], False, -1.0),
    ],
)
def test_a_direction_halves_the_way(
    spec: ParameterSpec, current: float, tried: list[float], *, upwards: bool, wanted: float
) -> None:
    assert moved(spec, current, tried, upwards=upwards) == wanted


def test_only_numbers_move_and_other_words_stay_for_validation() -> None:
    said = {"top_k": "Larger ", "weight": "keep", "style": "larger", "strict": "keep", "unknown": "smaller"}
    asked = replace(request(), trials=(*request().trials, trial(1, 0.5, top_k=4)))
    assert resolved(said, asked) == {**said, "top_k": 2, "weight": 0.0}
    assert resolved({"top_k": "more"}, asked) == {"top_k": "more"}


@given(st.floats(0.3, 9.7), st.floats(0.0, 10.0))
def test_true_directions_find_the_optimum_in_a_dozen_steps(wanted: float, start: float) -> None:
    tried, best = [start], start
    for _ in range(12):
        value = float(moved(ARM, best, tried, upwards=wanted > best))
        tried.append(value)
        best = min(tried, key=lambda one: abs(one - wanted))
    assert abs(best - wanted) < 0.7


@given(st.sampled_from([ARM, STEPS, FREE]), st.floats(0, 10), st.lists(st.floats(0, 10)), st.booleans())
def test_what_comes_of_a_direction_is_allowed(spec: ParameterSpec, at: float, tried: list[float], up: bool) -> None:
    current = float(spec.validate(round(at)))
    spec.validate(moved(spec, current, [float(round(one)) for one in tried], upwards=up))
