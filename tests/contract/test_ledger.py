"""The conformance battery of `Ledger`, on every implementation, and the folds that stand on it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from collector.core.errors import Outdated
from collector.core.folding import Fold, Versioned
from collector.core.ledger import Change, Event, Ledger, Recorded
from tests.clocks import TickingClock
from tests.contract.ledgers import LEDGERS


@pytest.fixture(params=sorted(LEDGERS))
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    async with LEDGERS[request.param](tmp_path, TickingClock()) as opened:
        yield opened


def adding(stream: str, expected: int, *kinds: str, subject: str = "shop") -> Change:
    return Change(stream, expected, tuple(Event(kind, {"said": [kind, 1, None, "ü"]}, subject) for kind in kinds))


async def kinds(ledger: Ledger, stream: str, after: int = 0) -> list[tuple[int, str]]:
    return [(one.version, one.kind) for one in await ledger.read(stream, after)]


async def test_events_come_back_in_order_and_as_they_were(ledger: Ledger) -> None:
    first = await ledger.append([adding("study/a", 0, "created", "began")], "token:ops")
    second = await ledger.append([adding("study/a", 2, "ended")], "study:a")
    assert list(await ledger.read("study/a")) == [*first, *second]
    assert [one.version for one in [*first, *second]] == [1, 2, 3]
    assert [one.actor for one in [*first, *second]] == ["token:ops", "token:ops", "study:a"]
    assert first[0].data == {"said": ["created", 1, None, "ü"]}
    assert first[0].time_unix_nano == first[1].time_unix_nano < second[0].time_unix_nano
    assert await kinds(ledger, "study/a", 2) == [(3, "ended")]
    assert await kinds(ledger, "study/unknown") == []


async def test_who_was_slower_is_told_and_changes_nothing(ledger: Ledger) -> None:
    await ledger.append([adding("a", 0, "one")], "x")
    for expected in (0, 2):
        with pytest.raises(Outdated, match=f"a is at version 1 and not at {expected} any more"):
            await ledger.append([adding("a", expected, "late")], "x")
    assert await kinds(ledger, "a") == [(1, "one")]


async def test_several_streams_change_together_or_not_at_all(ledger: Ledger) -> None:
    await ledger.append([adding("a", 0, "one"), adding("b", 0, "two", "three")], "x")
    with pytest.raises(Outdated, match="b is at version 2"):
        await ledger.append([adding("a", 1, "lost"), adding("b", 1, "lost")], "x")
    assert (await kinds(ledger, "a"), await kinds(ledger, "b")) == ([(1, "one")], [(1, "two"), (2, "three")])


async def test_a_stream_that_is_named_twice_goes_on_where_the_first_ended(ledger: Ledger) -> None:
    await ledger.append([adding("a", 0, "one"), adding("a", 1, "two")], "x")
    assert await kinds(ledger, "a") == [(1, "one"), (2, "two")]


async def test_of_many_at_once_one_wins(ledger: Ledger) -> None:
    tries = await asyncio.gather(
        *(ledger.append([adding("a", 0, f"try {number}")], "x") for number in range(20)), return_exceptions=True
    )
    assert sum(isinstance(one, Outdated) for one in tries) == 19
    assert len(await ledger.read("a")) == 1


async def test_one_event_by_its_place(ledger: Ledger) -> None:
    (_, second) = await ledger.append([adding("a", 0, "one", "two")], "x")
    assert await ledger.event("a", 2) == second
    assert [await ledger.event("a", place) for place in (0, 3, -1, 2**70)] == [None] * 4
    assert await ledger.event("b", 1) is None


async def test_streams_by_the_beginning_of_their_names(ledger: Ledger) -> None:
    await ledger.append(
        [adding("study/b", 0, "one"), adding("study/a", 0, "one", "two"), adding("studies", 0, "x")], "x"
    )
    await ledger.append([adding("study/b", 1, "two")], "x")
    found = await ledger.streams("study/")
    assert list(found.items()) == [("study/b", 2), ("study/a", 2)]
    assert list(await ledger.streams("")) == ["study/b", "study/a", "studies"]


async def test_history_is_paged_from_the_newest_and_filtered(ledger: Ledger) -> None:
    for number in range(5):
        await ledger.append([adding("a", number, f"a{number}"), adding("b", number, f"b{number}", subject="qa")], "x")
    page = await ledger.history(limit=4)
    assert [one.kind for one in page] == ["b4", "a4", "b3", "a3"]
    assert [one.kind for one in await ledger.history(before=page[-1].sequence, limit=3)] == ["b2", "a2", "b1"]
    assert [one.kind for one in await ledger.history(prefix="a", limit=2)] == ["a4", "a3"]
    assert [one.kind for one in await ledger.history(subject="qa", before=page[0].sequence)] == ["b3", "b2", "b1", "b0"]
    assert list(await ledger.history(subject="qa", prefix="a")) == []


async def test_what_is_no_json_is_refused_before_anything_is_kept(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        await ledger.append([adding("a", 0, "one"), Change("b", 0, (Event("x", {"y": float("nan")}),))], "x")
    assert await kinds(ledger, "a") == []


async def test_a_fold_reads_only_what_is_new(ledger: Ledger) -> None:
    seen: list[list[str]] = []

    def step(state: tuple[str, ...], events: Sequence[Recorded]) -> tuple[str, ...]:
        seen.append([one.kind for one in events])
        return (*state, *seen[-1])

    fold = Fold(ledger, (), step)
    assert (await fold.of("a")).state == ()
    await ledger.append([adding("a", 0, "one", "two")], "x")
    assert (await fold.of("a")).state == ("one", "two")
    assert (await fold.of("a")).version == 2
    await ledger.append([adding("a", 2, "three")], "x")
    assert (await fold.of("a")).state == ("one", "two", "three")
    assert seen == [["one", "two"], ["three"]]


async def test_a_long_stream_is_folded_where_it_holds_nobody_up(ledger: Ledger) -> None:
    here = threading.get_ident()
    where: list[bool] = []

    def step(count: int, events: Sequence[Recorded]) -> int:
        where.append(threading.get_ident() == here)
        return count + len(events)

    fold = Fold(ledger, 0, step, aside=asyncio.to_thread)
    await ledger.append([adding("a", 0, *["many"] * 500)], "x")
    assert list(await asyncio.gather(fold.of("a"), fold.of("a"))) == [Versioned(500, 500)] * 2
    await ledger.append([adding("a", 500, "one")], "x")
    assert [(await fold.of("a")).state, await fold.at("a", 500)] == [501, 500]
    assert where == [False, False, True, False]


async def test_a_fold_that_was_forgotten_is_made_again(ledger: Ledger) -> None:
    fold = Fold(ledger, 0, lambda count, events: count + len(events), most=1)
    await ledger.append([adding("a", 0, "one"), adding("b", 0, "one", "two")], "x")
    assert [(await fold.of(stream)).state for stream in ("a", "b", "a", "b")] == [1, 2, 1, 2]
