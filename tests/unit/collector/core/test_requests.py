"""Requests that are done once, on every ledger."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.core.errors import Conflict, InvalidRequest
from collector.core.ledger import Change, Event, Ledger
from collector.core.requests import Asked, Caller, Requests
from tests.clocks import TickingClock
from tests.contract.ledgers import LEDGERS

ANN = Caller("token:ann", request_id="r-1")
COUNT = Asked("count", {"by": 1}, "counter")


class Office:
    """Somebody counts in a stream of the ledger; what is counted is its version."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.requests = Requests(ledger)
        self.done = 0

    async def count(self, caller: Caller, asked: Asked = COUNT, kinds: tuple[str, ...] = ("counted",)) -> str:
        async def do() -> str:
            self.done += 1
            for kind in kinds:
                version = (await self.requests.streams("counter")).get("counter", 0)
                await self.requests.append([Change("counter", version, (Event(kind, {}, "shop"),))], caller.actor)
            return f"at {version + 1}" if kinds else "nothing to do"

        async def again(version: int) -> str:
            return f"at {version}"

        return await self.requests.once(caller, asked, do, again)

    async def counted(self) -> int:
        return len(await self.ledger.read("counter"))


@pytest.fixture(params=sorted(LEDGERS))
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    async with LEDGERS[request.param](tmp_path, TickingClock()) as ledger:
        yield Office(ledger)


async def test_a_second_try_gets_the_first_answer_whatever_happened_since(office: Office) -> None:
    assert await office.count(ANN) == "at 1"
    assert await office.count(Caller("token:ann")) == "at 2"
    assert await office.count(ANN) == await Office(office.ledger).count(ANN) == "at 1"
    assert (await office.counted(), office.done) == (2, 2)


async def test_the_request_stands_beside_what_it_changed(office: Office) -> None:
    await office.count(ANN)
    newest, before = await office.ledger.history(limit=2)
    assert (newest.stream, newest.kind, newest.actor) == ("request/token:ann/r-1", "request_done", "token:ann")
    assert (newest.subject, newest.data["operation"], newest.data["version"]) == ("shop", "count", 1)
    assert (newest.time_unix_nano, newest.sequence) == (before.time_unix_nano, before.sequence + 1)


async def test_an_id_stands_for_one_request_of_one_caller(office: Office) -> None:
    await office.count(ANN)
    for asked in (Asked("count", {"by": 2}, "counter"), Asked("reset", {"by": 1}, "counter")):
        with pytest.raises(Conflict, match="count was done under it"):
            await office.count(ANN, asked)
    assert await office.count(Caller("token:bob", request_id="r-1")) == "at 2"


async def test_it_is_done_only_with_the_events_that_end_it(office: Office) -> None:
    ends = Asked("count", {}, "counter", frozenset({"ended"}))
    assert await office.count(ANN, ends, ("begun", "ended", "thanked")) == "at 3"
    assert await office.count(ANN, ends) == "at 2"


async def test_what_had_nothing_to_change_is_not_done_later_either(office: Office) -> None:
    await office.count(Caller("token:bob"))
    assert await office.count(ANN, kinds=()) == "nothing to do"
    assert await office.count(ANN) == "at 1"
    assert await office.count(Caller("token:ann", request_id="r-2"), Asked("declare", {}), ()) == "nothing to do"
    assert await office.counted() == 1


async def test_what_failed_is_tried_anew(office: Office) -> None:
    async def fail() -> str:
        raise Conflict("not now")

    async def again(version: int) -> str:
        return f"at {version}"

    with pytest.raises(Conflict, match="not now"):
        await office.requests.once(ANN, COUNT, fail, again)
    assert await office.count(ANN) == "at 1"


async def test_tries_at_the_same_time_do_it_once(office: Office) -> None:
    answers = await asyncio.gather(*(office.count(ANN) for _ in range(8)))
    assert (set(answers), await office.counted()) == ({"at 1"}, 1)


@pytest.mark.parametrize("given", ["x" * 201, "ü", "a\nb"])
async def test_an_id_that_is_none_is_refused(office: Office, given: str) -> None:
    with pytest.raises(InvalidRequest, match="up to 200 printable"):
        await office.count(Caller("local", request_id=given))
    assert await office.counted() == 0


async def test_what_somebody_else_changed_meanwhile_is_decided_anew(office: Office) -> None:
    known: list[int] = []

    async def do() -> str:
        version = (await office.ledger.streams("counter")).get("counter", 0)
        known.append(version)
        if len(known) < 3:  # somebody is faster
            await office.ledger.append([Change("counter", version, (Event("counted"),))], "token:bob")
        await office.requests.append([Change("counter", version, (Event("counted"),))], "token:ann")
        return f"at {version + 1}"

    async def again(version: int) -> str:
        return f"at {version}"

    for caller in (ANN, ANN):
        assert await office.requests.once(caller, COUNT, do, again) == "at 3"
    known.clear()
    assert await office.requests.once(Caller("token:ann"), COUNT, do, again) == "at 6"


async def test_ids_of_two_tokens_never_meet_whatever_their_names(office: Office) -> None:
    assert await office.count(Caller("token:a/b", request_id="c")) == "at 1"
    assert await office.count(Caller("token:a", request_id="b/c")) == "at 2"
