"""What Jaeger is shown is bounded, and a part says that it is one."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import grpc
import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette

from collector.access.table import HttpTable
from collector.core.feedback import Feedback
from collector.core.span import SpanContext
from collector.core.telemetry import TraceBounds
from collector.counters import Counter, Counters
from collector.jaeger import remote_storage
from collector.jaeger.http import endpoints
from collector.jaeger.parts import PARTIAL_HEADER
from collector.jaeger.reader import Reader
from collector.jaeger.v2 import trace_storage_pb2, trace_storage_pb2_grpc
from collector.otlp.request import read_traces
from collector.storage.file_store import FileStore
from collector.storage.search.segment_search import SegmentSearch
from collector.storage.segments.segments import Segments
from collector.workers.workers import WorkerLimits, Workers
from tests import samples
from tests.clocks import TickingClock

LARGE = 300
"""Spans: more than a document is made of in the collector itself."""


async def no_release(_: int) -> None:
    return None


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    made = Workers(WorkerLimits(processes=1))
    yield made
    await made.stop()


async def stored(tmp_path: Path, requests: Sequence[Sequence[Span]], seconds: float = 1e9) -> FileStore:
    store = FileStore(tmp_path, TickingClock(), search_seconds=seconds)
    await store.start()
    for spans in requests:
        await store.log.append(read_traces(samples.traces_request(spans), 1).request)
    return store


def trace(number: int, count: int) -> list[Span]:
    return [samples.span(number, n, 1 if n > 1 else None, start=number * 1_000 + n) for n in range(1, count + 1)]


def client_of(reader: Reader) -> httpx.AsyncClient:
    app = Starlette(routes=HttpTable(endpoints(reader, lambda: samples.START)).routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_a_document_is_the_same_wherever_it_is_made(tmp_path: Path, workers: Workers) -> None:
    store = await stored(tmp_path, [trace(1, LARGE)])
    await store.feedback.submit([Feedback(SpanContext(samples.trace_id(1), samples.span_id(3)), "q", 0.5)], 1)
    shown = []
    for inline in (2**40, 1):
        reader = Reader(store, no_release, Workers(WorkerLimits(processes=1, inline_bytes=inline)))
        async with client_of(reader) as client:
            for path in ("/api/traces/1", "/api/v3/traces/1"):
                answer = await client.get(path)
                assert len(answer.content) == int(answer.headers["content-length"])
                shown.append(answer.json())
    assert shown[:2] == shown[2:]
    assert "opto.feedback.q" in json.dumps(shown[0])
    await store.stop()


async def test_a_trace_that_is_too_large_is_refused_alone_and_left_out_of_a_search(
    tmp_path: Path, workers: Workers
) -> None:
    store = await stored(tmp_path, [trace(1, 3), trace(2, LARGE), trace(3, 3)])
    reader = Reader(store, no_release, workers, TraceBounds(LARGE - 1, 2**20, "queries"))
    async with client_of(reader) as client:
        alone = await client.get("/api/traces/2")
        assert alone.status_code == 413
        assert "more than 299 spans, the most that queries.max_spans allows" in alone.json()["errors"][0]["msg"]
        assert (await client.get("/api/v3/traces/2")).status_code == 413
        found = await client.get("/api/traces", params={"service": "shop"})
        assert [int(one["traceID"], 16) for one in found.json()["data"]] == [3, 1]
        assert "queries.max_spans" in found.json()["errors"][0]["msg"]
        assert "queries.max_spans" in found.headers[PARTIAL_HEADER]
    await store.stop()


async def test_an_answer_holds_so_much_and_no_more(tmp_path: Path, workers: Workers) -> None:
    store = await stored(tmp_path, [trace(number, 20) for number in range(1, 31)])
    reader = Reader(store, no_release, workers, TraceBounds(10_000, 50_000, "queries"))
    async with client_of(reader) as client:
        found = await client.get("/api/traces", params={"service": "shop"})
        document = found.json()
        assert 0 < len(document["data"]) == document["total"] < 30
        assert len(found.content) < 80_000
        assert "traces more do not fit into an answer (queries.max_bytes)" in document["errors"][0]["msg"]
    await store.stop()


async def test_a_search_whose_time_is_over_says_so_on_every_way(tmp_path: Path, workers: Workers) -> None:
    store = await stored(tmp_path, [trace(number, 2) for number in range(1, 31)], seconds=0)
    counters = Counters()
    reader = Reader(store, no_release, workers, counters=counters)
    async with client_of(reader) as client:
        found = await client.get("/api/traces", params={"service": "shop"})
        assert found.status_code == 200
        assert found.json()["errors"][0]["code"] == 206
        assert "queries.max_seconds" in found.headers[PARTIAL_HEADER]
        called = await client.get("/api/dependencies", params={"endTs": "9" * 13, "lookback": "9" * 13})
        assert "queries.max_seconds" in called.json()["errors"][0]["msg"]
    server = grpc.aio.server()
    remote_storage.add_to(server, reader)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = trace_storage_pb2_grpc.TraceReaderStub(channel).FindTraceIDs(trace_storage_pb2.FindTracesRequest())
        await call
        said = dict(await call.trailing_metadata() or ())
        assert "queries.max_seconds" in str(said["otel-opto-partial"])
    await server.stop(None)
    assert counters.snapshot()[Counter.QUERIES_PARTIAL] == 3
    await store.stop()


class Endless(SegmentSearch):
    """Every search takes until its caller has left."""

    def __init__(self, segments: Segments) -> None:
        super().__init__(segments, 3.0)
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def find(self, query: object) -> object:  # type: ignore[override]
        self.begun.set()
        try:
            await asyncio.sleep(3_600)
        finally:
            self.ended.set()
        return None


async def test_a_call_that_is_cancelled_ends_its_search(tmp_path: Path, workers: Workers) -> None:
    store = FileStore(tmp_path, TickingClock())
    store.search = endless = Endless(store.segments)
    await store.start()
    server = grpc.aio.server()
    remote_storage.add_to(server, Reader(store, no_release, workers))  # type: ignore[arg-type]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = trace_storage_pb2_grpc.TraceReaderStub(channel).FindTraceIDs(trace_storage_pb2.FindTracesRequest())
        asking = asyncio.ensure_future(call)
        await asyncio.wait_for(endless.begun.wait(), 20)
        call.cancel()
        await asyncio.wait_for(endless.ended.wait(), 20)
        with pytest.raises(asyncio.CancelledError):
            await asking
    await server.stop(None)
    await store.stop()
