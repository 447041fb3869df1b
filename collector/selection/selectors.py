"""The selectors in the box."""

import math
import random
from collections import Counter
from collections.abc import Mapping

from collector.selection.archive import Standing
from collector.selection.selector import Field, Move, Selector

_DRAWS = 200
_SURE = 0.5
"""So probable it is that the first is the best when it is confirmed. Fresh data go on saying who is."""

_HOPELESS = 0.01
_LEAST_SHARE = 0.02
_OF_CANDIDATES = 0.75
"""The part of a batch that candidates have, about; the rest is the incumbent's."""


SELECTORS = ("thompson", "halving", "greedy")


def selector_of(name: str) -> Selector:
    """The selector of that name, one of `SELECTORS`.

    Raises:
        KeyError: there is none.
    """
    selectors: Mapping[str, Selector] = {"thompson": Thompson(), "halving": Halving(), "greedy": Greedy()}
    return selectors[name]


class Greedy:
    """One candidate after the other beside the incumbent, in the order in which they come.

    It is dropped as soon as it does not lead, and confirmed as soon as it leads by two standard errors, or still
    leads behind four times the least units. For candidates that come one by one.
    """

    def choose(self, field: Field) -> Move:
        """See `Selector`."""
        dropped = {one.key: _words(one) for one in field.open if _enough(one, field) and one.lead <= 0}
        left = [one for one in field.open if one.key not in dropped]
        if not left:
            return Move(dropped=dropped)
        first = left[0]
        sure = first.lead > 2 * first.deviation or first.units >= 4 * field.least_units
        if _enough(first, field) and sure:
            return Move(confirm=first.key, dropped=dropped)
        return Move({first.key: 1.0}, dropped=dropped)


class Halving:
    """Successive halving (Karnin, Koren, Somekh, ICML 2013) of candidates that may come at any time.

    All have the least units first. Of those the better half goes on to twice as many, and so on; the last one that
    leads is confirmed. Who comes later catches up with the others first.
    """

    def choose(self, field: Field) -> Move:
        """See `Selector`."""
        if not field.open:
            return Move()
        wanted = max(field.least_units, _rung(field))
        behind = [one for one in field.open if one.units < wanted or not _compared(one)]
        if behind and len(field.open) > 1:
            return Move({one.key: 1.0 for one in behind})
        if len(field.open) == 1:
            return _last(field.open[0], field, {})
        ranked = sorted(field.open, key=lambda one: one.expected(), reverse=True)
        kept = ranked[: math.ceil(len(ranked) / 2)]
        dropped = {one.key: _words(one) for one in ranked if one not in kept}
        if len(kept) == 1:
            return _last(kept[0], field, dropped)
        return Move({one.key: 1.0 for one in kept}, dropped=dropped)


def _rung(field: Field) -> float:
    """Units that each of those that are left should have: every halving has the same part of what there is."""
    sizes = [field.entered]
    while sizes[-1] > 2:
        sizes.append(math.ceil(sizes[-1] / 2))
    units = field.looking * _OF_CANDIDATES / len(sizes)
    return sum(units / size for size in sizes if size >= len(field.open))


def _last(one: Standing, field: Field, dropped: Mapping[str, str]) -> Move:
    if not _enough(one, field):
        return Move({one.key: 1.0}, dropped=dropped)
    if one.lead > 0:
        return Move(confirm=one.key, dropped=dropped)
    return Move(dropped={**dropped, one.key: _words(one)})


class Thompson:
    """A bandit: each candidate's share is the probability that it is the best (Thompson, Biometrika 1933).

    The normal approximation of each lead stands for what is believed of it. What leads with certainty enough is
    confirmed, what is almost surely no better than the incumbent is dropped.
    """

    def choose(self, field: Field) -> Move:
        """See `Selector`."""
        fresh = [one for one in field.open if not _enough(one, field)]
        if fresh or not field.open:
            return Move({one.key: 1.0 for one in fresh})
        best, positive = _chances(field)
        dropped = {one.key: _words(one) for one in field.open if positive[one.key] < _HOPELESS}
        left = [one for one in field.open if one.key not in dropped]
        if not left:
            return Move(dropped=dropped)
        leader = max(left, key=lambda one: best[one.key])
        if best[leader.key] >= _SURE:
            return Move(confirm=leader.key, dropped=dropped)
        return Move({one.key: best[one.key] + _LEAST_SHARE for one in left}, dropped=dropped)


def _chances(field: Field) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """How probable it is of each candidate that it is the best one, and that it is better than the incumbent."""
    rng = random.Random(f"{field.seed}/{field.number}")  # noqa: S311 - no secret
    wins: Counter[str] = Counter()
    believed = [(one, one.expected()) for one in field.open]
    for _ in range(_DRAWS):
        luck = rng.gauss()  # of the incumbent: it is in all leads
        drawn = [(lead + luck * one.shared + rng.gauss() * error, one.key) for one, (lead, error) in believed]
        most, key = max(drawn)
        if most > 0:
            wins[key] += 1
    positive = {one.key: _above_zero(one) for one in field.open}
    return {one.key: wins[one.key] / _DRAWS for one in field.open}, positive


def _above_zero(one: Standing) -> float:
    return 0.5 * math.erfc(-one.lead / one.deviation / math.sqrt(2))


def _enough(one: Standing, field: Field) -> bool:
    return one.units >= field.least_units and _compared(one)


def _compared(one: Standing) -> bool:
    return math.isfinite(one.deviation)


def _words(one: Standing) -> str:
    return f"{one.lead:+.3g} ± {one.deviation:.2g} beside the incumbent after {one.units} units"
