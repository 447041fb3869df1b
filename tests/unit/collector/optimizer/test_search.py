"""Search on Optuna."""

from dataclasses import replace

import pytest

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.core.study import Direction, Study, Trial
from collector.optimizer.registry import OptimizerRegistry
from collector.optimizer.search import Search
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue
from tests.contract.optimizers import DEFAULTS, SPECS

BOOLEAN = ParameterSpec("on", ParameterType.BOOLEAN, default=False)
FREE = ParameterSpec("free", ParameterType.FLOAT, 1.0)


def score_of(values: dict[str, ParameterValue]) -> float:
    """Best at top_k 6, weight 0.3, fast, bare style, strict."""
    return (
        1.0
        - abs(int(values["top_k"]) - 6) / 10
        - abs(float(values["weight"]) - 0.3)
        + 0.5 * (values["method"] == "fast")
        + 0.5 * (values["style"] == "{a}")
        + 0.2 * bool(values["strict"])
    )


async def run(study: Study, trials: int) -> list[Trial]:
    """A whole study on `score_of`."""
    sign = 1 if study.direction is Direction.MAXIMIZE else -1
    known = [Trial(0, 1, DEFAULTS, score=sign * score_of(DEFAULTS))]
    for number in range(1, trials + 1):
        request = OptimizationRequest(study, SPECS, DEFAULTS, (), tuple(known), ())
        (proposal,) = await Search().propose(request)
        values = {**DEFAULTS, **proposal.values}
        known.append(Trial(number, number + 1, values, score=sign * score_of(values)))  # type: ignore[arg-type]
    return known


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("direction", list(Direction))
async def test_it_comes_near_the_optimum(seed: int, direction: Direction) -> None:
    trials = await run(Study("s", "shop", "q", direction, seed=seed), 40)
    best = max(abs(trial.score or 0.0) for trial in trials)
    assert abs(trials[0].score or 0.0) == pytest.approx(0.2)
    assert best > 1.7  # the optimum is 2.2


async def test_nothing_is_proposed_twice_and_an_exhausted_space_ends_it() -> None:
    study = Study("s", "shop", "q")
    trials = [Trial(0, 1, {"on": False, "free": 1.0}, score=0.0)]
    request = OptimizationRequest(study, (BOOLEAN, FREE), {"on": False, "free": 1.0}, (), tuple(trials), ())
    (proposal,) = await Search().propose(request)
    assert proposal.values == {"on": True}
    trials.append(Trial(1, 2, {"on": True, "free": 1.0}, score=0.1))
    assert await Search().propose(replace(request, trials=tuple(trials))) == ()


async def test_a_value_from_before_a_change_of_range_is_passed_over() -> None:
    old = Trial(1, 2, {**DEFAULTS, "top_k": 99, "method": "gone"}, score=9.0)
    request = OptimizationRequest(Study("s", "shop", "q"), SPECS, DEFAULTS, (), (old,), ())
    (proposal,) = await Search().propose(request)
    assert 1 <= int(str(proposal.values["top_k"])) <= 9


@pytest.mark.parametrize(
    ("options", "specs", "said"),
    [
        ({"sampler": "annealing"}, SPECS, "found 'annealing', allowed: tpe or random"),
        ({"startup_trials": 0}, SPECS, "allowed: a whole number from 1 to 1000"),
        ({"startup_trials": True}, SPECS, "found True"),
        ({}, (FREE,), "none of free can be searched: numbers need minimum and maximum"),
    ],
)
def test_what_it_cannot_work_with_is_said(
    options: dict[str, object], specs: tuple[ParameterSpec, ...], said: str
) -> None:
    study = Study("s", "shop", "q", optimizer_options=options)  # type: ignore[arg-type]
    (fault,) = Search().check(study, specs)
    assert said in fault


def test_an_unknown_optimizer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptimizerError, match="unknown 'serch'; available: optoprime, search") as refused:
        OptimizerRegistry().load("serch")
    assert refused.value.permanent


async def test_integer_bounds_that_are_no_integers_are_met() -> None:
    spec = ParameterSpec("n", ParameterType.INTEGER, 2, Constraint(minimum=1.5, maximum=3.5))
    request = OptimizationRequest(
        Study("s", "shop", "q"), (spec,), {"n": 2}, (), (Trial(0, 1, {"n": 2}, score=0.0),), ()
    )
    (proposal,) = await Search().propose(request)
    assert proposal.values == {"n": 3}


async def test_a_study_begins_by_meeting_every_choice_and_every_part_of_a_range() -> None:
    trials = await run(Study("s", "shop", "q", seed=6, optimizer_options={"startup_trials": 8}), 8)
    begun = [trial.values for trial in trials[1:]]
    for spec in SPECS:
        if spec.type in (ParameterType.CHOICE, ParameterType.TEXT, ParameterType.BOOLEAN):
            assert len({values[spec.key] for values in begun}) == 2
    assert sorted(int(float(values["weight"]) * 8) for values in begun) == list(range(8))
