"""Every candidate that was ever generated, once by its content, with all that is known of it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.core.candidate import Fate
from collector.core.study import Cost
from collector.selection.leads import MOST_TOGETHER, Cell, Leads, leads_of
from otel_opto.spec import ParameterValue, content_hash

__all__ = ["Archive", "Candidate", "Fate", "Kept", "Measured", "Standing"]

_FREE = Cost()
_FIRST_VARIANCE = 0.25
"""Of an outcome in [0, 1], before there are any: as large as it can be."""

_FIRST_UNITS = 2.0
"""How many units that first guess is worth."""

_USUAL_UNITS = 20.0
"""That the incumbent's failures in all batches count for, beside those of the batches in question."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Values that may become a release.

    Attributes:
        key: The content hash of the values.
        values: By parameter.
        origin: Who made it, and why, in words.
        cost: What that took.
    """

    key: str
    values: Mapping[str, ParameterValue]
    origin: str = ""
    cost: Cost = _FREE

    @classmethod
    def of(cls, values: Mapping[str, ParameterValue], origin: str = "", cost: Cost = _FREE) -> "Candidate":
        """The candidate of these values."""
        return cls(content_hash(values.items()), values, origin, cost)


@dataclass(frozen=True, slots=True)
class Kept:
    """A candidate in the archive.

    Attributes:
        origins: Of every time that it was generated.
        cost: Of all of these together.
        fate: What became of it; `why` in words.
    """

    candidate: Candidate
    origins: tuple[str, ...]
    cost: Cost
    fate: Fate = Fate.OPEN
    why: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of one unit: a user, a session or a trace online, an example offline.

    Attributes:
        key: Of the candidate, or of the incumbent, that it ran with.
        outcome: In [0, 1], more is better; None where it failed, which is neither good nor bad.
        unit: Names the example where several candidates ran on the same; else nothing.
        clipped: Scores that lay outside of the metric's bounds.
        share: The candidate's among the two when the unit was assigned; 0: as the batch says.
    """

    key: str
    outcome: float | None
    unit: str = ""
    clipped: int = 0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Failures:
    """How many units failed, of how many that ran."""

    failed: float = 0.0
    ran: float = 0.0

    @property
    def rate(self) -> float:
        """0 where none ran."""
        return self.failed / self.ran if self.ran else 0.0

    def bounds(self, sigmas: float) -> tuple[float, float]:
        """Of the rate, as low and as high as it may be by so many sigmas (Wilson, JASA 1927)."""
        if not self.ran:
            return 0.0, 1.0
        part = sigmas**2 / self.ran
        root = sigmas / math.sqrt(self.ran) * math.sqrt(self.rate * (1 - self.rate) + part / 4)
        middle = self.rate + part / 2
        return max((middle - root) / (1 + part), 0.0), min((middle + root) / (1 + part), 1.0)


@dataclass(slots=True)
class Tally:
    """All that was measured of one candidate, over all batches.

    Attributes:
        units: With an outcome.
        squares: Sum of the squared outcomes.
        errors: Units without an outcome.
        cells: Its outcomes by batch.
        ran: Units that failed and all units, by batch.
    """

    units: int = 0
    total: float = 0.0
    squares: float = 0.0
    errors: int = 0
    clipped: int = 0
    cells: dict[int, Cell] = field(default_factory=dict)
    ran: dict[int, Failures] = field(default_factory=dict)

    @property
    def variance(self) -> float:
        """Of an outcome."""
        spread = self.squares - self.total**2 / self.units if self.units else 0.0
        return (max(spread, 0.0) + _FIRST_VARIANCE * _FIRST_UNITS) / (self.units + _FIRST_UNITS)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a candidate beside the incumbent.

    Attributes:
        units: With an outcome, over all batches.
        errors: Units that failed.
        lead: How much higher its outcomes are than those of the incumbent in the same batches.
        deviation: The standard error of the lead; infinite before both were measured in one batch.
        shared: The part of it that comes from the incumbent, and that all leads have in common.
        mean: Of its outcomes, whatever the batch.
    """

    key: str
    units: int = 0
    errors: int = 0
    lead: float = 0.0
    deviation: float = math.inf
    shared: float = 0.0
    mean: float = 0.0

    def expected(self, prior: float = 0.05) -> tuple[float, float]:
        """The lead that is to be expected, and the standard error of that, which is its own.

        Args:
            prior: How far candidates usually are from the incumbent. The fewer units there are, the more counts that
                most candidates are about as good: a few lucky units promise little.
        """
        own = self.deviation**2 - self.shared**2
        trust = prior**2 / (prior**2 + own) if math.isfinite(own) else 0.0
        return self.lead * trust, prior * math.sqrt(1 - trust)


class Archive:
    """Candidates by content, and their measurements, pooled.

    Candidates are compared within batches, with the incumbent and by way of each other (`leads`): what changes between
    batches - the traffic, the hour, a model's mood - is no lead and no loss. Taking a unit in costs the same however
    much there is already; late units go to the batch that they were assigned in.

    Args:
        incumbent: What is in force.
    """

    def __init__(self, incumbent: Candidate) -> None:
        self.incumbent = incumbent
        self._kept: dict[str, Kept] = {}
        self._tallies: dict[str, Tally] = {incumbent.key: Tally()}
        self._leads: Leads | None = None

    def add(self, candidate: Candidate, fault: str = "", fate: Fate = Fate.OPEN) -> bool:
        """Keeps a generated candidate; False where it was there already, and then only its origin and cost are new.

        Args:
            fault: Why it can never be released, where it cannot.
            fate: What had become of it already.
        """
        known = self._kept.get(candidate.key)
        if known is None:
            fate = Fate.INVALID if fault and fate is Fate.OPEN else fate
            if candidate.key == self.incumbent.key:
                fate, fault = Fate.DROPPED, "it is what is in force"
            self._kept[candidate.key] = Kept(candidate, (candidate.origin,), candidate.cost, fate, fault)
            self._tallies.setdefault(candidate.key, Tally())
            return True
        cost = known.cost + candidate.cost
        self._kept[candidate.key] = replace(known, origins=(*known.origins, candidate.origin), cost=cost)
        return False

    def settle(self, key: str, fate: Fate, why: str) -> None:
        """Says what became of a candidate."""
        self._kept[key] = replace(self._kept[key], fate=fate, why=why)

    def take(self, batch: int, measured: Iterable[Measured]) -> None:
        """Pools what became of units that were assigned in that batch."""
        of: dict[str, list[Measured]] = {}
        for one in measured:
            of.setdefault(one.key, []).append(one)
        for key, units in of.items():
            self._take(batch, key, units)

    def _take(self, batch: int, key: str, measured: Sequence[Measured]) -> None:
        tally = self._tallies[key]
        tally.clipped += sum(one.clipped for one in measured)
        outcomes = [one.outcome for one in measured if one.outcome is not None]
        failed = len(measured) - len(outcomes)
        tally.errors += failed
        before_it = tally.ran.get(batch, Failures())
        tally.ran[batch] = Failures(before_it.failed + failed, before_it.ran + len(measured))
        if not outcomes:
            return
        self._leads = None
        total = sum(outcomes)
        tally.units += len(outcomes)
        tally.total += total
        tally.squares += sum(outcome**2 for outcome in outcomes)
        cell = tally.cells.setdefault(batch, Cell())
        cell.units += len(outcomes)
        cell.total += total

    def _together(self) -> Leads:
        """The leads of all, or of those with the most units where there are very many."""
        if self._leads is None:
            now = self.incumbent.key
            cells = {key: tally.cells for key, tally in self._tallies.items() if tally.cells and key != now}
            most = sorted(cells, key=lambda key: -self._tallies[key].units)[:MOST_TOGETHER]
            self._leads = leads_of(now, {now: self._tallies[now].cells, **{key: cells[key] for key in most}})
        return self._leads

    def _lead(self, key: str) -> tuple[float, float] | None:
        """The lead, and its variance if that of an outcome is 1; None where nothing compares it with the incumbent."""
        now, own = self.incumbent.key, self._tallies[key].cells
        return self._together().of(key) or leads_of(now, {now: self._tallies[now].cells, key: own}).of(key)

    def covariance(self, keys: Sequence[str]) -> Sequence[Sequence[float]]:
        """Of the leads of these candidates, in their order; empty where one of them has none, or they are too many."""
        together = self._together()
        if not all(key in together.place for key in keys):
            return ()
        roots = [math.sqrt(self._variance(key)) for key in keys]
        rows = [together.spread[together.place[key]] for key in keys]
        return [
            [row[together.place[other]] * mine * its for other, its in zip(keys, roots, strict=True)]
            for row, mine in zip(rows, roots, strict=True)
        ]

    def _variance(self, key: str) -> float:
        """Of an outcome, the candidate's or the incumbent's: the larger one."""
        return max(self._tallies[key].variance, self._tallies[self.incumbent.key].variance)

    def kept(self, key: str) -> Kept:
        """One candidate.

        Raises:
            KeyError: it was never added.
        """
        return self._kept[key]

    def all(self) -> Sequence[Kept]:
        """In the order in which they were generated first."""
        return tuple(self._kept.values())

    def open(self) -> Sequence[Standing]:
        """Of those that may still win, in the order in which they were generated first."""
        return [self.standing(key) for key, kept in self._kept.items() if kept.fate is Fate.OPEN]

    def standing(self, key: str) -> Standing:
        """Of one candidate, or of the incumbent."""
        tally = self._tallies[key]
        mean = tally.total / tally.units if tally.units else 0.0
        known = self._lead(key)
        if known is None:
            return Standing(key, tally.units, tally.errors, mean=mean)
        lead, spread = known
        variance = self._variance(key)
        shared = math.sqrt(variance * max(spread - 1 / tally.units, 0.0))
        return Standing(key, tally.units, tally.errors, lead, math.sqrt(variance * spread), shared, mean)

    def failures(self, key: str) -> tuple[Failures, Failures]:
        """Of a candidate, and of the incumbent at the same time: what befalls all alike is no candidate's fault.

        The incumbent's rate is that of the candidate's batches, each weighted by the candidate's units. What it was in
        all batches counts beside it like 20 units: in a batch it may have had few.
        """
        own, control = self._tallies[key].ran, self._tallies[self.incumbent.key].ran
        whole = Failures(sum(one.failed for one in control.values()), sum(one.ran for one in control.values()))
        both = [(one.ran, control[batch]) for batch, one in own.items() if batch in control]
        weight = sum(units for units, _ in both)
        rate = sum(units * beside.rate for units, beside in both) / weight if weight else 0.0
        there = sum(beside.ran for _, beside in both)
        first = min(whole.ran, _USUAL_UNITS)
        of_incumbent = Failures(rate * there + whole.rate * first, there + first)
        return Failures(sum(one.failed for one in own.values()), sum(one.ran for one in own.values())), of_incumbent

    @property
    def clipped(self) -> int:
        """Scores that lay outside of the metric's bounds."""
        return sum(tally.clipped for tally in self._tallies.values())
