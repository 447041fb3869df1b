"""Prints the tables of docs/selection.md: ``python -m benchmarks.selection`` and its options."""

import argparse
import asyncio
import statistics
from collections.abc import Sequence

from benchmarks.selection.races import BETTER, SAME, WORSE, Ended, luckiest, raced
from benchmarks.selection.town import released, studied, study, town
from collector.selection.archive import Failures
from collector.selection.selectors import SELECTORS

_SITUATIONS = (
    ("ten as good, one better by 0.1", BETTER, 0.0),
    ("the same, while all fall by 0.3", BETTER, 0.3),
    ("ten as good (A/A)", SAME, 0.0),
    ("the same, while all fall by 0.3", SAME, 0.3),
    ("ten worse by 0.05", WORSE, 0.0),
)
_FIRST_SEED = 5_000_000
"""None by which anything was tuned."""


def row(words: str, how: str, ended: Sequence[Ended]) -> str:
    """What was released, what was shown of it, what it took."""
    released = [one for one in ended if one.released is not None]
    good = sum((one.released or 0.0) > 0 for one in released)
    wrong = len(released) - good
    shown, true = "–", "–"
    if released:
        shown = f"{statistics.fmean(one.shown for one in released):+.2f}"
        true = f"{statistics.fmean(one.released or 0.0 for one in released):+.2f}"
    units = statistics.median(one.units for one in ended)
    parts = [part(good, len(ended)), part(wrong, len(ended)), shown, true, f"{units:.0f}"]
    return f"| {' | '.join([words, *([how] if how else []), *parts])} |"


def part(found: int, of: int) -> str:
    """So many, and between what the rate lies with 95 %."""
    low, high = Failures(found, of).bounds(1.96)
    return f"{found} of {of}: {found / of:.1%} ({low:.1%} to {high:.1%})"


async def studies(runs: int) -> None:
    """Whole studies: assignments, windows, the ledger; only users are simulated."""
    print("| candidates | a better one released | one that is no better | gain shown | true | users |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for words, candidates, fall in _SITUATIONS:
        ended = []
        for seed in range(_FIRST_SEED, _FIRST_SEED + runs):
            users = town(seed, candidates, fall)
            record = await studied(users, study(seed=seed))
            winner = record.winner()
            shown = winner.found.gain[0] if winner is not None and winner.found is not None else 0.0
            ended.append(Ended(released(record, users), shown, users.came))
        print(row(words, "", ended), flush=True)


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--studies", action="store_true", help="through the code of studies, as they are by default")
    parser.add_argument("--selector", choices=SELECTORS, help="races of this one alone")
    arguments = parser.parse_args()
    runs = arguments.runs
    if arguments.studies:
        asyncio.run(studies(runs))
        return
    seeds = range(_FIRST_SEED, _FIRST_SEED + runs)
    print("| candidates | selector | a better one released | one that is no better | gain shown | true | units |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for words, candidates, drift in _SITUATIONS:
        for selector in [arguments.selector] if arguments.selector else SELECTORS:
            ended = [raced(selector, seed, candidates, drift=drift) for seed in seeds]
            print(row(words, selector, ended), flush=True)
    if arguments.selector:
        return
    for words, candidates, _ in (_SITUATIONS[0], _SITUATIONS[2], _SITUATIONS[4]):
        print(row(words, "the highest mean of 20", [luckiest(seed, candidates) for seed in seeds]))


if __name__ == "__main__":
    main()
