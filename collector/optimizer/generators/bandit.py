"""A bandit over what the developer wrote: choices, switches and variants, never a value that nobody listed.

Thompson, "On the likelihood that one unknown probability exceeds another" (Biometrika 1933): each value of each
parameter is as likely to be tried as it is likely to be its parameter's best, by the scores of the trials that had it.
"""

import math
import random
import statistics
from collections.abc import Mapping, Sequence

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Direction, Proposal, Study
from collector.optimizer.options import Option, chosen, faults_of, selected
from collector.optimizer.searching.space import Candidate, Categories, axis_of, candidate_of, size_of, untried
from otel_opto.spec import ParameterSpec, ParameterValue

_OPTIONS = {"candidates": Option((int,), 1, "a whole number from 1 to 16", 1, 16)}
_DRAWS = 50
"""How often a draw may come back with what was tried before any other combination is taken."""


def build() -> Optimizer:
    """For the entry point."""
    return Bandit()


class Bandit:
    """Draws a value for each parameter, Thompson's way. Deterministic: seeds follow from the study's and the history.

    No combination is proposed twice; which of them is measured again is the selector's to say. Numbers and texts
    without variants keep their values.
    """

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        faults = list(faults_of(study.optimizer_options, _OPTIONS))
        trained = selected(study, parameters)
        if trained and not any(_arms(spec, None) for spec in trained):
            faults.append(_armless(trained))
        return faults

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`."""
        if not request.parameters:
            return ()
        in_force = request.trials[0].values if request.trials else request.current
        found = [_arms(spec, in_force.get(spec.key)) for spec in request.parameters]
        axes = [axis for axis in found if axis is not None]
        if not axes:
            raise OptimizerError(_armless(request.parameters), permanent=True)
        taken = {one for one in (candidate_of(axes, trial.values) for trial in request.trials) if one is not None}
        current = candidate_of(axes, request.current)
        taken |= {current} if current is not None else set()
        proposals: list[Proposal] = []
        for number in range(chosen(request.study.optimizer_options, _OPTIONS)["candidates"]):
            if len(taken) >= size_of(axes):
                break
            candidate = _drawn(request, axes, taken, number)
            taken.add(candidate)
            values = dict(zip([axis.key for axis in axes], candidate, strict=True))
            scored = sum(trial.score is not None for trial in request.trials)
            words = f"drawn by the scores of {scored} trials"
            proposals.append(Proposal(values, words, origin=f"bandit, draw {number + 1}"))
        return proposals


def _arms(spec: ParameterSpec, in_force: ParameterValue | None) -> Categories | None:
    axis = axis_of(spec, in_force)
    return axis if isinstance(axis, Categories) and axis.size > 1 else None


def _armless(parameters: Sequence[ParameterSpec]) -> str:
    keys = ", ".join(spec.key for spec in parameters)
    return f"none of {keys} has variants: choices, true or false, or candidates of a text; or choose another optimizer"


def _drawn(request: OptimizationRequest, axes: Sequence[Categories], taken: set[Candidate], number: int) -> Candidate:
    seed = f"{request.study.seed}/{len(request.trials)}/{len(request.rejected)}/{number}"
    rng = random.Random(seed)  # noqa: S311 - no secret
    beliefs = [_beliefs(request, axis) for axis in axes]
    drawn: Candidate = ()
    for _ in range(_DRAWS):
        drawn = tuple(_best(axis, belief, rng) for axis, belief in zip(axes, beliefs, strict=True))
        if drawn not in taken:
            return drawn
    return untried(axes, taken, rng.getrandbits(32)) or drawn


def _best(axis: Categories, beliefs: Mapping[int, tuple[float, float]], rng: random.Random) -> ParameterValue:
    return axis.at(max(beliefs, key=lambda index: rng.gauss(*beliefs[index])))


def _beliefs(request: OptimizationRequest, axis: Categories) -> Mapping[int, tuple[float, float]]:
    """Mean and deviation of what each value scores, by its place: the fewer trials had it, the wider."""
    sign = 1 if request.study.direction is Direction.MAXIMIZE else -1
    scored = [trial for trial in request.trials if trial.score is not None and axis.key in trial.values]
    scores = [sign * (trial.score or 0.0) for trial in scored]
    middle = statistics.fmean(scores) if scores else 0.0
    spread = (statistics.pstdev(scores) if len(scores) > 1 else 0.0) or 1.0
    beliefs = {}
    for index, value in enumerate(axis.values):
        own = [sign * (trial.score or 0.0) for trial in scored if trial.values[axis.key] == value]
        beliefs[index] = ((math.fsum(own) + middle) / (len(own) + 1), spread / math.sqrt(len(own) + 1))
    return beliefs
