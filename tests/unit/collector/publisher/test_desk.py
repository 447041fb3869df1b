"""Releases and what is in force: numbered, written down, told to who watches; on every ledger."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from collector.core.errors import Conflict, Outdated
from collector.core.ledger import Change, Event, Ledger, Recorded
from collector.core.release import ReleaseDraft
from collector.counters import Counter, Counters
from collector.publisher.desk import Composed, Desk, aside, beside
from collector.publisher.hub import AssignmentHub
from otel_opto.assignment import Arm, Assignment, Crossing, Layer
from tests.clocks import TickingClock
from tests.contract.ledgers import LEDGERS


@dataclass
class Office:
    ledger: Ledger
    hub: AssignmentHub
    counters: Counters
    desk: Desk

    def again(self) -> Desk:
        """Another desk at the same ledger, as after a restart."""
        return Desk(self.ledger, self.hub, self.counters)


@pytest.fixture(params=sorted(LEDGERS))
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    async with LEDGERS[request.param](tmp_path, TickingClock()) as ledger:
        hub, counters = AssignmentHub(), Counters()
        yield Office(ledger, hub, counters, Desk(ledger, hub, counters))


def draft(reason: str = "r", service: str = "shop", **values: bool | float | str) -> ReleaseDraft:
    return ReleaseDraft(service, values, reason)


async def test_numbers_rise_over_services_and_unchanged_values_keep_their_version(office: Office) -> None:
    desk = office.desk
    first = await desk.publish(draft("one", a=1, b="x"), "me")
    other = await desk.publish(draft("two", "other", a=1), "me")
    second = await desk.publish(draft("three", a=1, b="y"), "me")
    assert (first.number, other.number, second.number) == (1, 2, 3)
    assert (second.parent, other.parent) == (first.number, None)
    assert {key: value.version for key, value in second.values.items()} == {"a": 1, "b": 3}
    assert 0 < first.created_unix_nano < second.created_unix_nano
    for reader in (desk, office.again()):
        assert await reader.release(3) == second
        assert await reader.release(999) is None
        assert await reader.control("shop") == second
        assert await reader.control("nobody") is None
    assert office.counters.snapshot()[Counter.RELEASES_PUBLISHED.value] == 3


async def test_releases_are_listed_in_pages_from_the_newest(office: Office) -> None:
    for number in range(5):
        await office.desk.publish(draft(a=number), "me")
        await office.desk.publish(draft(service="other", a=number), "me")
    page = await office.desk.releases("shop", limit=2)
    assert [one.number for one in page] == [9, 7]
    assert [one.number for one in await office.desk.releases("shop", before=7, limit=2)] == [5, 3]
    assert len(await office.desk.releases()) == 10


async def test_releases_published_at_once_form_one_line(office: Office) -> None:
    other = office.again()
    for _ in range(5):
        await asyncio.gather(office.desk.publish(draft(a=1), "me"), other.publish(draft(a=2), "you"))
    releases = await office.desk.releases("shop")
    assert [one.parent for one in releases] == [*(one.number for one in releases[1:]), None]
    assignment = await office.desk.assignment("shop")
    assert assignment is not None
    assert (assignment.revision, assignment.control) == (10, 10)


async def test_values_keep_their_types(office: Office) -> None:
    values = {"b": True, "f": 1.0, "i": 1, "t": "ä"}
    release = await office.desk.publish(ReleaseDraft("shop", values, "r"), "me")
    read = await office.again().release(release.number)
    assert read is not None
    assert {key: (value.value, type(value.value)) for key, value in read.values.items()} == {
        key: (value, type(value)) for key, value in values.items()
    }
    assert read.hash == release.hash


async def test_an_arm_beside_the_control_grows_and_ends_and_each_step_is_told(office: Office) -> None:
    desk = office.desk
    with office.hub.watch("shop") as told:
        control = await desk.publish(draft(a=1), "me")
        assert (await anext(told)).arms == ()
        arm = await desk.publish(draft(a=2), "me", beside(0, 500))
        first = await anext(told)
        assert (first.control, first.arms) == (control.number, (Arm(arm.number, 0, 500),))
        assert first.salt
        grown = await desk.reassign("shop", lambda now: replace(now, arms=(Arm(arm.number, 0, 2_500),)), "grows", "me")
        assert await anext(told) == grown == await office.again().assignment("shop")
        assert (grown.revision, grown.salt) == (3, first.salt)
        same = await desk.reassign("shop", lambda now: now, "nothing", "me")
        assert same == grown
        whole = await desk.publish(draft(a=3), "me")
        assert await anext(told) == Assignment("shop", 4, whole.number)
    assert await desk.control("shop") == whole


async def test_the_first_release_is_for_everybody_wherever_it_was_meant_to_be(office: Office) -> None:
    release = await office.desk.publish(draft(a=1), "me", beside(0, 500))
    assert await office.desk.assignment("shop") == Assignment("shop", 1, release.number)


async def test_nothing_can_be_assigned_before_the_first_release(office: Office) -> None:
    with pytest.raises(Conflict, match="'shop' has no release yet"):
        await office.desk.reassign("shop", lambda now: now, "r", "me")


async def test_what_belongs_to_a_release_comes_with_it_or_not_at_all(office: Office) -> None:
    await office.ledger.append([Change("study/s", 0, (Event("began"),))], "me")
    release = await office.desk.publish(
        draft(a=1), "me", also=lambda new: [Change("study/s", 1, (Event("tried", {"release": new.number}),))]
    )
    assert [one.data for one in await office.ledger.read("study/s", 1)] == [{"release": release.number}]
    with pytest.raises(Outdated, match="study/s is at version 2 and not at 1"):
        await office.desk.publish(draft(a=2), "me", also=lambda _: [Change("study/s", 1, (Event("late"),))])
    assert await office.desk.control("shop") == release
    assert len(await office.desk.releases()) == 1


async def test_the_ledger_says_who_and_why(office: Office) -> None:
    await office.desk.publish(draft("because", a=1), "token:ops")
    (assigned, released) = await office.ledger.history(subject="shop")
    assert (released.kind, assigned.kind) == ("released", "assigned")
    assert {one.actor for one in (released, assigned)} == {"token:ops"}
    assert {one.data["reason"] for one in (released, assigned)} == {"because"}


async def test_what_is_written_is_told_even_if_who_asked_goes_away(office: Office) -> None:
    append, begun, go_on = office.ledger.append, asyncio.Event(), asyncio.Event()

    async def held(changes: Sequence[Change], actor: str) -> Sequence[Recorded]:
        begun.set()
        await go_on.wait()
        return await append(changes, actor)

    office.ledger.append = held  # type: ignore[method-assign]
    with office.hub.watch("shop") as told:
        asking = asyncio.ensure_future(office.desk.publish(draft(a=1), "me"))
        await begun.wait()
        asking.cancel()
        go_on.set()
        assert (await asyncio.wait_for(anext(told), 10)).control == 1
        assert asking.cancelled()
    assert (await office.desk.envelope(1), await office.again().assignment("shop")) == ("", Assignment("shop", 1, 1))


async def test_a_signature_of_what_is_in_force_is_told_anew(office: Office) -> None:
    control = await office.desk.publish(draft(a=1), "me")
    aside_one = await office.desk.publish(draft(a=2), "me", aside)
    with office.hub.watch("shop") as told:
        assert await anext(told) == Assignment("shop", 1, control.number)
        await office.desk.sign(aside_one.number, "nobody runs it", "me")
        await office.desk.sign(control.number, "signed", "me")
        assert await anext(told) == Assignment("shop", 2, control.number)
    assert await office.desk.envelope(control.number) == await office.again().envelope(control.number) == "signed"
    assert await office.again().assignment("shop") == Assignment("shop", 2, control.number)


async def test_the_first_draft_of_a_service_changes_nothing_where_it_is_known_what_runs(office: Office) -> None:
    own = draft("the code's", a=1)
    release = await office.desk.publish(draft("a proposal", a=2), "me", aside, first=own)
    control = await office.desk.control("shop")
    assert control is not None
    assert (control.number, control.reason, release.number, release.parent) == (1, "the code's", 2, 1)
    assert await office.desk.assignment("shop") == Assignment("shop", 1, 1)
    assert [one.number for one in await office.again().releases()] == [2, 1]
    same = await office.desk.publish(draft(service="other", a=1), "me", aside, first=draft(service="other", a=1))
    assert (await office.desk.control("other"), same.number) == (same, 3)


async def test_a_crowd_that_publishes_and_reassigns_forms_one_line(office: Office) -> None:
    await office.desk.publish(draft(a=0), "me")
    published = [office.desk.publish(draft(a=number), "me") for number in range(1, 30)]
    salted = [office.desk.reassign("shop", lambda now: replace(now, salt=now.salt + "x"), "r", "me") for _ in range(30)]
    await asyncio.gather(*published, *salted)
    now = await office.desk.assignment("shop")
    assert now is not None
    assert (now.revision, (await office.desk.releases(limit=1))[0].number) == (60, 30)


async def test_what_other_releases_brought_keeps_its_versions_and_layers_come_back(office: Office) -> None:
    desk = office.desk
    control = await desk.publish(draft(a=1, b=1), "me")
    first = await desk.publish(draft(a=2, b=1), "me", aside)
    second = await desk.publish(draft(a=1, b=2), "me", aside)
    values = {"a": first.values["a"], "b": second.values["b"]}
    (crossed,) = await desk.compose("shop", [Composed(values, "both")], "me")
    assert crossed.values == values
    assert [value.version for value in crossed.values.values()] == [first.number, second.number]
    layers = Layer("a", "s", (Arm(first.number, 0, 500),)), Layer("b", "t", (Arm(second.number, 0, 500),))
    crossing = Crossing(crossed.number, (first.number, second.number))
    now = await desk.reassign("shop", lambda now: replace(now, layers=layers, crossings=(crossing,)), "dealt", "me")
    assert now.releases == (control.number, first.number, second.number, crossed.number)
    assert await office.again().assignment("shop") == now
    assert await office.again().release(crossed.number) == crossed
    assert not await desk.compose("shop", [], "me")
    with pytest.raises(Conflict, match="has no release yet"):
        await desk.compose("none", [Composed(values, "both")], "me")
