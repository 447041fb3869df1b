"""The conformance battery of `TelemetryLog` and `TelemetrySearch`, on every implementation."""

import asyncio

import pytest

from collector.core.errors import TooLarge
from collector.core.page import PageRequest
from collector.core.protocols import Store
from collector.core.telemetry import Dependency, Forgotten, OtlpRequest, TraceBounds, TraceQuery
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.request import read_logs, read_traces
from tests import samples
from tests.contract.stores import traces


async def test_a_trace_comes_back_in_order_from_any_number_of_requests(store: Store) -> None:
    await store.log.append(traces(samples.span(1, 3, 1, start=2), samples.span(2, 9)))
    await store.log.append(traces(samples.span(1, 2, 1, start=1)))
    await store.log.append(traces(samples.span(1, 1, start=0)))
    found = await store.log.trace(samples.trace_id(1))
    assert [span.context.span_id for span in found] == [samples.span_id(n) for n in (1, 2, 3)]
    assert found[0].resource.service == "shop"


async def test_equal_spans_are_read_once_and_different_ones_of_one_id_both(store: Store) -> None:
    request = traces(samples.span(1, 1, name="same"))
    await store.log.append(request)
    await store.log.append(request)
    await store.log.append(traces(samples.span(1, 1, name="other")))
    assert sorted(span.name for span in await store.log.trace(samples.trace_id(1))) == ["other", "same"]


@pytest.mark.parametrize("unknown", [samples.trace_id(9), "", "nonsense", "G" * 32])
async def test_an_unknown_trace_is_empty(store: Store, unknown: str) -> None:
    assert list(await store.log.trace(unknown)) == []
    assert list(await store.log.log_records(unknown)) == []


async def test_log_records_come_back_by_trace_and_time(store: Store) -> None:
    records = [samples.evaluation(1, 1, time=2, text="late"), samples.evaluation(1, 1, time=1, text="early")]
    await store.log.append(read_logs(samples.logs_request([*records, samples.evaluation(2, 1)]), 1).request)
    found = await store.log.log_records(samples.trace_id(1))
    assert [record.attributes["gen_ai.evaluation.explanation"] for record in found] == ["early", "late"]


async def test_traces_are_listed_by_the_last_touch(store: Store) -> None:
    await store.log.append(traces(samples.span(1, 1, name="first"), samples.span(1, 2, 1, error="e", start=5)))
    await store.log.append(traces(samples.span(2, 2, 1, name="orphan")))
    assert [trace.root_name for trace in (await store.search.traces(PageRequest(1_000))).items] == ["orphan", "first"]
    await store.log.append(traces(samples.span(1, 3, 1)))
    (newest,) = (await store.search.traces(PageRequest(1))).items
    assert (newest.trace_id, newest.root_name, newest.services) == (samples.trace_id(1), "first", ("shop",))
    assert (newest.span_count, newest.error_count) == (3, 1)
    assert newest.end_time_unix_nano - newest.start_time_unix_nano == samples.SECOND + 5


async def test_the_parts_of_a_request_are_kept_in_their_order(store: Store) -> None:
    await store.log.append(*(traces(samples.span(number, 1)) for number in (3, 1, 2)))
    kept = await store.log.requests_after(0, 2**20)
    assert [spans_of(one.body)[0].context.trace_id for one in kept] == [samples.trace_id(n) for n in (3, 1, 2)]


async def test_times_that_no_clock_shows_are_bounded(store: Store) -> None:
    backwards, beyond, unended = samples.span(1, 1, duration=-5), samples.span(1, 2, 1), samples.span(1, 3, 1)
    beyond.start_time_unix_nano, beyond.end_time_unix_nano = 2**63 + 9, 2**64 - 1
    unended.end_time_unix_nano = 0
    beyond.events.add(name="late", time_unix_nano=2**63)
    await store.log.append(traces(backwards, beyond, unended))
    spans = await store.log.trace(samples.trace_id(1))
    assert all(0 <= span.start_time_unix_nano <= span.end_time_unix_nano < 2**63 for span in spans)
    assert [event.time_unix_nano for span in spans for event in span.events] == [2**63 - 1]
    (summary,) = (await store.search.traces(PageRequest(1_000))).items
    assert summary.start_time_unix_nano <= summary.end_time_unix_nano < 2**63
    for query in (TraceQuery(duration_max_nano=0), TraceQuery(start_min_unix_nano=2**63 - 1)):
        assert [found.trace_id for found in await store.search.find(query)] == [samples.trace_id(1)]


async def test_traces_are_found_by_the_answers_of_models_in_them(store: Store) -> None:
    def answered(number: int, response_id: str) -> OtlpRequest:
        return traces(samples.span(number, 1, values={"gen_ai.response.id": response_id}))

    assert await store.search.answering(["a"]) == {}
    for number, response_id in ((1, "a"), (2, "b"), (3, "a")):
        await store.log.append(answered(number, response_id))
    found = await store.search.answering(["a", "b", "c"])
    assert {key: list(value) for key, value in found.items()} == {
        "a": [samples.trace_id(3), samples.trace_id(1)],
        "b": [samples.trace_id(2)],
    }
    await store.log.append(answered(4, "c"))
    assert list((await store.search.answering(["c"]))["c"]) == [samples.trace_id(4)]


async def test_of_traces_that_began_together_those_stored_last_are_found(store: Store) -> None:
    for number in range(1, 21):
        await store.log.append(traces(samples.span(2 * number, 1), samples.span(2 * number + 1, 1)))
    found = await store.search.find(TraceQuery(limit=5))
    assert [int(one.trace_id, 16) for one in found] == [41, 40, 39, 38, 37]
    assert not found.partial
    await store.log.append(traces(samples.span(2, 2)))
    assert [int(one.trace_id, 16) for one in await store.search.find(TraceQuery(limit=2))] == [2, 41]


async def test_a_search_that_nobody_waits_for_leaves_the_store_as_it_was(store: Store) -> None:
    await store.log.append(traces(samples.span(1, 1)))
    asking = asyncio.create_task(store.search.find(TraceQuery()))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)  # some are done before they can be cancelled
    assert len(await store.search.find(TraceQuery())) == 1


async def test_what_is_read_of_a_trace_is_bounded(store: Store) -> None:
    await store.log.append(traces(*(samples.span(1, number) for number in range(1, 11))))
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)] * 3), 1).request)
    wanted = samples.trace_id(1)
    assert await store.log.trace_data(wanted, TraceBounds(10, 2**20, "x")) == await store.log.trace_data(wanted)
    assert len(log_records_of(await store.log.log_data(wanted, TraceBounds(3, 2**20, "x")))) == 3
    for bounds, said in (
        (TraceBounds(9, 2**20, "x"), "9 spans, .* x.max_spans"),
        (TraceBounds(99, 50, "x"), "x.max_bytes"),
    ):
        with pytest.raises(TooLarge, match=said):
            await store.log.trace_data(wanted, bounds)
    with pytest.raises(TooLarge, match="2 log records"):
        await store.log.log_data(wanted, TraceBounds(2, 2**20, "x"))


async def test_a_revision_is_another_one_when_the_trace_is(store: Store) -> None:
    wanted = samples.trace_id(1)
    seen = [await store.log.revision(wanted)]
    assert seen == [""]
    await store.log.append(traces(samples.span(1, 1)))
    seen.append(await store.log.revision(wanted))
    await store.log.append(traces(samples.span(2, 1)))
    assert await store.log.revision(wanted) == seen[-1]
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)]), 1).request)
    seen.append(await store.log.revision(wanted))
    await store.log.append(traces(samples.span(1, 2)))
    seen.append(await store.log.revision(wanted))
    assert len(set(seen)) == len(seen)


async def test_many_at_once(store: Store) -> None:
    await asyncio.gather(*(store.log.append(traces(samples.span(n, 1))) for n in range(1, 101)))
    assert (await store.search.counts()).spans == 100
    assert len({trace.trace_id for trace in (await store.search.traces(PageRequest(1_000))).items}) == 100


async def test_requests_are_read_on_from_any_position(store: Store) -> None:
    assert await store.log.last_received() == 0
    for number in range(1, 5):
        await store.log.append(traces(samples.span(number, 1), time=10 * number))
    whole = await store.log.requests_after(0, 2**20)
    assert [one.position for one in whole] == sorted({one.position for one in whole})
    assert 0 < whole[-1].position == await store.log.newest_position()
    for count, before in enumerate([0, *(one.position for one in whole)]):
        assert await store.log.requests_after(before, 2**20) == whole[count:]
        assert await store.log.requests_after(before, 1) == whole[count : count + 1]
    two = len(whole[0].body) + len(whole[1].body)
    assert len(await store.log.requests_after(0, two)) == 2
    assert await store.log.last_received() == 40


async def test_what_came_last_is_never_forgotten(store: Store) -> None:
    await store.log.append(traces(samples.span(1, 1)))
    assert await store.log.forget(2**62, 0, {"peer": 0}) == Forgotten()
    assert len(await store.log.trace(samples.trace_id(1))) == 1


async def test_names_and_calls(store: Store) -> None:
    await store.log.append(
        read_traces(samples.traces_request([samples.span(1, 1, name="ask")], "front"), 1).request,
        read_traces(samples.traces_request([samples.span(1, 2, 1, name="find")], "back"), 1).request,
    )
    assert list(await store.search.services()) == ["back", "front"]
    assert [one.name for one in await store.search.operations("")] == ["ask", "find"]
    assert [one.name for one in await store.search.operations("back")] == ["find"]
    assert list(await store.search.dependencies(0, 2**62)) == [Dependency("front", "back", 1)]
    assert list(await store.search.dependencies(0, 1)) == []
