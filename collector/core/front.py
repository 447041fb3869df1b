"""Which trials of a study with several objectives no other is better than in all of them: the Pareto front. Pure."""

from collections.abc import Sequence

from collector.core.candidate import Fate
from collector.core.objective import Direction, Objective
from collector.core.study import Trial

_OUT = frozenset({Fate.BROKEN, Fate.INVALID, Fate.EXPIRED})


def front_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Sequence[Trial]:
    """The trials on the front, by their numbers, as it looks: nothing is decided by it.

    Who was taken out of the study is not on it, and neither is one of whom an objective is not known.
    """
    known = [
        trial
        for trial in trials
        if trial.fate not in _OUT
        and trial.found is not None
        and all(one.name in trial.found.objectives for one in objectives)
    ]
    return [trial for trial in known if not any(_dominates(other, trial, objectives) for other in known)]


def _dominates(other: Trial, trial: Trial, objectives: Sequence[Objective]) -> bool:
    """Whether the other one is as good in everything, and better in something."""
    theirs, own = _outcomes(other, objectives), _outcomes(trial, objectives)
    return theirs != own and all(their >= mine for their, mine in zip(theirs, own, strict=True))


def _outcomes(trial: Trial, objectives: Sequence[Objective]) -> list[float]:
    assert trial.found is not None
    return [trial.found.objectives[one.name] * (1 if one.better is Direction.MAXIMIZE else -1) for one in objectives]
