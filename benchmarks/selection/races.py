"""Races over simulated thumbs: every unit is up with a probability that depends on its candidate, and on the time."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from collector.selection.archive import Archive, Candidate, Measured
from collector.selection.race import Batch, Race, Rules, Verdict
from collector.selection.selectors import selector_of

BETTER = (0.7, *(0.6,) * 10)
SAME = (0.6,) * 10
WORSE = (0.55,) * 10


@dataclass(frozen=True)
class Ended:
    """How a race ended.

    Attributes:
        released: How much better the released candidate truly is; None where the incumbent stayed.
        shown: How much better fresh data said that it is.
        units: How many there were.
    """

    released: float | None
    shown: float
    units: int


def raced(
    selector: str,
    seed: int,
    candidates: Sequence[float],
    *,
    drift: float = 0.0,
    paired: bool = False,
    rules: Rules = Rules(),  # noqa: B008
) -> Ended:
    """One race of an incumbent at 0.6; `drift`: how far all fall until the units are used up."""
    rng = random.Random(f"{selector}/{seed}")
    archive = Archive(Candidate("incumbent", {}))
    order = rng.sample(candidates, len(candidates))
    chances = {"incumbent": 0.6} | {f"candidate-{number}": chance for number, chance in enumerate(order)}
    for key in list(chances)[1:]:
        archive.add(Candidate(key, {}))
    race = Race(archive, selector_of(selector), rules, paired=paired, seed=seed)
    while isinstance(batch := race.next(), Batch):
        race.take(batch.number, _measured(batch, chances, drift * race.spent / rules.units, rng, paired=paired))
    assert isinstance(batch, Verdict)
    released = chances[batch.winner] - 0.6 if batch.winner else None
    return Ended(released, batch.gain.mean if batch.gain is not None else 0.0, race.spent)


def _measured(
    batch: Batch, chances: dict[str, float], fallen: float, rng: random.Random, *, paired: bool
) -> list[Measured]:
    keys = list(batch.shares)
    if not paired:
        drawn = rng.choices(keys, list(batch.shares.values()), k=batch.units)
        return [Measured(key, float(rng.random() < chances[key] - fallen)) for key in drawn]
    examples = range(max(batch.units // len(keys), 1))
    luck = [rng.random() for _ in examples]
    return [
        Measured(key, float(luck[example] < chances[key] - fallen), str(example))
        for example in examples
        for key in keys
    ]


def luckiest(seed: int, candidates: Sequence[float], batch: int = 20) -> Ended:
    """The highest mean of one batch each, as it is released without a test."""
    rng = random.Random(seed)
    means = [statistics.fmean(rng.random() < chance for _ in range(batch)) for chance in (0.6, *candidates)]
    best = max(range(len(means)), key=lambda number: means[number])
    released = candidates[best - 1] - 0.6 if best else None
    return Ended(released, means[best] - means[0], batch * len(means))
