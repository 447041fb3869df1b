"""Search on Optuna."""

import logging
import math
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from statistics import mean

import pytest

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Direction, Study, Trial
from collector.optimizer.generators.search import Search
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue
from tests.contract.optimizers import DEFAULTS, SPECS

BOOLEAN = ParameterSpec("on", ParameterType.BOOLEAN, default=False)
FREE = ParameterSpec("free", ParameterType.FLOAT, 1.0)
MIXED = (
    ParameterSpec("top_k", ParameterType.INTEGER, 1, Constraint(minimum=1, maximum=20)),
    ParameterSpec("weight", ParameterType.FLOAT, 0.9, Constraint(minimum=0, maximum=1)),
    ParameterSpec("mode", ParameterType.CHOICE, "a", Constraint(choices=("a", "b", "c"))),
    ParameterSpec("style", ParameterType.TEXT, "p0", Constraint(candidates=("p1", "p2", "p3"))),
    ParameterSpec("rerank", ParameterType.BOOLEAN, default=False),
)
START: dict[str, ParameterValue] = {spec.key: spec.default for spec in MIXED}


def score_of(values: Mapping[str, AnyValue]) -> float:
    """1 at top_k 7, weight 0.3, mode b, style p2, rerank; 0.03 at the defaults."""
    return (
        0.25 * math.exp(-(((float(str(values["top_k"])) - 7) / 4) ** 2))
        + 0.25 * math.exp(-(((float(str(values["weight"])) - 0.3) / 0.2) ** 2))
        + {"a": 0.0, "b": 0.15, "c": 0.05}[str(values["mode"])]
        + {"p0": 0.0, "p1": 0.05, "p2": 0.2, "p3": 0.1}[str(values["style"])]
        + 0.15 * bool(values["rerank"])
    )


async def regret(study: Study, trials: int = 40, noise: float = 0.0) -> float:
    """How far the best of a study's trials is from the optimum, by its true score."""
    sign = 1 if study.direction is Direction.MAXIMIZE else -1
    rng = random.Random(study.seed)
    known = [Trial(0, 1, START, score=sign * score_of(START))]
    for number in range(1, trials + 1):
        (proposal,) = await Search().propose(OptimizationRequest(study, MIXED, START, (), tuple(known), ()))
        values: dict[str, AnyValue] = {**START, **proposal.values}
        seen = sign * (score_of(values) + rng.gauss(0, noise))
        known.append(Trial(number, number + 1, values, score=seen))  # type: ignore[arg-type]
    best = max(known, key=lambda trial: sign * (trial.score or 0.0))
    return 1 - score_of(best.values)


@pytest.mark.parametrize("direction", list(Direction))
async def test_it_comes_near_the_optimum(direction: Direction) -> None:
    found = [await regret(Study("s", "shop", "q", direction, seed=seed)) for seed in range(5)]
    assert max(found) < 0.3  # the baseline's is 0.97
    assert mean(found) < 0.16


async def test_it_comes_near_the_optimum_of_noisy_scores() -> None:
    found = [await regret(Study("s", "shop", "q", seed=seed), noise=0.03) for seed in range(5)]
    assert mean(found) < 0.18


async def test_it_learns_from_the_scores() -> None:
    blind = [await regret(Study("s", "shop", "q", seed=s, optimizer_options={"sampler": "random"})) for s in range(5)]
    seeing = [await regret(Study("s", "shop", "q", seed=s)) for s in range(5)]
    assert mean(seeing) < mean(blind) - 0.05


async def test_nothing_is_proposed_twice_and_an_exhausted_space_ends_it() -> None:
    study = Study("s", "shop", "q")
    trials = [Trial(0, 1, {"on": False, "free": 1.0}, score=0.0)]
    request = OptimizationRequest(study, (BOOLEAN, FREE), {"on": False, "free": 1.0}, (), tuple(trials), ())
    (proposal,) = await Search().propose(request)
    assert proposal.values == {"on": True}
    assert "left alone: free" in proposal.reasoning
    trials.append(Trial(1, 2, {"on": True, "free": 1.0}, score=0.1))
    assert await Search().propose(replace(request, trials=tuple(trials))) == ()


async def test_a_small_space_is_walked_through_to_its_last_point() -> None:
    specs = (
        ParameterSpec("n", ParameterType.INTEGER, 1, Constraint(minimum=1, maximum=5)),
        ParameterSpec("mode", ParameterType.CHOICE, "a", Constraint(choices=("a", "b", "c"))),
        ParameterSpec("one", ParameterType.FLOAT, 2.0, Constraint(minimum=2, maximum=2)),
    )
    trials = [Trial(0, 1, {"n": 1, "mode": "a", "one": 2.0}, score=1.0)]
    while len(trials) < 15:
        request = OptimizationRequest(Study("s", "shop", "q"), specs, trials[0].values, (), tuple(trials), ())
        (proposal,) = await Search().propose(request)
        score = 1.0 if proposal.values["mode"] == "a" else 0.0
        trials.append(Trial(len(trials), 9, proposal.values, score=score))  # type: ignore[arg-type]
    assert len({tuple(trial.values.values()) for trial in trials}) == 15
    assert await Search().propose(replace(request, trials=tuple(trials))) == ()


async def test_a_value_from_before_a_change_of_range_is_passed_over_and_that_is_said() -> None:
    old = Trial(1, 2, {**DEFAULTS, "top_k": 99, "method": "gone"}, score=9.0)
    shorter = Trial(2, 3, {"top_k": 1}, score=9.0)
    good = Trial(3, 4, DEFAULTS, score=9.0)
    request = OptimizationRequest(Study("s", "shop", "q"), SPECS, DEFAULTS, (), (old, shorter, good), ())
    (proposal,) = await Search().propose(request)
    assert 1 <= int(str(proposal.values["top_k"])) <= 9
    assert "from 1 scored trials; 2 more lie outside of today's ranges" in proposal.reasoning


async def test_a_text_in_force_that_nobody_listed_stays_a_candidate() -> None:
    spec = ParameterSpec("style", ParameterType.TEXT, "default", Constraint(candidates=("listed",)))
    written = Trial(0, 1, {"style": "written by a model"}, score=0.9)
    others = (Trial(1, 2, {"style": "listed"}, score=0.1), Trial(2, 3, {"style": "default"}, score=0.1))
    request = OptimizationRequest(Study("s", "shop", "q"), (spec,), written.values, (), (written, others[0]), ())
    (proposal,) = await Search().propose(request)
    assert proposal.values == {"style": "default"}
    assert "from 2 scored trials" in proposal.reasoning
    assert await Search().propose(replace(request, trials=(written, *others))) == ()


@pytest.mark.parametrize(
    ("options", "specs", "said"),
    [
        ({"sampler": "annealing"}, SPECS, "found 'annealing', allowed: tpe, cmaes, gp or random"),
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


def test_a_study_of_parameters_without_a_range_is_refused_whatever_else_is_declared() -> None:
    (fault,) = Search().check(Study("s", "shop", "q", parameters=("free",)), (BOOLEAN, FREE))
    assert "none of free can be searched" in fault
    assert Search().check(Study("s", "shop", "q", parameters=("on",)), (BOOLEAN, FREE)) == []


async def test_a_study_that_turns_out_to_have_nothing_to_search_fails() -> None:
    trials = (Trial(0, 1, {"free": 1.0}, score=0.0),)
    request = OptimizationRequest(Study("s", "shop", "q"), (FREE,), {"free": 1.0}, (), trials, ())
    with pytest.raises(OptimizerError, match="none of free can be searched") as refused:
        await Search().propose(request)
    assert refused.value.permanent


async def test_integer_bounds_that_are_no_integers_are_met() -> None:
    spec = ParameterSpec("n", ParameterType.INTEGER, 2, Constraint(minimum=1.5, maximum=3.5))
    request = OptimizationRequest(
        Study("s", "shop", "q"), (spec,), {"n": 2}, (), (Trial(0, 1, {"n": 2}, score=0.0),), ()
    )
    (proposal,) = await Search().propose(request)
    assert proposal.values == {"n": 3}


async def test_optuna_reports_nothing_on_the_console(capfd: pytest.CaptureFixture[str]) -> None:
    level = logging.getLogger("optuna").level
    await regret(Study("s", "shop", "q"), trials=3)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("optuna").level in (level, logging.INFO)  # the rest of Optuna's logging is not ours


def test_without_the_package_it_says_what_to_install() -> None:
    script = (
        "import asyncio, sys\n"
        "sys.modules['optuna'] = None\n"
        "from collector.core.protocols import OptimizationRequest\n"
        "from collector.core.study import Study\n"
        "from collector.optimizer.generators.search import build\n"
        "from otel_opto.spec import ParameterSpec, ParameterType\n"
        "study, specs = Study('s', 'shop', 'm'), (ParameterSpec('on', ParameterType.BOOLEAN, False),)\n"
        "print(*build().check(study, specs))\n"
        "try:\n"
        "    asyncio.run(build().propose(OptimizationRequest(study, specs, {'on': False}, (), (), ())))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error.permanent, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    wanted = "the optimizer search needs the package optuna: pip install 'otel-opto[search]'"
    assert done.stdout.splitlines() == [wanted, f"OptimizerError True {wanted}"]


# --- scales, steps, conditions, several at once ----------------------------------------------------------------------

RATE = ParameterSpec("rate", ParameterType.FLOAT, 0.5, Constraint(minimum=1e-6, maximum=1.0))
CUT = ParameterSpec("cut", ParameterType.FLOAT, 0.0, Constraint(minimum=0.0, maximum=1.0))
RANKER = ParameterSpec("ranker", ParameterType.CHOICE, "none", Constraint(choices=("none", "dense")))


async def walked(specs: tuple[ParameterSpec, ...], count: int, **options: object) -> list[dict[str, object]]:
    study = Study("s", "shop", "q", optimizer_options=options)  # type: ignore[arg-type]
    trials = [Trial(0, 1, {spec.key: spec.default for spec in specs}, score=0.0)]
    for number in range(1, count + 1):
        asked = OptimizationRequest(study, specs, trials[0].values, (), tuple(trials), ())
        (proposal,) = await Search().propose(asked)
        values = {**trials[0].values, **proposal.values}
        trials.append(Trial(number, number + 1, values, score=number % 3 / 3))  # type: ignore[arg-type]
    return [dict(trial.values) for trial in trials[1:]]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
async def test_on_a_log_scale_each_order_of_magnitude_gets_its_share(sampler: str) -> None:
    found = await walked((RATE,), 24, scales={"rate": "log"}, sampler=sampler, startup_trials=12)
    assert sum(float(str(values["rate"])) < 1e-3 for values in found) >= 6
    plain = await walked((RATE,), 24, sampler=sampler, startup_trials=12)
    assert sum(float(str(values["rate"])) < 1e-3 for values in plain) <= 2


async def test_steps_are_kept() -> None:
    count = ParameterSpec("count", ParameterType.INTEGER, 10, Constraint(minimum=10, maximum=90))
    found = await walked((CUT, count), 24, scales={"cut": 0.25, "count": 20}, startup_trials=4)
    assert {values["cut"] for values in found} <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert {values["count"] for values in found} <= {10, 30, 50, 70, 90}


async def test_what_does_not_count_keeps_its_value_and_is_no_difference() -> None:
    found = await walked((CUT, RANKER), 12, conditions={"cut": {"ranker": "dense"}}, startup_trials=4)
    assert all(values["cut"] == 0.0 for values in found if values["ranker"] == "none")
    assert len({tuple(values.values()) for values in found}) == 12
    assert sum(values["ranker"] == "dense" for values in found) >= 11


async def test_several_candidates_differ_though_none_has_a_score() -> None:
    study = Study("s", "shop", "q", optimizer_options={"candidates": 5, "startup_trials": 1})
    trials = (Trial(0, 1, {"cut": 0.0}, score=0.0), Trial(1, 2, {"cut": 0.5}), Trial(2, 3, {"cut": 0.25}, score=0.9))
    found = await Search().propose(OptimizationRequest(study, (CUT,), {"cut": 0.25}, (), trials, ()))
    assert len({proposal.values["cut"] for proposal in found} - {0.5}) == 5


async def test_cma_es_is_asked_where_it_is_installed() -> None:
    pytest.importorskip("cmaes")
    found = await walked((CUT, RATE), 12, sampler="cmaes", startup_trials=4)
    assert len({tuple(values.values()) for values in found}) == 12


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scales": {"cut": "log"}}, "option scales: cut: found a minimum of 0.0, allowed for log: above 0"),
        ({"scales": {"cut": -1}}, "option scales: cut: found -1"),
        ({"scales": {"ranker": "log"}}, "option scales: 'ranker' is no number"),
        ({"conditions": {"cut": {"ranker": "fast"}}}, "option conditions: cut: ranker: found 'fast'"),
        ({"conditions": {"cat": {"ranker": "dense"}}}, "option conditions: 'cat' is no parameter"),
        ({"conditions": {"cut": {"cut": 0.5}}}, "option conditions: 'cut' waits for itself"),
        ({"conditions": {"cut": 3}}, "option conditions: found"),
    ],
)
def test_wrong_scales_and_conditions_are_said(options: dict[str, object], said: str) -> None:
    study = Study("s", "shop", "q", optimizer_options=options)  # type: ignore[arg-type]
    (fault,) = Search().check(study, (CUT, RANKER))
    assert said in fault
