"""Optuna's samplers over axes: asked once for a study that is rebuilt from what is known."""

import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.core.errors import OptimizerError
from collector.core.study import Direction
from collector.optimizer.searching.space import Axis, Candidate, Categories, Interval, Steps
from otel_opto.spec import ParameterValue

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

MISSING = "the optimizer search needs the package optuna: pip install 'otel-opto[search]'"
SAMPLERS: Mapping[str, tuple[str, ...]] = {
    "tpe": (),
    "cmaes": ("cmaes",),
    "gp": ("torch", "scipy"),
    "random": (),
}
"""With the packages that each needs beside Optuna."""


def missing(sampler: str) -> str:
    """What has to be installed for a sampler, in words; empty where all is there."""
    if importlib.util.find_spec("optuna") is None:
        return MISSING
    wanted = [name for name in SAMPLERS.get(sampler, ()) if importlib.util.find_spec(name) is None]
    return f"option sampler: {sampler} needs {' and '.join(wanted)}: pip install {' '.join(wanted)}" if wanted else ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a sampler is told.

    Attributes:
        scored: Candidates with their scores.
        pending: Candidates that are being measured.
        counts: Which axes count in a candidate, by key; others keep their values.
    """

    axes: Sequence[Axis]
    direction: Direction
    scored: Sequence[tuple[Candidate, float]]
    pending: Sequence[Candidate]
    counts: Callable[[Mapping[str, ParameterValue]], Sequence[Axis]]
    kept: Mapping[str, ParameterValue]


def asked(known: Known, sampler: str, seed: int, startup: int) -> Candidate:
    """The sampler's next candidate. The same arguments give the same one."""
    optuna = _optuna()
    study = optuna.create_study(sampler=_sampler(sampler, seed, startup), direction=known.direction.value)
    state = optuna.trial.TrialState
    for candidate, score in known.scored:
        study.add_trial(_trial(known, candidate, value=score))
    for candidate in known.pending:
        study.add_trial(_trial(known, candidate, state=state.RUNNING))
    if len(known.counts({})) == len(known.axes):
        found: Mapping[str, ParameterValue] = study.ask({axis.key: _distribution(axis) for axis in known.axes}).params
        return tuple(found[axis.key] for axis in known.axes)
    trial = study.ask()
    values = dict(known.kept)
    for axis in known.axes:
        if any(axis is one for one in known.counts(values)):
            values[axis.key] = _suggested(trial, axis)
    return tuple(values[axis.key] for axis in known.axes)


def weighed(known: Known) -> Mapping[str, float]:
    """How much the scores depend on each parameter, the largest part first; together 1."""
    optuna = _optuna()
    study = optuna.create_study(direction=known.direction.value)
    study.add_trials([_trial(known, candidate, value=score) for candidate, score in known.scored])
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {key: float(part) for key, part in sorted(found.items(), key=lambda one: -one[1])}


def _trial(known: Known, candidate: Candidate, **more: Any) -> Any:
    values = dict(zip([axis.key for axis in known.axes], candidate, strict=True))
    axes = known.counts(values)
    params = {axis.key: values[axis.key] for axis in axes}
    distributions = {axis.key: _distribution(axis) for axis in axes}
    return _optuna().trial.create_trial(params=params, distributions=distributions, **more)


def _suggested(trial: Any, axis: Axis) -> ParameterValue:
    found: ParameterValue
    if isinstance(axis, Interval):
        found = trial.suggest_float(axis.key, axis.low, axis.high, log=axis.log)
    elif isinstance(axis, Steps):
        found = trial.suggest_float(axis.key, axis.low, axis.high, step=axis.step)
    elif isinstance(axis, Categories):
        found = trial.suggest_categorical(axis.key, axis.values)
    else:
        found = trial.suggest_int(axis.key, axis.low, axis.high, step=axis.step, log=axis.log)
    return found


def _distribution(axis: Axis) -> "BaseDistribution":
    distributions = _optuna().distributions
    found: BaseDistribution
    if isinstance(axis, Interval):
        found = distributions.FloatDistribution(axis.low, axis.high, log=axis.log)
    elif isinstance(axis, Steps):
        found = distributions.FloatDistribution(axis.low, axis.high, step=axis.step)
    elif isinstance(axis, Categories):
        found = distributions.CategoricalDistribution(axis.values)
    else:
        found = distributions.IntDistribution(axis.low, axis.high, step=axis.step, log=axis.log)
    return found


def _sampler(name: str, seed: int, startup: int) -> "BaseSampler":
    samplers = _optuna().samplers
    sampler: BaseSampler
    if name == "random":
        sampler = samplers.RandomSampler(seed=seed)
    elif name == "cmaes":
        sampler = samplers.CmaEsSampler(seed=seed, n_startup_trials=startup, warn_independent_sampling=False)
    elif name == "gp":
        sampler = samplers.GPSampler(seed=seed, n_startup_trials=startup)
    else:
        sampler = samplers.TPESampler(seed=seed, n_startup_trials=startup, constant_liar=True)
    return sampler


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415 - an extra, and half a second to import
    except ModuleNotFoundError as error:
        raise OptimizerError(MISSING, permanent=True) from error
    # Each proposal makes a study in memory; Optuna would report each on the console.
    logging.getLogger("optuna.storages").setLevel(logging.WARNING)
    return optuna
