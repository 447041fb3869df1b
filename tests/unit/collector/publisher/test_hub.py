"""Watchers of releases."""

import asyncio

import pytest

from collector.core.release import Release
from collector.publisher.hub import ReleaseHub


def release(number: int, service: str = "shop") -> Release:
    return Release(number, service, {}, None, 0, "test")


async def test_a_watcher_gets_what_is_published_for_its_service() -> None:
    hub = ReleaseHub()
    with hub.watch("shop") as releases:
        hub.publish(release(1, "other"))
        hub.publish(release(2))
        assert (await anext(releases)).number == 2


async def test_a_slow_watcher_misses_intermediate_releases_and_never_the_last() -> None:
    hub = ReleaseHub()
    with hub.watch("shop") as releases:
        for number in range(1, 101):
            hub.publish(release(number))
        assert (await anext(releases)).number == 100
        waiting = asyncio.ensure_future(anext(releases))
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.publish(release(101))
        assert (await waiting).number == 101


async def test_a_release_published_again_is_nothing_new() -> None:
    hub = ReleaseHub()
    with hub.watch("shop") as releases:
        hub.publish(release(5))
        assert (await anext(releases)).number == 5
        hub.publish(release(5))
        hub.publish(release(4))
        hub.publish(release(6))
        assert (await anext(releases)).number == 6


async def test_a_watch_that_ends_leaves_nothing_behind() -> None:
    hub = ReleaseHub()
    with hub.watch("shop"):
        assert hub.watchers("shop") == 1
    assert hub.watchers("shop") == 0


async def test_closing_ends_every_watch() -> None:
    hub = ReleaseHub()
    with hub.watch("shop") as releases:
        waiting = asyncio.ensure_future(anext(releases))
        await asyncio.sleep(0)
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
