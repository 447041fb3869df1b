"""Prints the tables of docs/selection.md: ``python -m benchmarks.selection [--runs N]``."""

import argparse
import statistics
from collections.abc import Sequence

from benchmarks.selection.races import BETTER, SAME, WORSE, Ended, luckiest, raced
from collector.selection.selectors import SELECTORS

_SITUATIONS = (
    ("ten as good, one better by 0.1", BETTER, 0.0),
    ("the same, while all fall by 0.3", BETTER, 0.3),
    ("ten as good (A/A)", SAME, 0.0),
    ("the same, while all fall by 0.3", SAME, 0.3),
    ("ten worse by 0.05", WORSE, 0.0),
)
_FIRST_SEED = 1_000_000
"""None by which anything was tuned."""


def row(words: str, how: str, ended: Sequence[Ended]) -> str:
    """What was released, what was shown of it, what it took."""
    released = [one for one in ended if one.released is not None]
    good = sum((one.released or 0.0) > 0 for one in released) / len(ended)
    wrong = len(released) / len(ended) - good
    shown, true = "–", "–"
    if released:
        shown = f"{statistics.fmean(one.shown for one in released):+.2f}"
        true = f"{statistics.fmean(one.released or 0.0 for one in released):+.2f}"
    units = statistics.median(one.units for one in ended)
    return f"| {words} | {how} | {good:.1%} | {wrong:.1%} | {shown} | {true} | {units:.0f} |"


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    seeds = range(_FIRST_SEED, _FIRST_SEED + runs)
    print(f"{runs} races each\n")
    print("| candidates | selector | a better one released | one that is no better | gain shown | true | units |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for words, candidates, drift in _SITUATIONS:
        for selector in SELECTORS:
            ended = [raced(selector, seed, candidates, drift=drift) for seed in seeds]
            print(row(words, selector, ended), flush=True)
    for words, candidates, _ in (_SITUATIONS[0], _SITUATIONS[2], _SITUATIONS[4]):
        print(row(words, "the highest mean of 20", [luckiest(seed, candidates) for seed in seeds]))


if __name__ == "__main__":
    main()
