"""The conformance battery of `UnitStore`, on every implementation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.core.rollout import Signal
from collector.core.units import Entry, OpenUnit, Unit, UnitStore
from collector.storage.database import Database
from collector.storage.memory.units import MemoryUnits
from collector.storage.tables.units import TableUnits
from tests import samples


@pytest.fixture(params=["memory", "table"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UnitStore]:
    if request.param == "memory":
        yield MemoryUnits()
        return
    database = Database(tmp_path, 2**20)
    await database.start()
    yield TableUnits(database)
    await database.stop()


def entry(trace: int, unit: str, *, in_arm: bool = True, share: float = 0.25, time: int = 0) -> Entry:
    return Entry(samples.trace_id(trace), unit, in_arm, share, time or trace)


UNIT = Unit(
    in_arm=True,
    share=0.25,
    outcome=0.5,
    signals={Signal.ERROR: True, Signal.SILENT: False},
    clipped=1,
    values={"cost": 0.5},
)


async def test_units_are_due_by_their_first_trace_with_all_their_traces(store: UnitStore) -> None:
    entries = [entry(3, "ann"), entry(1, "bob"), entry(2, "ann"), entry(9, "late")]
    await store.enter("r", entries, 70)
    await store.enter("other", [entry(1, "eve")], 5)
    assert await store.due("r", 9, 10) == [
        OpenUnit("bob", True, 0.25, (samples.trace_id(1),)),
        OpenUnit("ann", True, 0.25, (samples.trace_id(2), samples.trace_id(3))),
    ]
    assert [one.unit for one in await store.due("r", 100, 1)] == ["bob"]
    assert (await store.position("r"), await store.position("other"), await store.position("x")) == (70, 5, None)


async def test_a_trace_that_is_known_stays_as_it_is(store: UnitStore) -> None:
    await store.enter("r", [entry(1, "ann", share=0.25)], 1)
    await store.enter("r", [entry(1, "bob", share=0.5)], 2)
    assert await store.due("r", 100, 10) == [OpenUnit("ann", True, 0.25, (samples.trace_id(1),))]


async def test_who_changes_to_the_arm_is_two_units(store: UnitStore) -> None:
    await store.enter("r", [entry(1, "ann", in_arm=False), entry(2, "ann", in_arm=True, share=0.5)], 1)
    assert [(one.in_arm, one.share) for one in await store.due("r", 100, 10)] == [(False, 0.25), (True, 0.5)]


async def test_a_judged_unit_is_closed_for_good_and_comes_back_in_its_place(store: UnitStore) -> None:
    await store.enter("r", [entry(1, "ann"), entry(2, "bob", in_arm=False)], 1)
    ann, bob = await store.due("r", 100, 10)
    await store.judge("r", [(bob, None), (ann, UNIT)])
    await store.judge("r", [(ann, None)])
    await store.enter("r", [entry(3, "ann")], 2)
    assert list(await store.due("r", 100, 10)) == []
    places = await store.judged("r")
    assert [unit for _, unit in places] == [None, UNIT]
    assert [unit for _, unit in await store.judged("r", places[0][0])] == [UNIT]
    assert [unit for _, unit in await store.judged("r", limit=1)] == [None]
    assert list(await store.judged("other")) == []
