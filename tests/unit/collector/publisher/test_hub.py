"""Watchers of assignments."""

import asyncio

import pytest

from collector.publisher.hub import AssignmentHub
from otel_opto.assignment import Assignment


def assignment(revision: int, service: str = "shop") -> Assignment:
    return Assignment(service, revision, control=1)


async def test_a_watcher_gets_what_is_published_for_its_service() -> None:
    hub = AssignmentHub()
    with hub.watch("shop") as assignments:
        hub.publish(assignment(1, "other"))
        hub.publish(assignment(2))
        assert (await anext(assignments)).revision == 2


async def test_a_slow_watcher_misses_intermediate_ones_and_never_the_last() -> None:
    hub = AssignmentHub()
    with hub.watch("shop") as assignments:
        for number in range(1, 101):
            hub.publish(assignment(number))
        assert (await anext(assignments)).revision == 100
        waiting = asyncio.ensure_future(anext(assignments))
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.publish(assignment(101))
        assert (await waiting).revision == 101


async def test_an_assignment_published_again_is_nothing_new() -> None:
    hub = AssignmentHub()
    with hub.watch("shop") as assignments:
        hub.publish(assignment(5))
        assert (await anext(assignments)).revision == 5
        hub.publish(assignment(5))
        hub.publish(assignment(4))
        hub.publish(assignment(6))
        assert (await anext(assignments)).revision == 6


async def test_a_watch_that_ends_leaves_nothing_behind() -> None:
    hub = AssignmentHub()
    with hub.watch("shop"):
        assert hub.watchers("shop") == 1
    assert hub.watchers("shop") == 0


async def test_closing_ends_every_watch() -> None:
    hub = AssignmentHub()
    with hub.watch("shop") as assignments:
        waiting = asyncio.ensure_future(anext(assignments))
        await asyncio.sleep(0)
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_who_comes_later_gets_the_newest_first() -> None:
    hub = AssignmentHub()
    hub.publish(assignment(3))
    hub.publish(assignment(2))
    with hub.watch("shop") as assignments:
        assert (await anext(assignments)).revision == 3
