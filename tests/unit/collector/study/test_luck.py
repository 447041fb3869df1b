"""How often noise is released by a whole study; the full table is in docs/selection.md."""

from benchmarks.selection.races import BETTER, SAME, WORSE
from benchmarks.selection.town import released, studied, study, town
from collector.core.candidate import Fate, Selection

RUNS = range(3)
"""Few: the chance of each outcome is measured by the benchmark, by hundreds."""


async def outcomes(candidates: tuple[float, ...], fall: float = 0.0, units: int = 3_000) -> list[float | None]:
    found = []
    for seed in RUNS:
        users = town(seed, candidates, fall)
        record = await studied(users, study(seed=seed, selection=Selection(units=units)))
        assert users.came < units * 1.1
        found.append(released(record, users))
    return found


async def test_of_equals_and_of_worse_ones_none_is_released() -> None:
    assert await outcomes(SAME, units=1_500) == [None] * len(RUNS)
    assert await outcomes(WORSE, fall=0.3, units=1_500) == [None] * len(RUNS)


async def test_what_is_much_better_is_found_while_everything_falls() -> None:
    assert [round(found or 0.0, 6) for found in await outcomes((0.9, *BETTER[1:]), fall=0.3)] == [0.3] * len(RUNS)


async def test_what_breaks_the_application_is_stopped_whatever_its_scores_are() -> None:
    users = town(1, (0.9, 0.6, 0.6))
    broken = next(value for value, chance in users.chances.items() if chance == 0.9)
    users.failing = {broken: 0.5}
    record = await studied(users, study(selection=Selection(units=900)))
    trial = next(trial for trial in record.trials if trial.values["x"] == broken)
    assert trial.fate is Fate.BROKEN
    assert trial.found is not None
    assert trial.found.errors > 0
    assert record.winner() is None
