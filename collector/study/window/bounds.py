"""What may not get worse than with what is in force: whether candidates keep it, on the units of the same time. Pure.

A quantile is compared at a threshold. With b the quantile of what was in force among its last units, a unit of what is
in force is within it where its value is at most b, and one of a candidate where its value is at most b (1 + part): if
the candidate's quantile is higher by no more than that part, no more of its units are beyond. b is known before each
unit, so that both are outcomes of units that came at the same time, and the bets of `collector.selection` hold. Of a
feedback the means are compared.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.core.objective import Bound, bounds_of
from collector.core.study import Study, StudyRecord
from collector.selection.confirmation import Confirmation
from collector.selection.evidence import Evidence, Margins
from collector.study.window.measuring import Counted

MARGIN = 0.02
"""Of units more that may be beyond a quantile: nobody can be shown to have none more."""

_LAST = 1_000
_LEAST = 20
ROUNDING = 1e-9
_ALPHA_HARM = 0.05
_LEAST_UNITS_TO_STOP = 20
_SIGMAS = 3.0
_SPEECHLESS = 100
"""Fresh units of which none says anything of a bound: no others will."""


@dataclass
class Usual:
    """A quantile of what is in force, among its last units."""

    quantile: float
    _sorted: list[float] = field(default_factory=list)
    _order: deque[float] = field(default_factory=deque)

    def add(self, value: float) -> None:
        """One more unit of what is in force."""
        insort(self._sorted, value)
        self._order.append(value)
        if len(self._order) > _LAST:
            del self._sorted[bisect_left(self._sorted, self._order.popleft())]

    def value(self) -> float | None:
        """None before there are units enough for it."""
        if len(self._sorted) < max(_LEAST, math.ceil(1 / (1 - self.quantile))):
            return None
        return self._sorted[math.ceil(self.quantile * len(self._sorted)) - 1]

    def beyond(self, threshold: float) -> float:
        """Which part of them is above it."""
        return 1 - bisect_right(self._sorted, threshold) / len(self._sorted)


class Outcomes:
    """Units as outcomes of one bound, in [0, 1], more is better.

    Args:
        bound: Which.
        metric: The study's.
    """

    def __init__(self, bound: Bound, metric: str) -> None:
        self._bound, self._metric = bound, metric
        self._usual = Usual(bound.quantile) if bound.quantile is not None else None

    @property
    def margin(self) -> float:
        """How much worse the mean of a candidate's outcomes may be."""
        return self._bound.part if self._usual is None else MARGIN

    def next(self, one: Counted) -> float | None:
        """Of the next unit, in the order of their coming; None where it says nothing.

        A unit that failed says nothing: failing is fast. One that counted as silent first is no second unit.
        """
        unit, bound = one.unit, self._bound
        if self._usual is None:
            judged = unit.outcome if bound.of == self._metric else unit.values.get(bound.of)
            return None if unit.outcome is None else judged
        value = unit.values.get(bound.of)
        if value is None or one.late or one.failed:
            return None
        usual = self._usual.value()
        if one.trial == 0:
            self._usual.add(value)
        if usual is None:
            return None
        allowed = usual if one.trial == 0 else usual * (1 + bound.part)
        return float(value <= allowed * (1 + ROUNDING))


@dataclass(frozen=True, slots=True)
class Kept:
    """What the fresh units of a candidate say of one bound.

    Attributes:
        test: Against "it is worse by more than that".
        came: Fresh units that there are in all.
    """

    bound: Bound
    test: Confirmation
    came: int

    @property
    def shown(self) -> bool:
        """Whether they show that it is kept."""
        return self.test.passed

    @property
    def more(self) -> float:
        """About how many more show it, if it is as well as it may be by three standard errors; infinite if none do."""
        known = self.test.interval
        if not self.test.units:
            return math.inf if self.came >= _SPEECHLESS else 0.0
        lead = known.mean + _SIGMAS * math.sqrt(known.second_moment / self.test.units)
        needed = max(math.log(1 / (self.test.alpha * max(self.test.e_value, 1e-300))), 0.0)
        return 2 * known.second_moment * needed / lead**2 if lead > 0 else math.inf

    def words(self) -> str:
        """For people."""
        allowed = f"{self.bound.name} {_allowed(self.bound)}"
        if not self.test.units:
            return f"{allowed}: not shown, no fresh unit says it"
        said = f"e-value {self.test.e_value:.3g} of {1 / self.test.alpha:.3g} on {self.test.units} fresh units"
        if self.shown:
            return f"{allowed}: shown, {said}"
        gain = self.test.gain.mean
        what = f"{-gain:+.1%} of units beyond it" if self.bound.quantile is not None else f"{gain:+.3g}"
        about = f"; about {self.more:.0f} more" if math.isfinite(self.more) else ""
        return f"{allowed}: not shown, {what} beside what is in force, {said}{about}"


def _allowed(bound: Bound) -> str:
    if bound.quantile is None:
        return f"worse by {bound.part:g} of its range at most"
    return f"higher by {bound.part:.0%} at most"


def kept_by(
    record: StudyRecord,
    tests: Mapping[int, Confirmation],
    fresh: Mapping[int, frozenset[int]],
    counted: Sequence[Counted],
) -> Mapping[int, Sequence[Kept]]:
    """What fresh units say of each bound, by trial.

    Args:
        tests: Of the candidates that have met what is in force on fresh units, by trial: how sure is sure.
        fresh: The windows of each one's confirmation.
    """
    found: dict[int, list[Kept]] = {number: [] for number in tests}
    for bound in bounds_of(record.study.not_worse):
        outcomes = Outcomes(bound, record.study.metric)
        begun = {
            number: Confirmation("", test.alpha, test.planned, margin=outcomes.margin) for number, test in tests.items()
        }
        for one in counted:
            outcome = outcomes.next(one)
            if outcome is None:
                continue
            for number, windows in fresh.items():
                if one.window in windows and one.trial in (0, number):
                    share = one.unit.share
                    begun[number] = begun[number].with_unit(outcome, challenger=one.trial == number, share=share)
        for number, test in begun.items():
            found[number].append(Kept(bound, test, tests[number].units))
    return found


class BoundGuard:
    """Which candidates of one study surely do not keep a bound, by all units so far. Made anew after a restart."""

    def __init__(self, study: Study) -> None:
        self._bounds = [(bound, Outcomes(bound, study.metric)) for bound in bounds_of(study.not_worse)]
        self._evidence: dict[tuple[int, str], Evidence] = {}
        self._seen = 0

    def take(self, record: StudyRecord, counted: Sequence[Counted]) -> None:
        """Takes in the units that came since the last time."""
        for one in counted[self._seen :]:
            window = record.windows[one.window - 1]
            for bound, outcomes in self._bounds:
                outcome = outcomes.next(one)
                if outcome is None or one.late:
                    continue
                for number in window.trials if one.trial == 0 else (one.trial,):
                    share = window.shares[number] / (window.shares[number] + window.shares[0])
                    before = self._evidence.get((number, bound.name), Evidence())
                    self._evidence[number, bound.name] = before.with_unit(
                        outcome, in_arm=one.trial == number, share=share, margins=Margins(outcomes.margin)
                    )
        self._seen = len(counted)

    def harm(self, number: int) -> str:
        """What shows that a candidate does not keep a bound; empty if nothing does.

        All bounds together stop one that keeps them in 5 % at most.
        """
        for bound, _ in self._bounds:
            evidence = self._evidence.get((number, bound.name), Evidence())
            needed = len(self._bounds) / _ALPHA_HARM
            if evidence.fewest >= _LEAST_UNITS_TO_STOP and evidence.harm_e_value >= needed:
                return (
                    f"{bound.name} may be {_allowed(bound)} and is worse than that: e-value "
                    f"{evidence.harm_e_value:.3g} of {needed:.3g} after {evidence.arm_units} units of its own and "
                    f"{evidence.control_units} of what is in force"
                )
        return ""
