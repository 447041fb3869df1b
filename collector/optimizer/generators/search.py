"""Numeric, categorical and choice search on Optuna: the default, without a language model."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Proposal, Study
from collector.optimizer.options import Option, chosen, faults_of, selected
from collector.optimizer.searching.conditions import Conditions, condition_faults
from collector.optimizer.searching.samplers import SAMPLERS, Known, asked, missing
from collector.optimizer.searching.scales import scale_faults, scales_of
from collector.optimizer.searching.space import Axis, Candidate, axis_of, candidate_of, size_of, spread, untried
from otel_opto.spec import ParameterSpec

_NO_TABLE: Mapping[str, Any] = {}
SEARCH_OPTIONS = {
    "sampler": Option((str,), "tpe", "tpe, cmaes, gp or random", choices=tuple(SAMPLERS)),
    "startup_trials": Option((int,), 10, "a whole number from 1 to 1000", 1, 1000),
    "candidates": Option((int,), 1, "a whole number from 1 to 16", 1, 16),
    "scales": Option((Mapping,), _NO_TABLE, "a table of numbers, each with 'log' or the size of its steps"),
    "conditions": Option(
        (Mapping,), _NO_TABLE, "a table of parameters, each with the values of others beside which it counts",
        each=lambda one: isinstance(one, Mapping) and bool(one),
    ),
}  # fmt: skip
_ASKS = 20
"""How often a sampler may come back with what was tried before it is passed over."""


def build() -> Optimizer:
    """For the entry point."""
    return Search()


class Search:
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) over bounded numbers and finite choices.

    It begins with a Latin hypercube. Deterministic: the seed follows from the study's seed and the number of trials.
    Nothing is proposed twice as long as something is left; trials that are still running count as tried, and TPE keeps
    away from them. A text is searched over the candidates that its developer wrote; a parameter that has no finite
    range keeps its value.
    """

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        given = study.optimizer_options
        faults = list(faults_of(given, SEARCH_OPTIONS))
        if fault := missing(str(given.get("sampler", "tpe"))):
            faults.append(fault)
        trained = selected(study, parameters)
        if trained and not faults:
            options = chosen(given, SEARCH_OPTIONS)
            faults += scale_faults(options["scales"], trained)
            faults += condition_faults(options["conditions"], trained)
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
        pending: Trials inside of it that have no score.
        outside: Complete trials that are not: a range or the choices have changed since.
    """

    scored: tuple[tuple[Candidate, float], ...]
    pending: tuple[Candidate, ...]
    outside: int

    @property
    def tried(self) -> frozenset[Candidate]:
        return frozenset((*(candidate for candidate, _ in self.scored), *self.pending))


def _propose(request: OptimizationRequest) -> Sequence[Proposal]:
    if not request.parameters:
        return ()
    in_force = request.trials[0].values if request.trials else request.current
    options = chosen(request.study.optimizer_options, SEARCH_OPTIONS)
    scales = scales_of(options["scales"])
    found = [axis_of(spec, in_force.get(spec.key), scales(spec.key)) for spec in request.parameters]
    axes = [axis for axis in found if axis is not None]
    if not axes:
        raise OptimizerError(_unsearchable(request.parameters), permanent=True)
    conditions = Conditions(options["conditions"], axes, in_force)
    axes = list(conditions.axes)
    history = _history(request, axes, conditions)
    said = _reasoning(request, axes, history, options)
    proposals: list[Proposal] = []
    for number in range(options["candidates"]):
        candidate = _next(request, conditions, history, number) if len(history.tried) < size_of(axes) else None
        if candidate is None:
            break
        history = _History(history.scored, (*history.pending, candidate), history.outside)
        values = dict(zip([axis.key for axis in axes], candidate, strict=True))
        proposals.append(Proposal(values, said, origin=f"search, {options['sampler']}, draw {number + 1}"))
    return tuple(proposals)


def _history(request: OptimizationRequest, axes: Sequence[Axis], conditions: Conditions) -> _History:
    found = [(candidate_of(axes, trial.values), trial) for trial in request.trials]
    inside = [(conditions.settled(candidate), trial) for candidate, trial in found if candidate is not None]
    scored = tuple((candidate, trial.score) for candidate, trial in inside if trial.score is not None)
    pending = tuple(candidate for candidate, trial in inside if trial.score is None)
    outside = sum(candidate is None and trial.score is not None for candidate, trial in found)
    return _History(scored, pending, outside)


def _next(request: OptimizationRequest, conditions: Conditions, history: _History, number: int) -> Candidate | None:
    options = chosen(request.study.optimizer_options, SEARCH_OPTIONS)
    axes = conditions.axes
    begun, seed = len(request.trials) - 1 + number, 0
    if options["sampler"] != "random" and 0 <= begun < options["startup_trials"]:
        candidate = conditions.settled(spread(axes, options["startup_trials"], begun, request.study.seed))
        if candidate not in history.tried:
            return candidate
    known = Known(axes, request.study.direction, history.scored, history.pending, conditions.counting, conditions.kept)
    for ask in range(_ASKS):
        told = f"{request.study.seed}/{len(request.trials)}/{ask}" + (f"/{number}" if number else "")
        seed = random.Random(told).getrandbits(32)  # noqa: S311 - no secret
        candidate = conditions.settled(asked(known, options["sampler"], seed, options["startup_trials"]))
        if candidate not in history.tried:
            return candidate
    return untried(axes, history.tried, seed, conditions.settled)


def _reasoning(
    request: OptimizationRequest, axes: Sequence[Axis], history: _History, options: Mapping[str, Any]
) -> str:
    searched = [axis.key for axis in axes]
    words = f"{options['sampler']} over {', '.join(searched)} from {len(history.scored)} scored trials"
    if history.outside:
        words += f"; {history.outside} more lie outside of today's ranges and are left out"
    kept = [spec.key for spec in request.parameters if spec.key not in searched]
    return f"{words}; without a finite range, left alone: {', '.join(kept)}" if kept else words
