"""The search: every condition, alone and together, against a plain reading of all spans."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.errors import TooLarge, Unavailable
from collector.core.page import PageRequest
from collector.core.telemetry import Answer, FoundTrace, TraceBounds, TraceQuery
from collector.otlp.decode import spans_of
from collector.otlp.needles import attribute_needle
from collector.otlp.request import read_traces
from collector.otlp.text import text_of
from collector.storage.file_store import FileStore
from collector.storage.patience import Left, Patience
from collector.storage.search import find, listing
from collector.storage.search.dependencies import CallBook
from collector.storage.segments.segments import SegmentLimits
from tests import samples
from tests.clocks import TickingClock
from tests.encodings import Scribe

START, SECOND = samples.START, samples.SECOND
TYPED: Mapping[str, object] = {
    "text": "some words",
    "empty": "",
    "whole": 200,
    "negative": -5,
    "real": 72.5,
    "round": 3.0,
    "small": 1e-7,
    "yes": True,
    "no": False,
    "raw": b"\x00\x01\x02",
    "list": ["a", 1, True],
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FileStore]:
    made = FileStore(tmp_path, TickingClock(), SegmentLimits(bytes=3_000))
    await made.start()
    spans = [
        samples.span(1, 1, name="root", values=TYPED, start=1 * SECOND, duration=5 * SECOND),
        samples.span(1, 2, 1, name="child", error="broken", start=2 * SECOND, duration=SECOND),
        samples.span(2, 1, name="root", values={"text": "other words", "whole": 201}, start=3 * SECOND),
    ]
    spans[2].kind = 3  # type: ignore[assignment]
    spans[2].links.add(
        trace_id=bytes(15) + b"\x01", span_id=bytes(7) + b"\x01", attributes=samples.attributes({"l": "m"})
    )
    for span in spans:
        await made.log.append(read_traces(samples.traces_request([span]), 1).request)
    other = ExportTraceServiceRequest.FromString(
        samples.traces_request([samples.span(3, 1, name="leaf", start=0)], "stock")
    )
    scope = other.resource_spans[0].scope_spans[0].scope
    scope.name, scope.version = "lib", "1.2"
    scope.attributes.extend(samples.attributes({"team": "red"}))
    other.resource_spans[0].resource.attributes.extend(samples.attributes({"zone": "z1", "pid": 7}))
    await made.log.append(read_traces(other.SerializeToString(), 1).request)
    yield made
    await made.stop()


async def found(store: FileStore, **conditions: object) -> list[int]:
    traces = await store.search.find(TraceQuery(**conditions))  # type: ignore[arg-type]
    return [int(trace.trace_id, 16) for trace in traces]


async def test_newest_first_and_limited(store: FileStore) -> None:
    assert await found(store) == [2, 1, 3]
    assert await found(store, limit=1) == [2]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"service": "shop"}, [2, 1]),
        ({"service": "stock"}, [3]),
        ({"service": "nobody"}, []),
        ({"operation": "root"}, [2, 1]),
        ({"service": "shop", "operation": "child"}, [1]),
        ({"service": "stock", "operation": "root"}, []),
        ({"operation": "roo"}, []),
        ({"start_min_unix_nano": START + 2 * SECOND}, [2, 1]),
        ({"start_max_unix_nano": START + SECOND}, [1, 3]),
        ({"start_min_unix_nano": START + SECOND, "start_max_unix_nano": START + SECOND}, [1]),
        ({"duration_min_nano": 2 * SECOND}, [1]),
        ({"duration_max_nano": SECOND, "operation": "root"}, [2]),
        ({"duration_min_nano": 2 * SECOND, "operation": "child"}, []),
    ],
)
async def test_columns(store: FileStore, conditions: dict[str, object], expected: list[int]) -> None:
    assert await found(store, **conditions) == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        *(({key: text_of(value)}, [1]) for key, value in TYPED.items()),  # type: ignore[arg-type]
        ({"whole": "201"}, [2]),
        ({"whole": "20"}, []),
        ({"text": "words"}, []),
        ({"missing": ""}, []),
        ({"l": "m"}, [2]),
        ({"exception.message": "broken"}, [1]),
        ({"opto.arg": "x"}, []),
        ({"team": "red"}, [3]),
        ({"zone": "z1"}, [3]),
        ({"pid": "7"}, [3]),
        ({"resource.zone": "z1"}, [3]),
        ({"resource.text": "some words"}, []),
        ({"scope.name": "lib"}, [3]),
        ({"scope.version": "1.2"}, [3]),
        ({"scope.name": "li"}, []),
        ({"error": "true"}, [1]),
        ({"error": "false", "text": "other words"}, [2]),
        ({"span.status": "error"}, [1]),
        ({"span.kind": "client"}, [2]),
        ({"span.kind": "CLIENT"}, [2]),
        ({"service.name": "stock"}, [3]),
        ({"text": "some words", "whole": "200", "yes": "true"}, [1]),
        ({"text": "some words", "whole": "201"}, []),
        ({"text": "some words", "exception.message": "broken"}, []),  # on two spans of one trace
    ],
)
async def test_attributes(store: FileStore, attributes: dict[str, str], expected: list[int]) -> None:
    assert await found(store, attributes=attributes) == expected


async def test_services_operations_and_dependencies(store: FileStore) -> None:
    assert list(await store.search.services()) == ["shop", "stock"]
    assert [(one.name, one.kind) for one in await store.search.operations("shop")] == [
        ("child", 1),
        ("root", 1),
        ("root", 3),
    ]
    assert len(await store.search.operations("")) == 4
    (within,) = await store.search.dependencies(0, 2**62)
    assert (within.parent, within.child, within.call_count) == ("shop", "shop", 1)


@pytest.mark.parametrize("client_first", [True, False])
@pytest.mark.parametrize("parent", [None, 9])
async def test_a_server_that_shares_its_clients_id_is_called_by_it(
    tmp_path: Path, parent: int | None, client_first: bool
) -> None:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    client, server, below = samples.span(1, 1, parent), samples.span(1, 1, parent), samples.span(1, 2, 1)
    client.kind, server.kind = 3, 2  # type: ignore[assignment]
    own = samples.span(1, 3, 3)  # its own parent: nobody called it
    sent = [([client], "front"), ([server, below, own], "back")]
    for spans, service in sent if client_first else reversed(sent):
        await store.log.append(read_traces(samples.traces_request(spans, service), 1).request)
    found_all = await store.search.dependencies(0, 2**62)
    assert [(one.parent, one.child, one.call_count) for one in found_all] == [("back", "back", 1), ("front", "back", 1)]
    await store.stop()


async def test_dependencies_count_children_beside_their_parents(tmp_path: Path) -> None:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    await store.log.append(read_traces(samples.traces_request([samples.span(1, 1)], "front"), 1).request)
    children = [samples.span(1, 2, 1, start=5), samples.span(1, 3, 1, start=9), samples.span(1, 4, 99)]
    await store.log.append(read_traces(samples.traces_request(children, "back"), 1).request)
    found_all = await store.search.dependencies(0, 2**62)
    assert [(one.parent, one.child, one.call_count) for one in found_all] == [("front", "back", 2)]
    assert (await store.search.dependencies(START + 6, START + 9))[0].call_count == 1
    await store.stop()


values = st.one_of(
    st.text(max_size=8),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.binary(max_size=8),
    st.lists(st.integers(0, 9), max_size=3),
)


@given(values, st.text(max_size=5), st.integers(0, 2**32))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_needle_is_found_wherever_its_attribute_is(value: object, key: str, seed: int) -> None:
    span = samples.span(1, 1, values={"first": 1, key: value, "last": "x"})
    needle = attribute_needle(key, text_of(value))  # type: ignore[arg-type]
    assert needle.is_in(span.SerializeToString())
    assert needle.may_be_in(Scribe(Random(seed)).written(span))


# --- bounds ---------------------------------------------------------------------------------------------------------


class Steps:
    """A clock that goes on by one second at every look, so that patience ends after so many steps."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return float(self.looks)


async def kept(tmp_path: Path, requests: Sequence[Sequence[Span]], **options: float) -> FileStore:
    store = FileStore(tmp_path, TickingClock(), SegmentLimits(bytes=8_000), **options)  # type: ignore[arg-type]
    await store.start()
    bodies = [samples.traces_request(spans) for spans in requests]
    for first in range(0, len(bodies), 25):  # what is appended together comes into one segment
        together = bodies[first : first + 25]
        await asyncio.gather(*(store.log.append(read_traces(body, 1).request) for body in together))
    return store


def looks_of(store: FileStore, query: TraceQuery, seconds: float = 1e9) -> tuple[Answer[FoundTrace], int]:
    """The answer, and how many pieces of requests were looked at for it."""
    steps = Steps()
    answer = find.find(store.segments._segments, query, Patience(seconds, steps))
    return answer, steps.looks


async def test_a_search_ends_where_nothing_better_can_come_though_all_spans_began_at_one_time(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(10 * n + m, 1) for m in range(10)] for n in range(1, 201)])
    answer, looks = looks_of(store, TraceQuery(service="shop", limit=20))
    assert looks == 2  # of ten traces each
    assert [int(one.trace_id, 16) for one in answer] == list(range(2009, 1989, -1))
    assert not answer.partial
    await store.stop()


@pytest.mark.parametrize("far", [0, 2**62])
async def test_a_search_ends_early_though_single_spans_began_at_odd_times(tmp_path: Path, far: int) -> None:
    """One request holds spans of all times, some have clocks that are wrong by centuries."""
    requests = [[samples.span(n, 1, start=n * SECOND)] for n in range(1, 300)]
    requests[100] += [samples.span(1000 + n, 1, start=n * SECOND) for n in range(0, 300, 50)]
    for n in range(0, 300, 60):
        odd = samples.span(2000 + n, 1)
        odd.start_time_unix_nano = odd.end_time_unix_nano = far
        requests[n].append(odd)
    store = await kept(tmp_path, requests)
    answer, looks = looks_of(store, TraceQuery(service="shop", limit=10, start_max_unix_nano=START + 300 * SECOND))
    assert [int(one.trace_id, 16) for one in answer] == [299, 298, 297, 296, 295, 294, 293, 292, 291, 290]
    assert looks <= 10 + 1 + 5  # one each, the one with all times, and the odd ones
    await store.stop()


async def test_one_huge_trace_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = 0

    def counted(body: bytes) -> list[object]:
        nonlocal decoded
        spans = spans_of(body)
        decoded += len(spans)
        return spans  # type: ignore[return-value]

    store = await kept(tmp_path, [[samples.span(1, 10 * n + m, start=n) for m in range(10)] for n in range(1, 101)])
    monkeypatch.setattr(find, "spans_of", counted)
    answer, looks = looks_of(store, TraceQuery(service="shop", limit=20))
    assert [int(one.trace_id, 16) for one in answer] == [1]
    assert (looks, decoded) == (100, 1)
    await store.stop()


async def test_a_trace_is_decoded_until_a_span_of_it_meets_the_conditions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []

    def counted(body: bytes) -> list[object]:
        spans = spans_of(body)
        decoded.append(len(spans))
        return spans  # type: ignore[return-value]

    long = 15
    spans = [
        samples.span(trace, 100 * trace + n, start=n, duration=9 if n < long else 1)
        for trace in (1, 2, 3)
        for n in range(20)
    ]
    store = await kept(tmp_path, [spans])
    monkeypatch.setattr(find, "spans_of", counted)
    query = TraceQuery(service="shop", limit=2, duration_min_nano=5)
    answer, _ = looks_of(store, query)
    assert [(int(one.trace_id, 16), one.start_unix_nano - START) for one in answer] == [(3, 14), (2, 14)]
    assert decoded == [2, 4, 8, 16]  # more at a time, the longer nothing is found, and not all of them
    await store.stop()


async def test_a_search_that_takes_too_long_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(n, 1, start=n)] for n in range(1, 101)])
    answer, _ = looks_of(store, TraceQuery(attributes={"nowhere": "found"}), seconds=10)
    assert list(answer) == []
    assert "took longer than 10 s (queries.max_seconds)" in answer.partial
    answer, _ = looks_of(store, TraceQuery(limit=0), seconds=10)
    assert [int(one.trace_id, 16) for one in answer] == list(range(100, 90, -1))
    assert f"began at {START + 90} " in answer.partial
    await store.stop()


async def test_a_search_ends_when_nobody_waits(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(n, 1, start=n)] for n in range(1, 101)])
    patience = Patience()
    patience.leave()
    with pytest.raises(Left):
        find.find(store.segments._segments, TraceQuery(), patience)
    with pytest.raises(Left):
        listing.traces(store.segments._segments, PageRequest(), patience)
    with pytest.raises(Left):
        CallBook().between(store.segments._segments, 0, 2**63, patience)
    await store.stop()


async def test_the_caller_that_is_cancelled_takes_the_search_with_it(tmp_path: Path) -> None:
    store = await kept(tmp_path, [])
    begun, ended = threading.Event(), threading.Event()

    def endless(_: object, patience: Patience) -> None:
        begun.set()
        try:
            while not patience.over():
                begun.wait(0.001)
        finally:
            ended.set()

    running = asyncio.create_task(store.segments.search(endless, None))
    await asyncio.to_thread(begun.wait)
    running.cancel()
    await asyncio.to_thread(ended.wait, 10)
    assert ended.is_set()
    await store.stop()


async def test_traces_are_read_while_searches_take_long(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(1, 1)]])
    over = threading.Event()
    slow = [asyncio.create_task(store.segments.search(lambda _, __: over.wait(), None)) for _ in range(8)]
    assert len(await asyncio.wait_for(store.log.trace(samples.trace_id(1)), 10)) == 1
    assert len(await asyncio.wait_for(store.search.services(), 10)) == 1
    over.set()
    await asyncio.gather(*slow)
    await store.stop()


async def test_too_many_waiting_searches_are_told_to_come_again(tmp_path: Path) -> None:
    store = await kept(tmp_path, [])
    over = threading.Event()
    slow = [asyncio.create_task(store.segments.search(lambda _, __: over.wait(), None)) for _ in range(64)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await store.search.find(TraceQuery())
    over.set()
    await asyncio.gather(*slow)
    assert list(await store.search.find(TraceQuery())) == []
    await store.stop()


@given(
    starts=st.lists(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=6), max_size=12),
    limit=st.integers(0, 6),
    latest=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_found_is_what_a_plain_reading_finds(
    tmp_path_factory: pytest.TempPathFactory, starts: list[list[tuple[int, int]]], limit: int, latest: int
) -> None:
    requests = [[samples.span(trace, n, start=at) for n, (trace, at) in enumerate(one, 1)] for one in starts]
    store = await kept(tmp_path_factory.mktemp("plain"), requests)
    answer = await store.search.find(TraceQuery(limit=limit, start_max_unix_nano=START + latest))
    ranks: dict[int, tuple[int, int]] = {}
    for position, one in enumerate(starts):
        for trace, at in one:
            if at <= latest:
                ranks[trace] = max(ranks.get(trace, (0, 0)), (at, position))
    expected = sorted(ranks, key=lambda trace: (-ranks[trace][0], -ranks[trace][1], trace))
    assert [one.trace_id for one in answer][: limit or None] == [one.trace_id for one in answer]
    got = [int(one.trace_id, 16) for one in answer]
    assert [ranks[trace] for trace in got] == [ranks[trace] for trace in expected][: limit or None]
    assert len(set(got)) == len(got)
    assert answer.partial == ""
    await store.stop()


# --- dependencies and lists -----------------------------------------------------------------------------------------


async def test_calls_are_counted_once_and_read_again(tmp_path: Path) -> None:
    requests = [[samples.span(n, 1, start=n), samples.span(n, 2, 1, start=n)] for n in range(1, 201)]
    store = await kept(tmp_path, requests)
    (counted,) = await store.search.dependencies(START + 11, START + 20)
    assert counted.call_count == 10
    files = sorted((tmp_path / "segments").glob("*.calls"))
    assert len(files) == len(store.segments._segments) - 1 > 1
    steps = Steps()
    answer = CallBook().between(store.segments._segments, 0, 2**63, Patience(1e9, steps))
    assert answer[0].call_count == 200
    assert steps.looks < 2 * len(files) + 40  # one for each sealed segment, and the growing one's requests
    files[0].write_bytes(files[0].read_bytes()[:-1] + b"x")
    (again,) = await store.search.dependencies(0, 2**63)
    assert again.call_count == 200
    await store.stop()


async def test_counting_that_takes_too_long_says_so_and_is_done_when_asked_again(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(n, 1), samples.span(n, 2, 1)] for n in range(1, 201)])
    book, segments, counts = CallBook(), store.segments._segments, []
    for _ in range(20):
        answer = book.between(segments, 0, 2**63, Patience(60, Steps()))
        counts.append(sum(one.call_count for one in answer))
        if not answer.partial:
            break
        assert "ask again" in answer.partial
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == 200
    await store.stop()


async def test_calls_of_forgotten_segments_are_removed(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(n, 1), samples.span(n, 2, 1)] for n in range(1, 201)])
    while await store.segments.search(store.search._calls.count_one, None):
        pass
    before = len(list((tmp_path / "segments").glob("*.calls")))
    await store.log.forget(0, await store.size_bytes() - 1)
    assert not await store.segments.search(store.search._calls.count_one, None)
    after = len(list((tmp_path / "segments").glob("*.calls")))
    assert 0 < after == len(store.segments._segments) - 1 < before
    await store.stop()


async def test_a_list_of_traces_says_where_it_ends(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(n, 1, start=n)] for n in range(1, 101)])
    page = listing.traces(store.segments._segments, PageRequest(), Patience(30, Steps()))
    assert 0 < len(page.items) < 100
    assert page.items[0].trace_id == samples.trace_id(100)
    assert "queries.max_seconds" in page.partial
    found = list(page.items)
    while page.next_cursor:
        page = listing.traces(store.segments._segments, PageRequest(100, page.next_cursor), Patience(30, Steps()))
        found += page.items
    assert [one.trace_id for one in found] == [samples.trace_id(n) for n in range(100, 0, -1)]
    await store.stop()


async def test_of_a_huge_trace_in_a_list_the_first_spans_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MOST_SUMMARIZED", 50)
    store = await kept(tmp_path, [[samples.span(1, 10 * n + m, start=n) for m in range(10)] for n in range(1, 21)])
    await store.log.append(read_traces(samples.traces_request([samples.span(2, 1)]), 1).request)
    page = await store.search.traces(PageRequest(1_000))
    assert [(int(one.trace_id, 16), one.span_count) for one in page.items] == [(2, 1), (1, 50)]
    assert "only the first 50 spans were counted of 1 traces" in page.partial
    await store.stop()


async def test_a_trace_beyond_its_bounds_is_refused_in_words(tmp_path: Path) -> None:
    store = await kept(tmp_path, [[samples.span(1, 10 * n + m, start=n) for m in range(10)] for n in range(1, 21)])
    whole = await store.log.trace_data(samples.trace_id(1))
    assert await store.log.trace_data(samples.trace_id(1), TraceBounds(200, 2**20, "graph")) == whole
    with pytest.raises(TooLarge, match=r"found more than 199 spans, the most that graph\.max_spans allows"):
        await store.log.trace_data(samples.trace_id(1), TraceBounds(199, 2**20, "graph"))
    with pytest.raises(TooLarge, match=r"more than 1,000 bytes of spans, the most that graph\.max_bytes allows"):
        await store.log.trace_data(samples.trace_id(1), TraceBounds(200, 1000, "graph"))
    await store.stop()
