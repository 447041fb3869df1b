"""Numeric, categorical and choice search on Optuna: the default, without a language model."""

import asyncio
import math
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Direction, Proposal, Study, Trial
from collector.optimizer.options import Option, chosen, faults_of
from otel_opto.spec import ParameterSpec, ParameterType, ParameterValue

if TYPE_CHECKING:
    import optuna

_OPTIONS = {
    "sampler": Option((str,), "tpe", "tpe or random", choices=("tpe", "random")),
    "startup_trials": Option((int,), 10, "a whole number from 1 to 1000", 1, 1000),
}
_ASKS = 20


def build() -> Optimizer:
    """For the entry point."""
    return Search()


class Search:
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) over bounded numbers and finite choices.

    Deterministic: the seed follows from the study's seed and the number of trials. A text is searched over the
    candidates that its developer wrote; a parameter that has no finite range keeps its value.
    """

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        faults = list(faults_of(study.optimizer_options, _OPTIONS))
        trainable = [spec for spec in parameters if spec.trainable]
        if trainable and not any(_size(spec) for spec in trainable):
            keys = ", ".join(spec.key for spec in trainable)
            faults.append(
                f"none of {keys} can be searched: numbers need minimum and maximum, texts need candidates; "
                "or choose an optimizer that writes, such as optoprime"
            )
        return faults

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`."""
        return await asyncio.to_thread(_propose, request)


def _propose(request: OptimizationRequest) -> Sequence[Proposal]:
    specs = [spec for spec in request.parameters if _size(spec)]
    tried = {tuple(trial.values.get(spec.key) for spec in specs) for trial in request.trials}
    if not specs or len(tried) >= math.prod(_size(spec) for spec in specs):
        return ()
    options = chosen(request.study.optimizer_options, _OPTIONS)
    values = _spread(request, specs, options["startup_trials"])
    for ask in range(_ASKS):
        if values and tuple(values[spec.key] for spec in specs) not in tried:
            break
        seed = _random(request, f"{len(request.trials)}/{ask}").getrandbits(32)
        values = _ask(request, specs, options, seed)
    known = f"{len(request.trials)} known"
    return (Proposal(values, f"{options['sampler']} over {len(specs)} parameters, {known}"),)


def _random(request: OptimizationRequest, purpose: str) -> random.Random:
    return random.Random(f"{request.study.seed}/{purpose}")  # noqa: S311 - no secret


def _spread(request: OptimizationRequest, specs: Sequence[ParameterSpec], count: int) -> dict[str, ParameterValue]:
    """The next of `count` candidates that begin a study; empty after them.

    A Latin hypercube (McKay, Beckman, Conover, Technometrics 1979): together they meet every part of each range once,
    and every choice at least once where there are enough of them. An estimator that begins at random may never see a
    choice, and then never leaves the others.
    """
    index = len(request.trials) - 1
    if not 0 <= index < count:
        return {}
    values: dict[str, ParameterValue] = {}
    for spec in specs:
        rng = _random(request, spec.key)
        parts = rng.sample(range(count), count)
        jitter = [rng.random() for _ in range(count)]
        values[spec.key] = _at(spec, parts[index], (parts[index] + jitter[index]) / count)
    return values


def _at(spec: ParameterSpec, part: int, position: float) -> ParameterValue:
    """The value at a position in [0, 1) of a range, or the choice of a part."""
    low, high = spec.constraint.minimum, spec.constraint.maximum
    if spec.type is ParameterType.INTEGER and low is not None:
        return math.ceil(low) + math.floor(position * _size(spec))
    if spec.type is ParameterType.FLOAT and low is not None and high is not None:
        return low + (high - low) * position
    choices = _choices(spec)
    return choices[part % len(choices)]


def _ask(
    request: OptimizationRequest, specs: Sequence[ParameterSpec], options: Mapping[str, Any], seed: int
) -> dict[str, ParameterValue]:
    optuna = _optuna()
    samplers = optuna.samplers
    tpe = options["sampler"] == "tpe"
    startup = options["startup_trials"]
    sampler = samplers.TPESampler(seed=seed, n_startup_trials=startup) if tpe else samplers.RandomSampler(seed=seed)
    direction = "maximize" if request.study.direction is Direction.MAXIMIZE else "minimize"
    study = optuna.create_study(sampler=sampler, direction=direction)
    distributions = {spec.key: _distribution(spec) for spec in specs}
    for trial in request.trials:
        if trial.score is not None and _fits(trial, distributions):
            known = {key: trial.values[key] for key in distributions}
            study.add_trial(optuna.trial.create_trial(params=known, distributions=distributions, value=trial.score))
    asked: dict[str, ParameterValue] = study.ask(distributions).params
    return asked


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415 - an extra, and half a second to import
    except ModuleNotFoundError as error:
        raise OptimizerError(
            f"the optimizer search needs {error.name}: pip install 'otel-opto[search]'", permanent=True
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _choices(spec: ParameterSpec) -> tuple[ParameterValue, ...]:
    if spec.type is ParameterType.CHOICE:
        return spec.constraint.choices
    if spec.type is ParameterType.BOOLEAN:
        return (False, True)
    if spec.type is ParameterType.TEXT and spec.constraint.candidates:
        return tuple(dict.fromkeys([spec.default, *spec.constraint.candidates]))
    return ()


def _size(spec: ParameterSpec) -> float:
    """How many values there are; 0 for a parameter that cannot be searched."""
    low, high = spec.constraint.minimum, spec.constraint.maximum
    if spec.type in (ParameterType.INTEGER, ParameterType.FLOAT):
        if low is None or high is None:
            return 0
        return math.floor(high) - math.ceil(low) + 1 if spec.type is ParameterType.INTEGER else math.inf
    return len(_choices(spec))


def _distribution(spec: ParameterSpec) -> "optuna.distributions.BaseDistribution":
    distributions = _optuna().distributions
    low, high = spec.constraint.minimum, spec.constraint.maximum
    found: optuna.distributions.BaseDistribution
    if spec.type is ParameterType.INTEGER and low is not None and high is not None:
        found = distributions.IntDistribution(math.ceil(low), math.floor(high))
    elif spec.type is ParameterType.FLOAT:
        found = distributions.FloatDistribution(low, high)
    else:
        found = distributions.CategoricalDistribution(_choices(spec))
    return found


def _fits(trial: Trial, distributions: Mapping[str, "optuna.distributions.BaseDistribution"]) -> bool:
    """A value from before a change of the parameter's range tells nothing about the range of today."""
    for key, distribution in distributions.items():
        value = trial.values.get(key)
        choices = getattr(distribution, "choices", None)
        if choices is not None and value not in choices:
            return False
        if choices is None and not (isinstance(value, int | float) and distribution.low <= value <= distribution.high):  # type: ignore[attr-defined]
            return False
    return True
