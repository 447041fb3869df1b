"""Events of the ledger that are not what was written: what they are about is lost, everything else is there."""

import logging

import pytest

from collector.core.errors import Damaged
from collector.core.ledger import Change, Event
from collector.core.release import ReleaseDraft
from collector.core.study import Study
from collector.counters import Counters
from collector.publisher.desk import Desk
from collector.publisher.hub import AssignmentHub
from collector.storage.memory.ledger import MemoryLedger
from collector.study.studies import Studies
from tests.clocks import TickingClock

BROKEN = Event("study_created", {"namf": "tune"}, "shop")


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(TickingClock())


@pytest.fixture
def desk(ledger: MemoryLedger) -> Desk:
    return Desk(ledger, AssignmentHub(), Counters())


async def test_a_damaged_study_hides_no_other_and_is_said_once(
    ledger: MemoryLedger, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    studies = Studies(ledger, desk)
    await studies.create(Study(name="whole", service="shop", metric="quality"), "tests")
    await ledger.append([Change("study/broken", 0, (BROKEN,))], "tests")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert [record.study.name for record in await studies.all()] == ["whole"]
            assert await studies.all_running() == ["whole"]
    assert caplog.text.count("study/broken") == 1
    with pytest.raises(Damaged, match="study/broken"):
        await studies.study("broken")


async def test_a_damaged_release_hides_no_other_and_is_never_another_one(ledger: MemoryLedger, desk: Desk) -> None:
    first = await desk.publish(ReleaseDraft("shop", {"k": 1}, "first"), "tests")
    await ledger.append([Change("releases", 1, (Event("released", {"parent": 1, "contenu": {}}, "shop"),))], "tests")
    third = await desk.publish(ReleaseDraft("shop", {"k": 3}, "third"), "tests")
    assert [release.number for release in await desk.releases("shop")] == [third.number, first.number]
    with pytest.raises(Damaged, match="releases, 2"):
        await desk.release(2)
    assert third.number == 3
