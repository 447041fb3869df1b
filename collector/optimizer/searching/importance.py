"""Which parameters of a study its scores depend on, by Optuna's evaluator.

PED-ANOVA (Watanabe, Bansal, Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces", IJCAI 2023): how differently a parameter's values are spread among the best tenth of the trials and among
all. It says what the search has seen, and of that only what it tried often enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.core.study import Study, Trial
from collector.optimizer.options import selected
from collector.optimizer.searching.conditions import Conditions
from collector.optimizer.searching.samplers import Known, missing, weighed
from collector.optimizer.searching.scales import scales_of
from collector.optimizer.searching.space import axis_of, candidate_of
from otel_opto.spec import ParameterSpec

LEAST = 20
"""Scored trials, so that the best tenth are two."""

MOST = 1_000
"""That are looked at, evenly taken from all: more say the same and take longer."""


@dataclass(frozen=True, slots=True)
class Importance:
    """What was found.

    Attributes:
        parts: By parameter, the largest first; together 1, or nothing.
        trials: How many were looked at.
        lacking: Why there are no parts, in words; empty where there are.
    """

    parts: Mapping[str, float] = field(default_factory=dict)
    trials: int = 0
    lacking: str = ""


def importance(study: Study, parameters: Sequence[ParameterSpec], trials: Sequence[Trial]) -> Importance:
    """Computes it, for some hundred milliseconds at most.

    Args:
        study: Its options say how numbers are walked, where it is a search.
        parameters: All declared ones of its service.
        trials: All of them, by number.
    """
    if lacks := missing("tpe"):
        return Importance(lacking=lacks.replace("the optimizer search needs", "the importance of parameters needs"))
    if not trials:
        return Importance(lacking=_few(0))
    in_force, options = trials[0].values, study.optimizer_options
    scales = scales_of(_table(options.get("scales")))
    searched = [spec for spec in selected(study, parameters) if spec.key in in_force]
    found = [axis_of(spec, in_force[spec.key], scales(spec.key)) for spec in searched]
    axes = [axis for axis in found if axis is not None and axis.size > 1]
    if len(axes) < 2:
        return Importance(lacking="it compares parameters with a range or choices, and the study has fewer than two")
    conditions = Conditions(_table(options.get("conditions")), axes, in_force)
    inside = [
        (conditions.settled(candidate), trial.score)
        for trial in trials
        if trial.score is not None and (candidate := candidate_of(conditions.axes, trial.values)) is not None
    ]
    if len(inside) < LEAST:
        return Importance(lacking=_few(len(inside)))
    if len({score for _, score in inside}) < 2:
        return Importance(lacking="all trials have the same score")
    scored = inside[:: -(-len(inside) // MOST)]
    known = Known(conditions.axes, study.direction, scored, (), conditions.counting, conditions.kept)
    return Importance(weighed(known), len(scored))


def _few(count: int) -> str:
    return f"it takes {LEAST} scored trials within today's ranges; {count} are there"


def _table(given: object) -> Mapping[str, Any]:
    """Of a study that another optimizer has, it may be anything."""
    return given if isinstance(given, Mapping) else {}
