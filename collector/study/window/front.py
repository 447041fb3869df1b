"""Every objective of a study by itself: what each candidate reaches in it, beside what is in force. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.core.rollout import Metric
from collector.core.study import Study
from collector.selection.archive import Archive, Candidate, Measured
from collector.study.window.measuring import Counted
from collector.study.window.objective import reached
from collector.study.window.plans import metric_for, metric_of


@dataclass(frozen=True, slots=True)
class Front:
    """All units of a study, once for each of its objectives; empty where it has its metric alone.

    Attributes:
        objectives: As they are compared, each with what was measured.
    """

    objectives: Sequence[tuple[Metric, Archive]] = ()

    def of(self, key: str) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """What one would have scored in the time of all, and the standard errors; what is not known is missing."""
        scores, deviations = {}, {}
        for metric, archive in self.objectives:
            control = archive.standing(archive.incumbent.key)
            if not control.units:
                continue
            one = archive.standing(key)
            if key == archive.incumbent.key:
                scores[metric.name] = metric.score(control.mean)
            elif one.deviation < float("inf"):
                scores[metric.name] = metric.score(control.mean + one.lead)
                deviations[metric.name] = one.deviation * (metric.highest - metric.lowest)
        return scores, deviations


def front_of(study: Study, keys: Mapping[int, str], counted: Sequence[Counted]) -> Front:
    """What all units say of each objective.

    Args:
        keys: Of the trials, by number; 0 is what is in force.
    """
    if not study.objectives:
        return Front()
    beside = [(metric_for(study, one), one) for one in study.objectives]
    archives = [(metric_of(study), None), *beside]
    made = []
    for metric, objective in archives:
        archive = Archive(Candidate(keys[0], {}))
        for number, key in keys.items():
            if number:
                archive.add(Candidate(key, {}))
        of_window: dict[int, list[Measured]] = {}
        for one in counted:
            outcome = one.unit.outcome if objective is None else reached(study, objective, one.unit)
            if one.unit.outcome is not None and outcome is not None:
                of_window.setdefault(one.window, []).append(Measured(keys[one.trial], outcome))
        for window, units in sorted(of_window.items()):
            archive.take(window, units)
        made.append((metric, archive))
    return Front(made)
