"""What may not get worse than with what is in force: who keeps it, who does not, and who is not shown to."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.selection.town import Users, studied, study
from collector.core.candidate import Fate, Selection, Window
from collector.core.objective import Objective, bounds_of
from collector.core.rollout import Signal
from collector.core.study import Direction, Study, StudyRecord, StudyState, Trial
from collector.core.units import Unit
from collector.selection.confirmation import Confirmation
from collector.study.window.bounds import BoundGuard, Kept, Usual, kept_by
from collector.study.window.measuring import Counted

P95 = {"latency.p95": 0.1}


def record(not_worse: dict[str, float]) -> StudyRecord:
    window = Window(1, "confirm", {0: 0.5, 1: 0.5}, {0: 1, 1: 2}, 4_000, 4_000)
    objectives = (Objective("kind", weight=0.0),)
    of = Study("tune", "shop", "quality", not_worse=not_worse, objectives=objectives)
    assert of.faults() == []
    return StudyRecord(of, StudyState.RUNNING, "", (Trial(0, 1, {}), Trial(1, 2, {})), windows=(window,))


def units(slower: float, *, many: int = 1_400, seed: int = 1, later: float = 1.0, kind: float = 0.5) -> list[Counted]:
    """Half of them the candidate's, who is slower by a factor; from the middle on everything is, by another one."""
    rng, found = random.Random(seed), []
    for number in range(many):
        trial = int(rng.random() < 0.5)
        seconds = rng.lognormvariate(0, 0.5) * (slower if trial else 1) * (later if number > many / 2 else 1)
        values = {"latency": seconds, "kind": float(rng.random() < (kind if trial else 0.5))}
        found.append(Counted(1, trial, Unit(trial > 0, 0.5, 1.0, {}, values=values)))
    return found


def kept(not_worse: dict[str, float], counted: Sequence[Counted]) -> Kept:
    test = Confirmation("", 0.05, 1_000, scored=(50, 50))
    return kept_by(record(not_worse), {1: test}, {1: frozenset({1})}, counted)[1][0]


def harm(not_worse: dict[str, float], counted: Sequence[Counted]) -> str:
    of = record(not_worse)
    guard = BoundGuard(of.study)
    guard.take(of, counted[:200])
    guard.take(of, counted)
    return guard.harm(1)


def test_who_is_as_fast_is_shown_to_keep_it_whatever_happens_to_all() -> None:
    for later in (1.0, 3.0):
        counted = units(1.0, later=later)
        assert kept(P95, counted).shown
        assert "latency.p95 higher by 10% at most: shown, e-value " in kept(P95, counted).words()
        assert harm(P95, counted) == ""
    assert not kept(P95, units(1.0, many=100)).shown  # luck is no evidence


def test_who_is_slower_by_more_is_stopped_and_never_shown_to_keep_it() -> None:
    counted = units(1.5)
    assert not kept(P95, counted).shown
    assert harm(P95, counted).startswith("latency.p95 may be higher by 10% at most and is worse than that: e-value ")
    assert not kept({"latency": 0.1}, units(1.3)).shown
    assert harm({"latency": 0.5}, units(1.3)) == ""


def test_the_mean_of_a_feedback_may_be_lower_by_a_part_of_its_range() -> None:
    assert kept({"kind": 0.2}, units(1.0)).shown
    worse = units(1.0, kind=0.2)
    assert not kept({"kind": 0.1}, worse).shown
    assert "kind may be worse by 0.1 of its range at most" in harm({"kind": 0.1}, worse)
    assert kept({"quality": 0.1}, worse).shown  # all have the same


def test_who_says_nothing_is_not_shown_to_keep_it() -> None:
    silent = kept({"tokens": 0.1}, units(1.0, many=300))
    assert silent.words() == "tokens higher by 10% at most: not shown, no fresh unit says it"
    assert silent.more == float("inf")
    assert replace(silent, came=10).more == 0.0


def test_failing_fast_and_coming_twice_are_no_speed() -> None:
    failed = [
        Counted(1, one.trial, replace(one.unit, outcome=None, signals={Signal.ERROR: True})) for one in units(0.1)
    ]
    assert kept(P95, failed).test.units == 0
    assert kept(P95, [replace(one, late=True) for one in units(1.0)]).test.units == 0


def test_what_is_usual_goes_with_the_last_units() -> None:
    usual = Usual(0.95)
    for value in range(19):
        usual.add(float(value))
    assert usual.value() is None
    for value in range(19, 100):
        usual.add(float(value))
    assert usual.value() == 94.0
    for _ in range(1_000):
        usual.add(7.0)
    assert usual.value() == 7.0


class Waiting(Users):
    """Users who wait: with a value of 1 half as long again."""

    def next(self, value: int, *, in_arm: bool, share: float) -> Unit:
        unit = super().next(value, in_arm=in_arm, share=share)
        seconds = self.rng.lognormvariate(0, 0.3) * (1.5 if value == 1 else 0.8 if value == 2 else 1.0)
        return replace(unit, values={"latency": seconds})


async def test_the_best_one_is_stopped_where_it_is_slow_and_the_next_one_is_released() -> None:
    users = Waiting({0: 0.4, 1: 0.95, 2: 0.8})
    found = await studied(users, study(not_worse=P95, selection=Selection(units=2_000)))
    assert found.trials[1].fate is Fate.BROKEN
    assert "latency.p95 may be higher by 10% at most" in found.trials[1].why
    winner = found.winner()
    assert winner is not None
    assert winner.number == 2
    assert winner.found is not None
    assert "shown" in winner.found.kept["latency.p95"]


async def test_who_is_better_and_not_shown_to_keep_a_bound_is_not_released() -> None:
    users = Users({0: 0.4, 1: 0.9})
    found = await studied(users, study(not_worse={"tokens": 0.1}, selection=Selection(units=1_000)))
    assert found.winner() is None
    assert found.trials[1].fate is Fate.UNCONFIRMED
    assert "tokens higher by 10% at most: not shown, no fresh unit says it" in found.trials[1].why


def test_quantiles_parts_and_names_are_read() -> None:
    bounds = bounds_of({"latency.p95": 0.1, "cost": 0.2, "kind": 0.02})
    assert [(one.of, one.quantile, one.part) for one in bounds] == [
        ("latency", 0.95, 0.1), ("cost", 0.5, 0.2), ("kind", None, 0.02),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"not_worse": {"latency.p100": 0.1}}, "not_worse: 'latency.p100': found the quantile 'p100'"),
        ({"not_worse": {"latency.p95": 0.0}}, "not_worse: 'latency.p95': found 0, allowed is above 0 and up to 10"),
        ({"not_worse": {"speed": 0.1}}, "not_worse: found 'speed', allowed are latency, tokens, cost, with .p50 to"),
        ({"not_worse": {"quality": 1.0}}, "not_worse: 'quality': found 1, allowed is above 0 and below 1"),
        ({"not_worse": {"cost": float("nan")}}, "not_worse: 'cost': found nan"),
        ({"objectives": (Objective(""),)}, "objectives: found one without a name"),
        ({"objectives": (Objective("quality"),)}, "objectives: 'quality' is the metric already"),
        ({"objectives": (Objective("kind"), Objective("kind"))}, "objectives: 'kind' stands there twice"),
        ({"objectives": (Objective("cost", Direction.MAXIMIZE),)}, "objectives: 'cost': found maximize"),
        ({"objectives": (Objective("kind", highest=0.0),)}, "objectives: 'kind': found the range 0 to 0"),
        ({"objectives": (Objective("kind", weight=-1.0),)}, "objectives: 'kind': found the weight -1"),
        ({"objectives": (Objective("kind"),) * 9}, "objectives: found 9, allowed are 8 at most"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(more: dict[str, object], said: str) -> None:
    faults = study(**more).faults()
    assert len(faults) == 1
    assert faults[0].startswith(said)
