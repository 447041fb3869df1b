"""The conformance batteries of `Store`, `Deliveries` and `Marks`: on every implementation, or on the durable ones."""

import asyncio
from dataclasses import replace
from pathlib import Path

from collector.core.feedback import FeedbackState
from collector.core.ledger import Change, Event
from collector.core.page import PageRequest
from collector.core.protocols import Store
from collector.core.steady import TimeMark
from collector.core.telemetry import TelemetryCounts
from collector.otlp.request import read_logs
from otel_opto.spec import ParameterSpec, ParameterType
from tests import samples
from tests.clocks import TickingClock
from tests.contract.conftest import Opened
from tests.contract.stores import STORES, feedback, traces


async def test_counts(store: Store) -> None:
    await store.feedback.submit([feedback(1)], 1)
    await store.log.append(traces(samples.span(1, 1), samples.span(2, 1)))
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)]), 1).request)
    assert await store.search.counts() == TelemetryCounts(spans=2, traces=2, log_records=1)
    assert await store.feedback.counts() == {
        FeedbackState.WAITING: 1,
        FeedbackState.ATTACHED: 0,
        FeedbackState.EXPIRED: 0,
    }
    assert await store.size_bytes() > 0


async def test_a_request_that_cannot_be_kept_costs_no_other_that_came_with_it(opened: Opened) -> None:
    store = opened.store
    impossible = replace(traces(samples.span(9, 1)), items=2**40)
    outcomes = await asyncio.gather(
        *(store.log.append(one) for one in (traces(samples.span(1, 1)), impossible, traces(samples.span(2, 1)))),
        return_exceptions=True,
    )
    assert [outcome is None for outcome in outcomes] == [True, False, True]
    await store.log.append(traces(samples.span(3, 1)))
    assert {one.trace_id for one in (await store.search.traces(PageRequest(1_000))).items} == {
        samples.trace_id(n) for n in (1, 2, 3)
    }


async def test_everything_survives_a_restart(opened: Opened) -> None:
    store, spec = opened.store, ParameterSpec("a", ParameterType.INTEGER, 1)
    await store.feedback.submit([feedback(1)], 1)
    await store.log.append(traces(samples.span(1, 1)))
    await store.parameters.declare("shop", [spec])
    await store.ledger.append([Change("study/s", 0, (Event("created"),))], "test")
    store = await opened.again()
    assert len(await store.log.trace(samples.trace_id(1))) == 1
    assert [kept.feedback for kept in (await store.feedback.listed(PageRequest())).items] == [feedback(1)]
    assert list(await store.parameters.of("shop")) == [spec]
    assert await store.ledger.streams("") == {"study/s": 1}


async def test_how_far_destinations_are_is_remembered_even_where_it_goes_back(store: Store) -> None:
    assert await store.deliveries.position("peer") is None
    await store.deliveries.set_position("peer", 7)
    await store.deliveries.set_position("peer", 3)
    await store.deliveries.set_position("other", 0)
    assert await store.deliveries.position("peer") == 3
    assert await store.deliveries.positions() == {"peer": 3, "other": 0}


async def test_marks_are_set_as_a_whole(store: Store) -> None:
    assert (await store.marks.time_mark(), await store.marks.recalled()) == (None, None)
    for mark in (TimeMark(10, 20, 15), TimeMark(30, 30)):
        await store.marks.set_time_mark(mark)
        assert await store.marks.time_mark() == mark
    for position in (0, 5, None):
        await store.marks.set_recalled(position)
        assert await store.marks.recalled() == position


async def test_what_is_remembered_survives_a_restart(opened: Opened) -> None:
    owner = await opened.store.instance_id()
    await opened.store.deliveries.set_position("peer", 7)
    await opened.store.marks.set_time_mark(TimeMark(10, 20, 15))
    await opened.store.marks.set_recalled(5)
    store = await opened.again()
    assert await store.instance_id() == owner
    assert (await store.deliveries.positions(), await store.marks.recalled()) == ({"peer": 7}, 5)
    assert await store.marks.time_mark() == TimeMark(10, 20, 15)


async def test_stores_have_owners_of_their_own(store: Store, tmp_path: Path) -> None:
    (other,) = (made(tmp_path / "other", TickingClock()) for kind, made in STORES.items() if kind == "files")
    await other.start()
    assert await store.instance_id() not in ("", await other.instance_id())
    await other.stop()
