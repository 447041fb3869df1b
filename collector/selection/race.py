"""A race of candidates against what is in force: batch by batch to a winner that fresh data confirm, or to none."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from collector.selection.archive import Archive, Failures, Fate, Measured
from collector.selection.confirmation import Confirmation, Gain, units_needed
from collector.selection.selector import Field, Move, Selector

_ERROR_MARGIN = 0.02
_SIGMAS = 4.0
_LEAST_FAILURES = 3
_BENEFIT_OF_DOUBT = 4.0
"""Standard errors by which a lead may be higher than it looks before what is left is said not to suffice."""

_STANDING = (Fate.OPEN, Fate.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Rules:
    """How much is measured, and how often it may be wrong.

    Attributes:
        alpha: How often a race may release what is no better, however many candidates it has.
        units: How many units there are in all, those of the incumbent included.
        looking: The part of them for looking around; the rest is for fresh data.
        batch_units: Of one batch.
        least_units: Of its own that a candidate has before it is judged.
    """

    alpha: float = 0.05
    units: int = 3_000
    looking: float = 0.55
    batch_units: int = 50
    least_units: int = 30

    @property
    def fresh_units(self) -> int:
        """That a test plans with, of both together: all that are not for looking; a clear lead needs fewer.

        It follows from what is known before the first of them comes, so the stakes do, too, and the bet stays one.
        """
        return max(self.units - int(self.units * self.looking), 1)

    def faults(self) -> list[str]:
        """Every fault of its fields: what was found, what is allowed."""
        faults = []
        for name, part in (("alpha", self.alpha), ("looking", self.looking)):
            if not 0 < part < 1:
                faults.append(f"{name}: found {part:g}, allowed is between 0 and 1")
        for name in ("units", "batch_units", "least_units"):
            number = getattr(self, name)
            if number < 1:
                faults.append(f"{name}: found {number}, allowed is 1 and more")
        return faults


class Purpose(Enum):
    """Why a batch is measured."""

    LOOK = "look"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Batch:
    """What is measured next.

    Attributes:
        number: From 1.
        shares: Of the incumbent and of each candidate, by key; together 1. Each unit is assigned by chance, or each
            example is run with all of them.
        units: How many units are assigned. The batch closes when they are, not when their feedback has come.
        planned: Of a confirmation: about how many units it has in all.
        looking: How many units there were for looking around in all when it was begun.
    """

    number: int
    purpose: Purpose
    shares: Mapping[str, float]
    units: int
    planned: int = 0
    looking: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a race ended, or stands.

    Attributes:
        winner: The key of the candidate that may be released; empty where the incumbent stays.
        gain: Of the winner, or of what was confirmed last, on fresh data.
        words: Why, for people.
    """

    winner: str
    gain: Gain | None
    words: str


class Race:
    """Measures candidates until one is confirmed, nothing is open any more, or the units are used up.

    Looking around is free of rules: whatever the selector does, and whatever its leads are made of, nothing is released
    by it. Each candidate that it
    wants confirmed meets the incumbent on fresh data, by a test of its own: the first that is wanted has 2/3 of
    alpha, the second 2/9, the third 2/27 and so on. Together they are wrong in at most alpha (union bound), however
    many candidates there were, however often one looked, and however often the selector changed its mind.

    Args:
        archive: Holds the incumbent and takes up candidates, at any time.
        selector: Looks around.
        rules: Of the race.
        paired: Whether candidates run on the same examples: `Measured.unit` says on which.
        seed: For selectors that draw lots.
        begun: All batches of a race that goes on, in their order; their units are given to `take` once more.
        looking: How many units that race had for looking around, where it looked again since its last batch.
    """

    def __init__(
        self,
        archive: Archive,
        selector: Selector,
        rules: Rules,
        *,
        paired: bool = False,
        seed: int = 0,
        begun: Sequence[Batch] = (),
        looking: int = 0,
    ) -> None:
        self.archive = archive
        self._selector = selector
        self._rules = rules
        self._paired = paired
        self._seed = seed
        self._looked = 0
        self._fresh = 0
        self._looking = int(rules.units * rules.looking)
        self._winner = ""
        self._batches: dict[int, Batch] = {}
        self._tests: dict[str, Confirmation] = {}
        self._held: dict[str, tuple[float, str]] = {}
        self._halves: dict[tuple[int, str], dict[str, float | None]] = {}
        for batch in begun:
            self._enter(batch)
            self._looking = batch.looking or self._looking
            if batch.purpose is Purpose.CONFIRM:
                (key,) = (key for key in batch.shares if key != archive.incumbent.key)
                self._tests.setdefault(key, Confirmation(key, self._alpha(len(self._tests)), batch.planned))
        self._looking = looking or self._looking

    def next(self, *, more_candidates: bool = False) -> Batch | Verdict | None:
        """What is measured next, or how it ended; None where it waits for candidates.

        Call it when the last batch is closed. What was assigned in it may still come, later as well.

        Args:
            more_candidates: Whether more may be added if there are none left.
        """
        self._stop_broken()
        self._winner = self._winner or self._passed()
        while not self._winner and self._left > 0:
            move = self._move()
            for key, why in move.dropped.items():
                self._settle(key, Fate.DROPPED, why)
            if move.confirm and self._worth_it(move.confirm):
                return self._open(Purpose.CONFIRM, {self.archive.incumbent.key: 0.5, move.confirm: 0.5})
            if move.confirm:
                continue
            if move.shares:
                return self._open(Purpose.LOOK, self._shares(move.shares))
            if not self.archive.open():
                return None if more_candidates else self.verdict()
        return self.verdict()

    def look_at(self, keys: Sequence[str], units: int) -> Batch:
        """A first look at candidates, all with the same share, without asking the selector; see `left_for_looking`.

        Args:
            units: That each of them should have.
        """
        shares = self._shares(dict.fromkeys(keys, 1.0))
        wanted = math.ceil(units * len(keys) / (1 - shares[self.archive.incumbent.key]))
        return self._open(Purpose.LOOK, shares, wanted)

    def begin(self, units: int) -> Batch:
        """The incumbent alone: what is known of it before there are candidates."""
        return self._open(Purpose.LOOK, {self.archive.incumbent.key: 1.0}, units)

    def take(self, number: int, measured: Iterable[Measured]) -> None:
        """What became of units that were assigned in that batch, in the order in which it became known."""
        batch = self._batches[number]
        tested = next((key for key in batch.shares if key in self._tests), "")
        units = list(measured)
        self.archive.take(number, units)
        if batch.purpose is Purpose.CONFIRM:
            for one in units:
                self._tests[tested] = self._tested(self._tests[tested], batch, one)

    def verdict(self) -> Verdict:
        """How it stands."""
        if self._winner:
            gain = self._tests[self._winner].gain
            words = (
                f"better than the incumbent by {gain.mean:.3g} ({gain.lowest:.3g} to {gain.highest:.3g}) on "
                f"{gain.units} fresh units"
            )
            return Verdict(self._winner, gain, words)
        found = [self.archive.standing(one.candidate.key) for one in self.archive.all() if one.fate in _STANDING]
        best = max(found, key=lambda one: one.lead, default=None)
        if best is None:
            return Verdict("", None, f"the incumbent stays: {self._all_out()}")
        if best.lead <= 0:
            return Verdict("", None, "the incumbent stays: no candidate looks better")
        test = self._tests.get(best.key)
        if test is not None and test.passed and self.held(best.key):
            words = f"the incumbent stays: {best.key[:12]} is better on fresh data, but {self.held(best.key)}"
            return Verdict("", test.gain, words)
        more = test.more() if test is not None else units_needed(best.lead, self._alpha(len(self._tests)))
        about = f"about {more:.0f} more units" if math.isfinite(more) else "fresh data show no gain"
        words = f"the incumbent stays: no evidence yet, {about}; {best.key[:12]} looks {best.lead:+.3g} better"
        return Verdict("", test.gain if test is not None else None, words)

    def _all_out(self) -> str:
        """Why there is no candidate left, by the one that went last."""
        out = [one for one in self.archive.all() if one.candidate.key != self.archive.incumbent.key]
        if not out:
            return "there was no candidate"
        last = out[-1].why or out[-1].fate.value
        return f"none of {len(out)} candidates is left; the last one: {last}"

    def refuse(self, key: str, fate: Fate, why: str) -> None:
        """Takes a candidate out of the race: its parameters have changed, or a guardrail stopped it."""
        self.archive.settle(key, fate, why)

    def hold(self, key: str, more: float, why: str) -> None:
        """Something else than that a candidate is better has to be shown of it, too: until then it does not win.

        Args:
            more: About how many more fresh units show it; infinite if none do.
            why: What is not shown yet, in words.
        """
        self._held[key] = more, why

    def held(self, key: str) -> str:
        """What is not shown yet of a candidate, beside that it is better; empty if nothing is missing."""
        return self._held.get(key, (0.0, ""))[1]

    def test(self, key: str) -> Confirmation | None:
        """What fresh data say of a candidate; None where it has not met the incumbent on any."""
        return self._tests.get(key)

    @property
    def looking(self) -> int:
        """Units for looking around, in all."""
        return self._looking

    @property
    def left_for_looking(self) -> int:
        """Units that are left of these."""
        return min(self._looking - self._looked, self._left)

    @property
    def spent(self) -> int:
        """Units that were assigned in all batches."""
        return self._looked + self._fresh

    @property
    def _left(self) -> int:
        return self._rules.units - self.spent

    def _move(self) -> Move:
        """The selector's; when nothing is left for looking around, whoever leads by most is confirmed."""
        entered = sum(one.fate is not Fate.INVALID for one in self.archive.all())
        candidates = tuple(self.archive.open())
        field = Field(
            candidates, entered, self._rules.batch_units, self._rules.least_units, self._looking,
            self._looking - self._looked, len(self._batches), self._seed,
            self.archive.covariance([one.key for one in candidates]),
        )  # fmt: skip
        move = self._selector.choose(field)
        if field.left > 0 or move.confirm or not move.shares:
            return move
        best = max((one for one in candidates if one.key not in move.dropped), key=lambda one: one.expected())
        if best.lead > 0:
            return Move(confirm=best.key, dropped=move.dropped)
        return Move(dropped={one.key: "it does not lead, and looking around is over" for one in candidates})

    def _worth_it(self, key: str) -> bool:
        """Whether what is left may suffice for the candidate; where it cannot, it is out."""
        test = self._tests.get(key) or Confirmation(
            key, self._alpha(len(self._tests)), min(self._rules.fresh_units, self._left)
        )
        known = self.archive.standing(key)
        more, _ = self._held.get(key, (0.0, ""))
        if max(more, test.more(known.lead + _BENEFIT_OF_DOUBT * known.deviation)) <= self._left:
            self._tests[key] = test
            return True
        self._settle(key, Fate.UNCONFIRMED, f"what is left would not show {known.lead:+.3g} ± {known.deviation:.2g}")
        return False

    def _look_again(self) -> None:
        """The best-looking one was none: who stood back for it is in the race again, with a part of what is left."""
        for one in self.archive.all():
            if one.fate is Fate.DROPPED and one.candidate.key != self.archive.incumbent.key:
                self.archive.settle(one.candidate.key, Fate.OPEN, one.why)
        self._looking = self._looked + int(self._left * self._rules.looking)

    def _settle(self, key: str, fate: Fate, why: str) -> None:
        """Who has met the incumbent on fresh data is unconfirmed, in its words; others have their chance again."""
        test = self._tests.get(key)
        if test is not None and test.units:
            gain = test.gain
            fate = Fate.UNCONFIRMED
            why = f"{gain.mean:+.3g} ({gain.lowest:.3g} to {gain.highest:.3g}) on {gain.units} fresh units"
            why += f"; {self.held(key)}" if self.held(key) else ""
        self.archive.settle(key, fate, why)
        if fate is Fate.UNCONFIRMED:
            self._look_again()

    def _passed(self) -> str:
        """The candidate that fresh data have shown to be better, late ones included; of several the first."""
        for key, test in self._tests.items():
            if key in self._held:
                continue
            if test.passed and self.archive.kept(key).fate not in (Fate.BROKEN, Fate.INVALID):
                self.archive.settle(key, Fate.WON, "fresh data exclude that it is no better")
                return key
        return ""

    def _alpha(self, tests_before: int) -> float:
        return self._rules.alpha * (2 / 3) / 3.0**tests_before

    def _shares(self, wanted: Mapping[str, float]) -> dict[str, float]:
        """With the incumbent's, which is compared with each, half and half where there is one.

        To compare each of n with it best, it would have a part of 1/(1 + √n). While looking around it matters more
        which of them leads: what chance does to the incumbent is in all leads. So it has 1/(2 √n).
        """
        incumbent, whole = 0.5 / math.sqrt(len(wanted)), sum(wanted.values())
        shares = {key: part / whole * (1 - incumbent) for key, part in wanted.items()}
        return {self.archive.incumbent.key: incumbent, **shares}

    def _tested(self, test: Confirmation, batch: Batch, one: Measured) -> Confirmation:
        if not self._paired:
            share = one.share or batch.shares[test.key] / sum(batch.shares.values())
            return test.with_unit(one.outcome, challenger=one.key == test.key, share=share)
        pair = self._halves.setdefault((batch.number, one.unit), {})
        pair[one.key] = one.outcome
        if len(pair) < len(batch.shares):
            return test
        del self._halves[batch.number, one.unit]
        return test.with_pair(pair[test.key], pair[self.archive.incumbent.key])

    def _stop_broken(self) -> None:
        """Candidates that surely fail more often than the incumbent: they are not measured any more."""
        for one in self.archive.open():
            own, usual = self.archive.failures(one.key)
            if own.failed >= _LEAST_FAILURES and _surely_more(own, usual) > _ERROR_MARGIN:
                why = (
                    f"{own.failed:.0f} of {own.ran:.0f} units failed; of the incumbent's at that time {usual.rate:.1%}"
                )
                self.refuse(one.key, Fate.BROKEN, why)

    def _open(self, purpose: Purpose, shares: Mapping[str, float], units: int = 0) -> Batch:
        planned = next((self._tests[key].planned for key in shares if key in self._tests), 0)
        batch = Batch(
            len(self._batches) + 1, purpose, shares, min(units or self._rules.batch_units, self._left),
            planned if purpose is Purpose.CONFIRM else 0, self._looking,
        )  # fmt: skip
        self._enter(batch)
        return batch

    def _enter(self, batch: Batch) -> None:
        self._batches[batch.number] = batch
        if batch.purpose is Purpose.LOOK:
            self._looked += batch.units
        else:
            self._fresh += batch.units


def _surely_more(own: Failures, usual: Failures) -> float:
    """By how much more often a candidate fails, as little as that may be (Newcombe, Statistics in Medicine 1998)."""
    lowest, highest = own.bounds(_SIGMAS)[0], usual.bounds(_SIGMAS)[1]
    return own.rate - usual.rate - math.hypot(own.rate - lowest, highest - usual.rate)
