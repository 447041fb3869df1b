"""Which parameters the scores depend on."""

import random
from dataclasses import replace

import pytest

from collector.core.study import Direction, Study, Trial
from collector.optimizer.searching.importance import LEAST, importance
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue

STUDY = Study("tune", "qa", "quality")
SPECS = (
    ParameterSpec("k", ParameterType.INTEGER, 1, Constraint(minimum=1, maximum=20)),
    ParameterSpec("weight", ParameterType.FLOAT, 0.9, Constraint(minimum=0, maximum=1)),
    ParameterSpec("mode", ParameterType.CHOICE, "a", Constraint(choices=("a", "b", "c"))),
    ParameterSpec("prompt", ParameterType.TEXT, "Answer."),
)


def trials(count: int, sign: int = 1) -> list[Trial]:
    """Scores hang on the weight above all."""
    rng = random.Random(1)
    found = []
    for number in range(count):
        values: dict[str, ParameterValue] = {
            "k": rng.randint(1, 20), "weight": rng.random(), "mode": rng.choice("abc"), "prompt": "Answer.",
        }  # fmt: skip
        score = sign * (float(str(values["weight"])) + 0.02 * (values["mode"] == "b"))
        found.append(Trial(number, number + 1, values, score=score))
    return found


@pytest.mark.parametrize("direction", list(Direction))
def test_what_scores_hang_on_comes_first(direction: Direction) -> None:
    sign = 1 if direction is Direction.MAXIMIZE else -1
    found = importance(replace(STUDY, direction=direction), SPECS, trials(200, sign))
    assert next(iter(found.parts)) == "weight"
    assert found.parts["weight"] > 0.5
    assert sum(found.parts.values()) == pytest.approx(1)
    assert found.parts.keys() == {"k", "weight", "mode"}  # a text without candidates has no range
    assert (found.trials, found.lacking) == (200, "")


def test_of_many_trials_some_are_looked_at() -> None:
    assert importance(STUDY, SPECS, trials(2_500)).trials == 834


@pytest.mark.parametrize(
    ("given", "count", "words"),
    [
        (SPECS, 0, "0 are there"), (SPECS, LEAST - 1, f"{LEAST - 1} are there"), (SPECS[:1], 50, "fewer than two"),
        ((), 50, "fewer than two"),
    ],
)  # fmt: skip
def test_why_there_is_none_is_said(given: tuple[ParameterSpec, ...], count: int, words: str) -> None:
    found = importance(STUDY, given, trials(count))
    assert (found.parts, found.trials) == ({}, 0)
    assert words in found.lacking


def test_equal_scores_tell_nothing() -> None:
    alike = [replace(trial, score=0.5) for trial in trials(50)]
    assert importance(STUDY, SPECS, alike).lacking == "all trials have the same score"


def test_options_of_another_optimizer_do_no_harm() -> None:
    study = replace(STUDY, optimizer="other", optimizer_options={"scales": 3, "conditions": "x"})
    assert importance(study, SPECS, trials(50)).parts


def test_a_parameter_that_seldom_counts_is_weighed_where_it_does() -> None:
    study = replace(STUDY, optimizer_options={"conditions": {"k": {"mode": "b"}}, "scales": {"k": "log"}})
    assert next(iter(importance(study, SPECS, trials(200)).parts)) == "weight"
