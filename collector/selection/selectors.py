"""The selectors in the box."""

import math
import random
from collections import Counter
from collections.abc import Mapping

from collector.selection.archive import Standing
from collector.selection.belief import belief_of
from collector.selection.leads import MOST_TOGETHER
from collector.selection.selector import Field, Move, Selector

_DRAWS = 200
_SURE = 0.5
"""So probable it is that the first is the best when it is confirmed. Fresh data go on saying who is."""

_HOPELESS = 0.01
_LEAST_CHANCE = 0.02
"""Of being the best, that is thought of each: 200 draws do not exclude less, and nobody is to be without a unit."""

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
    """A bandit: it measures what may be the best (Thompson, Biometrika 1933), and what may be instead of that.

    Half of each batch goes by the probability that a candidate is the best, half by the probability that it is so if
    the one that the first half would go to is not: who leads does not take the units that would tell whether it does
    ("top two", Russo, "Simple Bayesian algorithms for best-arm identification", Operations Research 2020). Probable is
    what is believed of all leads together (`belief`). What leads with certainty enough is confirmed, what is almost
    surely no better than the incumbent is dropped.
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
        return Move(_top_two({one.key: best[one.key] for one in left}), dropped=dropped)


def _chances(field: Field) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """How probable it is of each candidate that it is the best one, and that it is better than the incumbent.

    Of very many only those that look best are thought about; what is not may be anything.
    """
    rng = random.Random(f"{field.seed}/{field.number}")  # noqa: S311 - no secret
    first, covariance = list(field.open), field.covariance
    if len(first) > MOST_TOGETHER:
        first, covariance = sorted(first, key=lambda one: one.expected()[0])[-MOST_TOGETHER:], ()
    belief = belief_of(first, covariance)
    wins: Counter[str] = Counter()
    for _ in range(_DRAWS):
        most, at = max((lead, at) for at, lead in enumerate(belief.drawn(rng)))
        if most > 0:
            wins[first[at].key] += 1
    positive = {one.key: 1.0 for one in field.open} | {one.key: belief.positive(at) for at, one in enumerate(first)}
    return {one.key: wins[one.key] / _DRAWS for one in field.open}, positive


def _top_two(best: Mapping[str, float]) -> Mapping[str, float]:
    """Shares: the half by the chances to be the best, the half by those to be it if the one drawn first is not."""
    if len(best) == 1:
        return dict.fromkeys(best, 1.0)
    whole = sum(best.values()) + _LEAST_CHANCE * len(best)
    chances = {key: (chance + _LEAST_CHANCE) / whole for key, chance in best.items()}
    odds = {key: chance / (1 - chance) for key, chance in chances.items()}
    together = sum(odds.values())
    return {key: chance * (1 + together - odds[key]) / 2 for key, chance in chances.items()}


def _enough(one: Standing, field: Field) -> bool:
    return one.units >= field.least_units and _compared(one)


def _compared(one: Standing) -> bool:
    return math.isfinite(one.deviation)


def _words(one: Standing) -> str:
    return f"{one.lead:+.3g} ± {one.deviation:.2g} beside the incumbent after {one.units} units"
