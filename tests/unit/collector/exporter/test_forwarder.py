"""Forwarding from a real store to real OTLP servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

from collector.core.errors import InvalidRequest, Unavailable
from collector.core.telemetry import Encoding, IngestResult, Signal
from collector.counters import Counter, Counters
from collector.exporter.destination import Destination
from collector.exporter.forwarder import Forwarder
from collector.exporter.grpc_sender import GrpcSender
from collector.exporter.http_sender import HttpSender
from collector.otlp.request import read_logs, read_traces
from collector.process.network.connections import Connections
from collector.process.network.listeners import GrpcListener, HttpListener
from collector.process.network.patience import HttpLimits
from collector.receiver import otlp_grpc
from collector.receiver.limits import Budget, ReceiverLimits
from collector.receiver.otlp_http import OtlpHttp
from collector.storage.file_store import FileStore
from tests import samples
from tests.clocks import TickingClock


@dataclass
class Peer:
    """An OTLP server that keeps what it gets, and answers with what is queued first."""

    address: str = ""
    kept: list[tuple[Signal, bytes, tuple[str, ...]]] = field(default_factory=list)
    answers: list[Exception | IngestResult] = field(default_factory=list)

    async def ingest(
        self, signal: Signal, body: bytes, hops: tuple[str, ...] = (), encoding: Encoding = Encoding.PROTOBUF
    ) -> IngestResult:
        answer = self.answers.pop(0) if self.answers else IngestResult(1)
        if isinstance(answer, Exception):
            raise answer
        self.kept.append((signal, body, hops))
        return answer


@asynccontextmanager
async def serving(peer: Peer, over: str, address: str = "127.0.0.1:0") -> AsyncIterator[Peer]:
    limits, counters = ReceiverLimits(), Counters()
    budget = Budget(limits.max_in_flight_bytes)
    listener: GrpcListener | HttpListener
    if over == "grpc":
        server = grpc.aio.server(options=otlp_grpc.server_options(limits, 100))
        server.add_generic_rpc_handlers(otlp_grpc.handlers(peer, counters, budget))
        listener = GrpcListener(server, address, "test")
    else:
        connections = Connections(HttpLimits(), counters, budget, lambda _: True)
        listener = HttpListener(OtlpHttp(peer, counters, limits, budget), address, "test", connections)
    await listener.start()
    peer.address = listener.address
    yield peer
    await listener.stop()


@asynccontextmanager
async def forwarding(
    store: FileStore, peer: Peer, over: str, counters: Counters, **changed: object
) -> AsyncIterator[None]:
    destination = Destination(
        "peer",
        f"http://{peer.address}",
        over_http=over == "http",
        from_beginning=True,
        **changed,  # type: ignore[arg-type]
    )
    sender = HttpSender(destination) if destination.over_http else GrpcSender(destination)
    task = asyncio.create_task(
        Forwarder(destination, sender, store.log, store.deliveries, "me", counters, lambda: 0.0).run()
    )
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FileStore]:
    made = FileStore(tmp_path, TickingClock())
    await made.start()
    yield made
    await made.stop()


def request(number: int) -> object:
    return read_traces(samples.traces_request([samples.span(number, 1)]), 1, ("far",)).request


@pytest.fixture(params=["grpc", "http"])
def over(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("gzip", [True, False])
async def test_everything_arrives_in_order_and_as_it_came(store: FileStore, over: str, gzip: bool) -> None:
    counters, peer = Counters(), Peer()
    sent = [request(number) for number in range(1, 6)]
    logs = read_logs(samples.logs_request([samples.evaluation(1, 1)]), 1).request
    for one in sent[:3]:
        await store.log.append(one)  # type: ignore[arg-type]
    async with serving(peer, over), forwarding(store, peer, over, counters, gzip=gzip):
        await until(lambda: len(peer.kept) == 3)
        await store.log.append(logs)
        for one in sent[3:]:
            await store.log.append(one)  # type: ignore[arg-type]
        # The peer has a request before its sender knows that: what is counted is known last.
        await until(lambda: counters.snapshot()[Counter.EXPORTER_SENT_SPANS] == 5)
    assert [body for signal, body, _ in peer.kept if signal is Signal.TRACES] == [one.body for one in sent]  # type: ignore[attr-defined]
    assert peer.kept[3] == (Signal.LOGS, logs.body, ("me",))
    assert peer.kept[0][2] == ("far", "me")
    counted = counters.snapshot()
    assert counted[Counter.EXPORTER_SENT_LOG_RECORDS] == 1
    assert counted[Counter.EXPORTER_DROPPED_ITEMS] == 0


async def test_a_dead_destination_is_waited_for_and_nothing_is_lost(store: FileStore, over: str) -> None:
    counters, peer = Counters(), Peer()
    async with serving(peer, over):
        pass
    for number in range(1, 4):
        await store.log.append(request(number))  # type: ignore[arg-type]
    async with forwarding(store, peer, over, counters, timeout_seconds=1.0):
        await until(lambda: counters.snapshot()[Counter.EXPORTER_SEND_FAILED_REQUESTS] > 0)
        async with serving(peer, over, peer.address):
            await until(lambda: counters.snapshot()[Counter.EXPORTER_SENT_SPANS] == 3)
    assert len(peer.kept) == 3


async def test_a_passing_refusal_is_tried_again_and_a_final_one_counted(store: FileStore, over: str) -> None:
    counters, peer = Counters(), Peer()
    peer.answers = [Unavailable("later", 1), InvalidRequest("never"), IngestResult(0, 1, "one was wrong")]
    for number in range(1, 5):
        await store.log.append(request(number))  # type: ignore[arg-type]
    async with serving(peer, over), forwarding(store, peer, over, counters):
        await until(lambda: counters.snapshot()[Counter.EXPORTER_SENT_SPANS] == 2)
    counted = counters.snapshot()
    assert counted[Counter.EXPORTER_SEND_FAILED_REQUESTS] == 1
    assert counted[Counter.EXPORTER_DROPPED_ITEMS] == 2


async def test_it_goes_on_where_it_was_after_a_restart(store: FileStore, over: str) -> None:
    counters, peer = Counters(), Peer()
    async with serving(peer, over):
        for numbers in (range(1, 3), range(3, 6)):
            before = len(peer.kept)
            for number in numbers:
                await store.log.append(request(number))  # type: ignore[arg-type]
            async with forwarding(store, peer, over, counters):
                await until(lambda: len(peer.kept) >= before + len(numbers))  # noqa: B023
                position = await store.log.newest_position()
                async with asyncio.timeout(10):
                    while await store.deliveries.position("peer") != position:
                        await asyncio.sleep(0.02)
    assert len(peer.kept) == 5


async def test_a_new_destination_gets_what_comes_from_now_on(store: FileStore) -> None:
    counters, peer = Counters(), Peer()
    await store.log.append(request(1))  # type: ignore[arg-type]
    async with serving(peer, "grpc"):
        destination = Destination("peer", f"http://{peer.address}")
        task = asyncio.create_task(
            Forwarder(destination, GrpcSender(destination), store.log, store.deliveries, "me", counters).run()
        )
        async with asyncio.timeout(10):
            while await store.deliveries.position("peer") is None:
                await asyncio.sleep(0.02)
        await store.log.append(request(2))  # type: ignore[arg-type]
        await until(lambda: len(peer.kept) == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert peer.kept[0][1] == request(2).body  # type: ignore[attr-defined]


async def test_what_is_damaged_is_passed_over_and_counted(tmp_path: Path, over: str) -> None:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    for number in range(1, 6):
        await store.log.append(request(number))  # type: ignore[arg-type]
    middle = (await store.log.requests_after(0, 10**9))[2]
    (path,) = (tmp_path / "segments").glob("*.otlp")
    content = bytearray(path.read_bytes())
    content[content.index(middle.body) + 20] ^= 0xFF
    path.write_bytes(content)
    counters, peer = Counters(), Peer()
    async with serving(peer, over), forwarding(store, peer, over, counters):
        await until(lambda: counters.snapshot()[Counter.EXPORTER_SENT_SPANS] == 4)
    assert [body for _, body, _ in peer.kept] == [request(number).body for number in (1, 2, 4, 5)]  # type: ignore[attr-defined]
    counts = counters.snapshot()
    assert counts[Counter.EXPORTER_DROPPED_ITEMS] == 1
    assert counts[Counter.EXPORTER_DAMAGED_BYTES] > len(middle.body)
    assert counts[Counter.EXPORTER_SENT_SPANS] == 4
    await store.stop()
