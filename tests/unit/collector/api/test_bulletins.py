"""What watchers are told: made once for all of them."""

import asyncio
from collections import Counter as Tally
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import pytest

from collector.api.bulletins import Bulletins
from collector.core.errors import Unavailable
from collector.core.ledger import Change, Recorded
from collector.core.release import ReleaseDraft
from collector.counters import Counters
from collector.publisher.desk import Desk, aside
from collector.publisher.hub import AssignmentHub
from collector.storage.memory.ledger import MemoryLedger
from otel_opto.assignment import Arm, Layer
from otel_opto.v1 import release_pb2
from tests.clocks import TickingClock


class CountedLedger(MemoryLedger):
    """Says which streams were looked at, each look taking its time; fails where it is told to."""

    def __init__(self) -> None:
        super().__init__(TickingClock())
        self.looks: Tally[str] = Tally()
        self.failures = 0

    async def read(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        self.looks[stream] += 1
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise Unavailable("the disk is away")
        return await super().read(stream, after_version)

    async def event(self, stream: str, version: int) -> Recorded | None:
        self.looks[stream] += 1
        return await super().event(stream, version)

    async def append(self, changes: Sequence[Change], actor: str) -> Sequence[Recorded]:
        await asyncio.sleep(0)
        return await super().append(changes, actor)


class CountedDesk(Desk):
    """Says for how many releases in messages it was asked."""

    told = 0

    async def envelope(self, number: int) -> str:
        self.told += 1
        return await super().envelope(number)


@dataclass
class Place:
    ledger: CountedLedger
    hub: AssignmentHub
    desk: CountedDesk
    bulletins: Bulletins

    def watch(self, service: str = "shop", control: int = 0, revision: int = 0) -> AsyncIterator[bytes]:
        return self.bulletins.watch(service, control, revision)

    async def publish(self, value: float | str) -> int:
        return (await self.desk.publish(ReleaseDraft("shop", {"k": value}, "r"), "me")).number

    def again(self) -> "Place":
        """After a restart."""
        return place(self.ledger)


def place(ledger: CountedLedger) -> Place:
    hub = AssignmentHub()
    desk = CountedDesk(ledger, hub, Counters())
    return Place(ledger, hub, desk, Bulletins(desk, hub))


@pytest.fixture
def here() -> Place:
    return place(CountedLedger())


def read(message: bytes) -> release_pb2.WatchReleasesResponse:
    return release_pb2.WatchReleasesResponse.FromString(message)


async def test_two_hundred_watchers_get_the_very_same_bytes_for_no_look_at_the_ledger(here: Place) -> None:
    await here.publish(1)
    watches = [here.watch() for _ in range(200)]
    await asyncio.gather(*map(anext, watches))
    waiting = [asyncio.ensure_future(anext(watch)) for watch in watches]
    await asyncio.sleep(0)
    number = await here.publish(2)
    here.ledger.looks.clear()
    messages = await asyncio.gather(*waiting)
    assert len({id(message) for message in messages}) == 1
    assert read(messages[0]).release.number == number
    assert not here.ledger.looks


async def test_all_who_come_back_after_a_restart_cost_one_look(here: Place) -> None:
    await here.publish(1)
    back = here.again()
    here.ledger.looks.clear()
    messages = await asyncio.gather(*(anext(back.watch()) for _ in range(500)))
    assert len({id(message) for message in messages}) == 1
    assert set(here.ledger.looks.values()) == {1}


async def test_who_has_what_is_in_force_is_told_of_the_next_only(here: Place) -> None:
    first = await here.publish(1)
    waiting = asyncio.ensure_future(anext(here.again().watch(control=first, revision=1)))
    watch = here.watch(control=first, revision=1)
    told = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert not told.done()
    waiting.cancel()
    second = await here.publish(2)
    assert read(await told).release.number == second


async def test_a_signature_that_comes_later_is_in_the_next_message(here: Place) -> None:
    number = await here.publish(1)
    early = here.watch()
    assert read(await anext(early)).release.envelope == b""
    await here.desk.sign(number, "{signed}", "me")
    assert read(await anext(here.watch())).release.envelope == b"{signed}"
    await here.desk.sign(number, "{again}", "me")
    assert read(await anext(here.watch())).release.envelope == b"{again}"
    assert read(await anext(here.again().watch())).release.envelope == b"{again}"


async def test_a_signature_that_comes_while_the_message_is_made_is_not_forgotten(here: Place) -> None:
    number = await here.publish(1)
    back = here.again()
    making = asyncio.ensure_future(anext(back.watch()))
    while not here.ledger.looks[f"signature/{number}"]:
        await asyncio.sleep(0)
    await asyncio.gather(back.desk.sign(number, "{signed}", "me"), making)
    assert read(await anext(back.watch())).release.envelope == b"{signed}"


async def test_for_a_watcher_that_does_not_read_nothing_is_made(here: Place) -> None:
    await here.publish("first")
    watch = here.watch()
    await anext(watch)
    for number in range(300):
        await here.publish(f"{number}")
    assert here.desk.told == 1
    assert read(await anext(watch)).release.values[0].value.text == "299"
    assert here.desk.told == 2
    waiting = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    waiting.cancel()


async def test_a_look_that_fails_is_taken_again_for_who_comes_next(here: Place) -> None:
    number = await here.publish(1)
    back = here.again()
    here.ledger.failures = 1
    with pytest.raises(Unavailable):
        await anext(back.watch())
    assert read(await anext(back.watch())).release.number == number


async def test_a_watcher_that_goes_away_takes_the_message_from_nobody(here: Place) -> None:
    number = await here.publish(1)
    back = here.again()
    gone, stays = (asyncio.ensure_future(anext(back.watch())) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert read(await stays).release.number == number


async def test_services_without_a_release_leave_nothing_behind_and_miss_nothing(here: Place) -> None:
    waiting = [asyncio.ensure_future(anext(here.watch(name))) for name in ("shop", "nobody")]
    await asyncio.sleep(0.01)
    number = await here.publish(1)
    assert read(await waiting[0]).release.number == number
    assert not waiting[1].done()
    waiting[1].cancel()
    late = asyncio.ensure_future(anext(here.watch("nobody")))
    await asyncio.sleep(0.01)
    late.cancel()
    assert here.ledger.looks["assignment/nobody"] == 2


async def test_an_sdk_that_holds_the_last_32_releases_holds_the_control_beside_more_of_them() -> None:
    """One from before layers gives everybody the control, and the code's own values where it holds none."""
    here = place(CountedLedger())
    control = await here.publish(1)
    numbers = [
        (await here.desk.publish(ReleaseDraft("shop", {"k": value}, "r"), "me", aside)).number for value in range(2, 42)
    ]
    arms = tuple(Arm(number, 100 * number, 100) for number in numbers)
    await here.desk.reassign("shop", lambda now: replace(now, layers=(Layer("s", "", arms),)), "r", "me")
    told = release_pb2.WatchReleasesResponse.FromString(await anext(here.watch()))
    assert told.release.number == control
    assert {one.number for one in told.arms} >= {*numbers}
    assert control in [one.number for one in (told.release, *told.arms)][-32:]
