"""Studies on every ledger: their history comes back, and each change is conditional."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from collector.core.candidate import Fate, Found, Repeat, Window
from collector.core.errors import AlreadyExists, Conflict
from collector.core.ledger import Ledger
from collector.core.release import ReleaseDraft
from collector.core.study import Cost, Direction, Exploration, Proposal, Reach, RejectedProposal, Study, StudyState
from collector.counters import Counters
from collector.publisher.desk import Desk, whole
from collector.publisher.hub import AssignmentHub
from collector.study.studies import Studies
from otel_opto.assignment import Arm
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
    assert await studies.study("none") is None


async def test_windows_and_fates_come_back(office: Office) -> None:
    studies = office.studies
    await studies.create(STUDY, "me")
    await studies.open_trial("s", Proposal({}, "the baseline"), DRAFT, ["a"], whole)
    release = await studies.open_trial("s", Proposal({"a": 3}), replace(DRAFT, values={"a": 3, "b": "x"}), ["a"])
    in_force = await office.desk.assignment("shop")
    assert in_force is not None
    assert (in_force.control, in_force.arms) == (1, ())
    window = Window(1, "look", {0: 0.6, 1: 0.4}, {0: 1, 1: release.number}, 50, 20, looking=1_650)
    arm = Arm(release.number, 6_000, 4_000)
    await studies.open_window("s", window, lambda now: replace(now, arms=(arm,)), {}, 1_650)
    await studies.repeat("s", Repeat(1, "once more"))
    record = await studies.study("s")
    assert record is not None
    found = Found(1, 20, 1, 0.1, 0.02, 0.6, 0.5, (0.1, 0.05, 0.15), 40)
    await studies.close_window(record, "enough", [found], "so far", {1: (Fate.BROKEN, "it does harm")})
    in_force = await office.desk.assignment("shop")
    assert in_force is not None
    assert in_force.arms == ()
    await studies.exhaust("s", "no more")
    for reader in (studies, office.again()):
        record = await reader.study("s")
        assert record is not None
        (kept,) = record.windows
        assert kept == replace(window, revision=2, opened_unix_nano=kept.opened_unix_nano, closed="enough")
        trial = record.trials[1]
        assert (trial.fate, trial.why, trial.given_up) == (Fate.BROKEN, "it does harm", "it does harm")
        assert (trial.found, trial.score, trial.control_score, trial.feedback_count) == (found, 0.6, 0.5, 20)
        assert (record.repeats, record.looking) == ((Repeat(1, "once more"),), 1_650)
        assert (record.standing, record.exhausted) == ("so far", "no more")


async def test_studies_without_a_common_parameter_run_side_by_side(office: Office) -> None:
    await office.studies.create(replace(STUDY, parameters=("a", "b")), "me")
    with pytest.raises(Conflict, match="study 's' of service 'shop' is running and has b; stop it first"):
        await office.studies.create(replace(STUDY, name="t", parameters=("b", "c")), "me")
    await office.studies.create(replace(STUDY, name="t", parameters=("c",)), "me")
    assert list(await office.studies.running("shop")) == ["s", "t"]


async def test_a_name_is_given_once_and_a_parameter_has_one_running_study(office: Office) -> None:
    await office.studies.create(STUDY, "me")
    other = Study("other", "shop", "q")
    with pytest.raises(
        Conflict, match="study 's' of service 'shop' is running and has some of every trainable parameter"
    ):
        await office.studies.create(other, "me")
    await office.studies.create(Study("elsewhere", "qa", "q"), "me")
    await office.studies.conclude("s", StudyState.STOPPED, "enough")
    with pytest.raises(AlreadyExists, match="'s'"):
        await office.studies.create(STUDY, "me")
    await office.studies.create(other, "me")
    assert [record.study.name for record in await office.studies.all()] == ["s", "elsewhere", "other"]
    assert list(await office.studies.all_running()) == ["elsewhere", "other"]
    assert list(await office.again().all_running()) == ["elsewhere", "other"]


async def test_a_trial_begins_for_nobody_and_only_while_the_study_runs(office: Office) -> None:
    studies = office.studies
    await studies.create(STUDY, "me")
    await studies.open_trial("s", Proposal({}), DRAFT, ["a"])
    await studies.open_trial("s", Proposal({}), DRAFT, ["a"])
    in_force = await office.desk.assignment("shop")
    assert in_force is not None
    assert (in_force.control, in_force.arms) == (1, ())  # the first release of a service is for everybody
    assert await studies.conclude("s", StudyState.STOPPED, "enough") is None
    with pytest.raises(Conflict):
        await studies.open_trial("s", Proposal({}), DRAFT, ["a"])
    assert len(await office.desk.releases()) == 2


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
