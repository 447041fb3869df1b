"""Numeric, categorical and choice search on Optuna: the default, without a language model."""

import asyncio
import importlib.util
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Direction, Proposal, Study
from collector.optimizer.options import Option, chosen, faults_of, selected
from collector.optimizer.searching.space import (
    Axis,
    Candidate,
    Integers,
    Interval,
    axis_of,
    candidate_of,
    size_of,
    spread,
    untried,
)
from otel_opto.spec import ParameterSpec, ParameterValue

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

_OPTIONS = {
    "sampler": Option((str,), "tpe", "tpe or random", choices=("tpe", "random")),
    "startup_trials": Option((int,), 10, "a whole number from 1 to 1000", 1, 1000),
}
_ASKS = 20
"""How often a sampler may come back with what was tried before it is passed over."""

_MISSING = "the optimizer search needs the package optuna: pip install 'otel-opto[search]'"


def build() -> Optimizer:
    """For the entry point."""
    return Search()


class Search:
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) over bounded numbers and finite choices.

    It begins with a Latin hypercube. Deterministic: the seed follows from the study's seed and the number of trials.
    Nothing is proposed twice as long as something is left. A text is searched over the candidates that its developer
    wrote; a parameter that has no finite range keeps its value.
    """

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        faults = list(faults_of(study.optimizer_options, _OPTIONS))
        if importlib.util.find_spec("optuna") is None:
            faults.append(_MISSING)
        trained = selected(study, parameters)
        if trained and not any(axis_of(spec) for spec in trained):
            faults.append(_unsearchable(trained))
        return faults

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`. Optuna computes for milliseconds, so it does that beside the event loop."""
        return await asyncio.to_thread(_propose, request)


def _unsearchable(parameters: Sequence[ParameterSpec]) -> str:
    keys = ", ".join(spec.key for spec in parameters)
    return (
        f"none of {keys} can be searched: numbers need minimum and maximum, texts need candidates; "
        "or choose an optimizer that writes, such as optoprime"
    )


@dataclass(frozen=True, slots=True)
class _History:
    """What is known of the space.

    Attributes:
        scored: Complete trials inside of the space.
        outside: Complete trials that are not: a range or the choices have changed since.
    """

    scored: tuple[tuple[Candidate, float], ...]
    outside: int

    @property
    def tried(self) -> frozenset[Candidate]:
        return frozenset(candidate for candidate, _ in self.scored)


def _propose(request: OptimizationRequest) -> Sequence[Proposal]:
    if not request.parameters:
        return ()
    in_force = request.trials[0].values if request.trials else request.current
    found = [axis_of(spec, in_force.get(spec.key)) for spec in request.parameters]
    axes = [axis for axis in found if axis is not None]
    if not axes:
        raise OptimizerError(_unsearchable(request.parameters), permanent=True)
    history = _history(request, axes)
    if len(history.tried) >= size_of(axes):
        return ()
    options = chosen(request.study.optimizer_options, _OPTIONS)
    candidate = _next(request, axes, history, options)
    values = dict(zip([axis.key for axis in axes], candidate, strict=True))
    return (Proposal(values, _reasoning(request, axes, history, options)),)


def _history(request: OptimizationRequest, axes: Sequence[Axis]) -> _History:
    scored = [(candidate_of(axes, trial.values), trial.score) for trial in request.trials if trial.score is not None]
    inside = tuple((candidate, score) for candidate, score in scored if candidate is not None)
    return _History(inside, len(scored) - len(inside))


def _next(
    request: OptimizationRequest, axes: Sequence[Axis], history: _History, options: Mapping[str, Any]
) -> Candidate:
    begun, seed = len(request.trials) - 1, 0
    if options["sampler"] == "tpe" and 0 <= begun < options["startup_trials"]:
        candidate = spread(axes, options["startup_trials"], begun, request.study.seed)
        if candidate not in history.tried:
            return candidate
    for ask in range(_ASKS):
        seed = random.Random(f"{request.study.seed}/{len(request.trials)}/{ask}").getrandbits(32)  # noqa: S311
        candidate = _ask(axes, history, _sampler(options, seed), request.study.direction)
        if candidate not in history.tried:
            return candidate
    return untried(axes, history.tried, seed)


def _ask(axes: Sequence[Axis], history: _History, sampler: "BaseSampler", direction: Direction) -> Candidate:
    optuna = _optuna()
    study = optuna.create_study(sampler=sampler, direction=direction.value)
    distributions = {axis.key: _distribution(axis) for axis in axes}
    for candidate, score in history.scored:
        known = dict(zip(distributions, candidate, strict=True))
        study.add_trial(optuna.trial.create_trial(params=known, distributions=distributions, value=score))
    asked: dict[str, ParameterValue] = study.ask(distributions).params
    return tuple(asked[axis.key] for axis in axes)


def _sampler(options: Mapping[str, Any], seed: int) -> "BaseSampler":
    samplers = _optuna().samplers
    sampler: BaseSampler
    if options["sampler"] == "random":
        sampler = samplers.RandomSampler(seed=seed)
    else:
        sampler = samplers.TPESampler(seed=seed, n_startup_trials=options["startup_trials"])
    return sampler


def _distribution(axis: Axis) -> "BaseDistribution":
    distributions = _optuna().distributions
    found: BaseDistribution
    if isinstance(axis, Interval):
        found = distributions.FloatDistribution(axis.low, axis.high)
    elif isinstance(axis, Integers):
        found = distributions.IntDistribution(axis.low, axis.high)
    else:
        found = distributions.CategoricalDistribution(axis.values)
    return found


def _reasoning(
    request: OptimizationRequest, axes: Sequence[Axis], history: _History, options: Mapping[str, Any]
) -> str:
    searched = [axis.key for axis in axes]
    words = f"{options['sampler']} over {', '.join(searched)} from {len(history.scored)} scored trials"
    if history.outside:
        words += f"; {history.outside} more lie outside of today's ranges and are left out"
    kept = [spec.key for spec in request.parameters if spec.key not in searched]
    return f"{words}; without a finite range, left alone: {', '.join(kept)}" if kept else words


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415 - an extra, and half a second to import
    except ModuleNotFoundError as error:
        raise OptimizerError(_MISSING, permanent=True) from error
    # Each proposal makes a study in memory; Optuna would report each on the console.
    logging.getLogger("optuna.storages").setLevel(logging.WARNING)
    return optuna
