"""Studies on every ledger: their history comes back, and each change is conditional."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.core.errors import AlreadyExists, Conflict
from collector.core.ledger import Ledger
from collector.core.release import ReleaseDraft
from collector.core.study import Cost, Direction, Exploration, Proposal, Reach, RejectedProposal, Study, StudyState
from collector.counters import Counters
from collector.publisher.desk import Desk
from collector.publisher.hub import AssignmentHub
from collector.study.studies import Studies
from tests.clocks import TickingClock
from tests.contract.ledgers import LEDGERS

STUDY = Study(
    "s", "shop", "q", Direction.MINIMIZE, "search", {"x": [1, "a"]}, ("a",), 3, 4, 5, {"split": "train"}, "words",
    Reach.SESSION, exploration=Exploration(share=1.0),
)  # fmt: skip
DRAFT = ReleaseDraft("shop", {"a": 2, "b": "x"}, "r")


@dataclass
class Office:
    ledger: Ledger
    desk: Desk
    studies: Studies

    def again(self) -> Studies:
        """Another reader of the same ledger, as after a restart."""
        return Studies(self.ledger, self.desk)


@pytest.fixture(params=sorted(LEDGERS))
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    async with LEDGERS[request.param](tmp_path, TickingClock()) as ledger:
        desk = Desk(ledger, AssignmentHub(), Counters())
        yield Office(ledger, desk, Studies(ledger, desk))


async def test_a_study_and_its_history_come_back(office: Office) -> None:
    studies = office.studies
    assert (await studies.create(STUDY, "me")).study == STUDY
    proposal = Proposal({"a": 2}, "because", Cost(1, 2, 3, 0.5))
    release = await studies.open_trial("s", proposal, DRAFT, ["a"])
    await studies.reject("s", RejectedProposal(proposal, ("wrong",), 1))
    for reader in (studies, office.again()):
        record = await reader.study("s")
        assert record is not None
        assert record.study == STUDY
        (trial,) = record.trials
        assert (trial.number, trial.release, trial.values) == (0, release.number, {"a": 2})
        assert (trial.reasoning, trial.cost, trial.score) == ("because", Cost(1, 2, 3, 0.5), None)
        assert record.rejected == (RejectedProposal(proposal, ("wrong",), 1),)
    await studies.complete_trial("s", 0, 0.25, 3)
    await studies.complete_trial("s", 0, 0.99, 9)
    for reader in (studies, office.again()):
        record = await reader.study("s")
        assert record is not None
        assert (record.trials[0].score, record.trials[0].feedback_count) == (0.25, 3)
    assert await studies.study("none") is None


async def test_a_name_is_given_once_and_a_service_has_one_running_study(office: Office) -> None:
    await office.studies.create(STUDY, "me")
    other = Study("other", "shop", "q")
    with pytest.raises(Conflict, match="study 's' of service 'shop' is running; stop it first"):
        await office.studies.create(other, "me")
    await office.studies.create(Study("elsewhere", "qa", "q"), "me")
    await office.studies.conclude("s", StudyState.STOPPED, "enough")
    with pytest.raises(AlreadyExists, match="'s'"):
        await office.studies.create(STUDY, "me")
    await office.studies.create(other, "me")
    assert [record.study.name for record in await office.studies.all()] == ["s", "elsewhere", "other"]
    assert list(await office.studies.all_running()) == ["elsewhere", "other"]
    assert list(await office.again().all_running()) == ["elsewhere", "other"]


async def test_one_trial_at_a_time_and_only_while_the_study_runs(office: Office) -> None:
    studies = office.studies
    await studies.create(STUDY, "me")
    await studies.open_trial("s", Proposal({}), DRAFT, ["a"])
    with pytest.raises(Conflict):
        await studies.open_trial("s", Proposal({}), DRAFT, ["a"])
    await studies.complete_trial("s", 0, 1.0, 1)
    assert await studies.conclude("s", StudyState.STOPPED, "enough") is None
    with pytest.raises(Conflict):
        await studies.open_trial("s", Proposal({}), DRAFT, ["a"])
    assert len(await office.desk.releases()) == 1


async def test_a_study_ends_once_together_with_its_release(office: Office) -> None:
    studies = office.studies
    await studies.create(STUDY, "me")
    release = await studies.conclude("s", StudyState.FINISHED, "done", DRAFT)
    assert release is not None
    assert await office.desk.control("shop") == release
    assert await studies.conclude("s", StudyState.FAILED, "late", DRAFT) is None
    record = await studies.study("s")
    assert record is not None
    assert (record.state, record.message) == (StudyState.FINISHED, "done")
    assert await studies.conclude("none", StudyState.STOPPED, "", DRAFT) is None
    assert len(await office.desk.releases()) == 1


async def test_the_ledger_names_the_study_for_what_it_does_by_itself(office: Office) -> None:
    await office.studies.create(STUDY, "token:ops")
    await office.studies.open_trial("s", Proposal({}), DRAFT, ["a"])
    actors = {one.kind: one.actor for one in await office.ledger.history(subject="shop")}
    assert actors == {
        "study_created": "token:ops",
        "study_began": "token:ops",
        "released": "study:s",
        "assigned": "study:s",
        "trial_opened": "study:s",
    }
