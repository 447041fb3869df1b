"""Prints the table of docs/selection.md: ``python -m benchmarks.searching [--seeds N] [--noise S]``.

Regret: how far the true value of the trial that looks best is from the optimum's, after so many trials.
"""

import argparse
import asyncio
import logging
import random
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import optuna

from benchmarks.searching.spaces import SPACES, Space
from collector.core.protocols import OptimizationRequest
from collector.core.study import Study, Trial
from collector.optimizer.generators.search import Search
from collector.optimizer.searching.space import Categories, axis_of
from otel_opto.spec import ParameterType, ParameterValue

_SHOWN = (25, 60)
_FIRST_SEED = 1_000
Tried = list[tuple[float, float]]
"""What each trial showed, and what its values are truly worth; the first one is the start."""


async def ours(space: Space, seed: int, noise: float, options: Mapping[str, Any]) -> Tried:
    """The optimizer ``search`` as studies ask it."""
    rng, search = random.Random(seed), Search()
    study = Study("s", "app", "quality", seed=seed, optimizer_options=options)
    trials = [Trial(0, 1, space.defaults, score=space.value(space.defaults) + rng.gauss(0, noise))]
    for number in range(1, max(_SHOWN) + 1):
        best = max(trials, key=lambda one: one.score or 0.0)
        request = OptimizationRequest(study, tuple(space.specs), best.values, (), tuple(trials), ())
        (proposal, *_) = await search.propose(request)
        values: Mapping[str, Any] = {**best.values, **proposal.values}
        trials.append(Trial(number, number + 1, values, score=space.value(values) + rng.gauss(0, noise)))
    return [(one.score or 0.0, space.value(one.values)) for one in trials]


def plain(space: Space, seed: int, noise: float, sampler: Any) -> Tried:
    """Optuna by itself; it is told the start, too."""
    rng = random.Random(seed)
    found = {spec.key: _distribution(space, spec.key) for spec in space.specs}
    study = optuna.create_study(sampler=sampler, direction="maximize")
    tried: Tried = []

    def told(values: Mapping[str, ParameterValue]) -> float:
        tried.append((space.value(values) + rng.gauss(0, noise), space.value(values)))
        return tried[-1][0]

    begun = told(space.defaults)
    study.add_trial(optuna.trial.create_trial(params=dict(space.defaults), distributions=found, value=begun))
    for _ in range(max(_SHOWN)):
        trial = study.ask(found)
        study.tell(trial, told(trial.params))
    return tried


def _distribution(space: Space, key: str) -> Any:
    spec = next(one for one in space.specs if one.key == key)
    axis = axis_of(spec)
    if isinstance(axis, Categories):
        return optuna.distributions.CategoricalDistribution(axis.values)
    low, high = spec.constraint.minimum, spec.constraint.maximum
    assert low is not None
    assert high is not None
    if spec.type is ParameterType.INTEGER:
        return optuna.distributions.IntDistribution(int(low), int(high))
    return optuna.distributions.FloatDistribution(low, high)


def _row(words: str, how: str, found: Sequence[Tried]) -> None:
    cells = []
    for count in _SHOWN:
        regrets = [1 - max(tried[: count + 1])[1] for tried in found]
        error = statistics.stdev(regrets) / len(regrets) ** 0.5
        cells.append(f"{statistics.fmean(regrets):.3f} ± {error:.3f}")
    print(f"| {words} | {how} | {' | '.join(cells)} |", flush=True)


async def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation of a score")
    given = parser.parse_args()
    seeds = range(_FIRST_SEED, _FIRST_SEED + given.seeds)
    logging.getLogger("optuna").setLevel(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    samplers = optuna.samplers
    print(f"| space | how | regret after {_SHOWN[0]} | after {_SHOWN[1]} |\n| --- | --- | ---: | ---: |")
    for space in SPACES:
        ways: list[tuple[str, Mapping[str, Any]]] = [("`search`", {})]
        ways += [("`search`, log scale declared", {"scales": space.scales})] if space.scales else []
        for how, options in ways:
            _row(space.name, how, [await ours(space, seed, given.noise, options) for seed in seeds])
        found = [plain(space, seed, given.noise, samplers.TPESampler(seed=seed)) for seed in seeds]
        _row(space.name, "plain TPE", found)
        found = [plain(space, seed, given.noise, samplers.RandomSampler(seed=seed)) for seed in seeds]
        _row(space.name, "chance", found)


if __name__ == "__main__":
    asyncio.run(main())
