"""Which candidates of a window do harm: they lose their place at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from collector.core.candidate import Fate, Window
from collector.core.study import StudyRecord
from collector.rollout.comparison import Comparison
from collector.rollout.decision import harm_in
from collector.study.window.bounds import BoundGuard
from collector.study.window.measuring import Counted
from collector.study.window.plans import watched


class Guards:
    """Compares each candidate with what is in force, unit by unit. Made anew from the units after a restart."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[Comparison, int]] = {}
        self._bounds: dict[str, BoundGuard] = {}

    def harm(self, record: StudyRecord, window: Window, counted: Sequence[Counted]) -> Mapping[int, tuple[Fate, str]]:
        """The candidates of a window that are surely worse than what is in force, with the evidence in words."""
        found = {}
        bounds = self._bounds.setdefault(record.study.name, BoundGuard(record.study))
        bounds.take(record, counted)
        for number in window.trials:
            arm = watched(record.study, number, window.releases[number])
            words = harm_in(arm, self._compared(record, number, counted)) or bounds.harm(number)
            if words:
                found[number] = Fate.BROKEN, words
        return found

    def forget(self, name: str) -> None:
        """A study that has ended is not kept in memory."""
        self._bounds.pop(name, None)
        for known in [known for known in self._known if known[0] == name]:
            del self._known[known]

    def _compared(self, record: StudyRecord, number: int, counted: Sequence[Counted]) -> Comparison:
        known, seen = self._known.get((record.study.name, number), (Comparison(), 0))
        plan = watched(record.study, number, 0).plan
        for one in counted[seen:]:
            window = record.windows[one.window - 1]
            if one.late or one.trial not in (0, number) or number not in window.releases:
                continue
            share = window.shares[number] / (window.shares[number] + window.shares[0])
            known = known.with_unit(replace(one.unit, in_arm=one.trial == number, share=share), plan)
        self._known[record.study.name, number] = known, len(counted)
        return known
