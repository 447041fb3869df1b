"""Several objectives: each unit's weighted mean decides, and every objective is known by itself."""

from dataclasses import replace

import pytest

from benchmarks.selection.town import Users, studied, study
from collector.api import trees
from collector.api.messages import study_from_proto, study_to_proto
from collector.api.study_documents import study_document
from collector.core.candidate import Fate, Found, Selection
from collector.core.front import front_of
from collector.core.objective import Objective
from collector.core.record import tree_of
from collector.core.rollout import Metric, Signal
from collector.core.study import Direction, StudyRecord, StudyState, Trial
from collector.core.units import Unit
from collector.study.window.objective import outcome_of
from collector.study.window.plans import beside
from otel_opto.v1 import study_pb2

COST = Objective("cost", highest=10.0)
KIND = Objective("kind", weight=0.5)


class Paying(Users):
    """A better answer costs more: 8 where x is 1, 2 where it is 2, else 4."""

    def next(self, value: int, *, in_arm: bool, share: float) -> Unit:
        unit = super().next(value, in_arm=in_arm, share=share)
        return replace(unit, values={"cost": {1: 8.0, 2: 2.0}.get(value, 4.0) + self.rng.random()})


async def test_the_weighted_mean_picks_and_the_front_is_shown() -> None:
    users = Paying({0: 0.5, 1: 0.85, 2: 0.8, 3: 0.3})
    of = study(objectives=(replace(COST, weight=2.0),), selection=Selection(units=2_000))
    record = await studied(users, of)
    winner = record.winner()
    assert winner is not None
    assert winner.number == 2
    document = study_document(record)
    front = document["front"]
    assert isinstance(front, dict)
    assert front["trials"] == [1, 2]  # 1 is better, 2 is cheaper; what was in force is neither
    assert "quality 1, cost 2" in front["rule"]
    assert winner.found is not None
    assert winner.found.objectives["cost"] == pytest.approx(2.5, abs=0.3)
    assert winner.found.objectives["quality"] == pytest.approx(0.8, abs=0.15)
    assert winner.found.deviations.keys() == {"quality", "cost"}


def test_a_unit_counts_by_the_weighted_mean_of_what_is_known_of_it() -> None:
    of = study(objectives=(COST, KIND))
    whole = Unit(True, 0.5, 0.9, {}, values={"cost": 4.0, "kind": 0.2})
    assert outcome_of(of, whole) == pytest.approx((0.9 + 0.6 + 0.5 * 0.2) / 2.5)
    assert outcome_of(of, replace(whole, values={"cost": 40.0})) == pytest.approx(0.45)
    assert outcome_of(of, replace(whole, outcome=None)) is None
    assert outcome_of(study(objectives=(replace(KIND, weight=0.0),)), whole) == pytest.approx(0.9)


def test_only_what_a_study_needs_is_asked_for() -> None:
    of = study(objectives=(COST, KIND), not_worse={"latency.p95": 0.1}, labels={"good": 1.0})
    kind = Metric("kind", labels={"good": 1.0})
    assert list(beside(of)) == [Signal.LATENCY, Signal.COST, kind]
    assert list(beside(study())) == []


def test_on_the_front_is_whom_no_other_is_better_than_in_all() -> None:
    objectives = (Objective("quality"), Objective("cost", highest=9.0))

    def trial(number: int, quality: float, cost: float, fate: Fate = Fate.OPEN) -> Trial:
        found = Found(number, 10, objectives={"quality": quality, "cost": cost})
        return Trial(number, number, {}, fate=fate, found=found)

    trials = [
        trial(0, 0.5, 5.0), trial(1, 0.6, 6.0), trial(2, 0.5, 6.0), trial(3, 0.9, 1.0, Fate.BROKEN), trial(4, 0.6, 6.0),
        Trial(5, 5, {}), replace(trial(6, 0.0, 0.0), found=Found(6, 10, objectives={"quality": 1.0})),
    ]  # fmt: skip
    assert [one.number for one in front_of(trials, objectives)] == [0, 1, 4]
    turned = (Objective("quality", Direction.MINIMIZE), objectives[1])
    assert [one.number for one in front_of(trials, turned)] == [0]


def test_what_a_study_says_of_itself_is_its_message_too() -> None:
    of = study(objectives=(COST, replace(KIND, direction=Direction.MINIMIZE)), not_worse={"latency.p95": 0.1})
    assert study_from_proto(trees.message_of(study_pb2.Study, tree_of(of))) == of
    found = Found(1, 10, objectives={"quality": 0.5, "cost": 2.0, "kind": 0.1}, kept={"latency.p95": "shown"})
    record = StudyRecord(of, StudyState.RUNNING, "", (Trial(0, 1, {}), Trial(1, 2, {}, found=found)))
    message = study_to_proto(record, record.trials)
    assert list(message.front) == [1]
    assert message.trials[1].objectives["cost"] == 2.0
    assert message.trials[1].kept == {"latency.p95": "shown"}


def test_a_study_with_its_metric_alone_has_no_front() -> None:
    record = StudyRecord(study(), StudyState.RUNNING, "", (Trial(0, 1, {}),))
    assert study_document(record)["front"] is None
    assert list(study_to_proto(record, record.trials).front) == []
