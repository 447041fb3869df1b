"""Messages over gRPC are let in as there is room for them, on real connections of which some are slow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import pytest

from collector.access.grpc_guard import GrpcGuard
from collector.access.tokens import Access, Scope, Token
from collector.counters import Counter, Counters
from collector.process.network.grpc_gate import GrpcGate
from collector.receiver import otlp_grpc
from collector.receiver.limits import ReceiverLimits

MIB = 2**20
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass(slots=True)
class Peer:
    address: str
    counters: Counters
    received: list[int] = field(default_factory=list)
    _proxies: list[asyncio.Server] = field(default_factory=list)
    _passing: set[asyncio.Task[None]] = field(default_factory=set)

    async def slow_address(self, passed: int) -> str:
        """An address of which only so many bytes of each connection come through."""

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._passing.add(asyncio.create_task(self._pass(reader, writer, passed)))

        proxy = await asyncio.start_server(accepted, "127.0.0.1", 0)
        self._proxies.append(proxy)
        return f"127.0.0.1:{proxy.sockets[0].getsockname()[1]}"

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: int) -> None:
        host, _, port = self.address.rpartition(":")
        inner, to_inner = await asyncio.open_connection(host, int(port))

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: float) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(16384):
                    if left > 0:
                        sink.write(data)
                    left -= len(data)
            sink.close()

        try:
            await asyncio.gather(copy(reader, to_inner, passed), copy(inner, writer, float("inf")))
        finally:
            for one in (writer, to_inner):
                one.transport.abort()
                with contextlib.suppress(OSError):
                    await one.wait_closed()

    async def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)


@asynccontextmanager
async def peer(places: int, access: Access | None = None) -> AsyncIterator[Peer]:
    counters = Counters()
    guards = (GrpcGuard(access, otlp_grpc.RPCS, counters),) if access else ()
    options = otlp_grpc.server_options(ReceiverLimits(max_message_bytes=8 * MIB), 100)
    server = grpc.aio.server(options=options, interceptors=(*guards, GrpcGate(places, counters)))
    served = Peer("", counters)

    async def export(body: bytes, _: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        served.received.append(len(body))
        return b""

    service, _, method = EXPORT[1:].partition("/")
    handler = grpc.unary_unary_rpc_method_handler(export)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    served.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield served
    finally:
        await server.stop(0)
        await served.close()


async def send(address: str, size: int, token: str = "") -> str:
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0))
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        try:
            await channel.unary_unary(EXPORT)(bytes(size), timeout=20, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"


async def test_many_messages_go_through_few_places() -> None:
    async with peer(places=2) as served:
        assert await asyncio.gather(*(send(served.address, MIB) for _ in range(20))) == ["OK"] * 20
        assert served.received == [MIB] * 20
        assert served.counters.snapshot()[Counter.GRPC_SHED_REQUESTS] == 0


async def test_the_slow_give_their_places_to_those_who_wait() -> None:
    async with peer(places=2) as served:
        slow = await served.slow_address(passed=MIB)
        held = [asyncio.create_task(send(slow, 4 * MIB)) for _ in range(4)]
        await asyncio.sleep(0.3)
        assert await send(served.address, MIB) == "OK"
        assert await asyncio.gather(*(send(served.address, MIB) for _ in range(5))) == ["OK"] * 5
        assert served.counters.snapshot()[Counter.GRPC_SHED_REQUESTS] == 3
        done, stalled = await asyncio.wait(held, timeout=5)
        assert [task.result() for task in done] == ["UNAVAILABLE"] * 3
        for task in stalled:  # in the plain place: it harms nobody
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)


async def test_a_place_is_free_again_when_its_sender_has_gone() -> None:
    async with peer(places=1) as served:
        slow = await served.slow_address(passed=MIB)
        for _ in range(3):
            held = asyncio.create_task(send(slow, 4 * MIB))
            waiting = asyncio.create_task(send(slow, 4 * MIB))
            await asyncio.sleep(0.2)
            for task in (waiting, held):
                task.cancel()
            await asyncio.gather(held, waiting, return_exceptions=True)
        assert await send(served.address, MIB) == "OK"


async def test_who_is_not_known_takes_no_place_and_is_not_read() -> None:
    access = Access([Token("app", "t" * 16, frozenset({Scope.INGEST}))])
    async with peer(places=1, access=access) as served:
        slow = await served.slow_address(passed=MIB)
        assert await asyncio.gather(*(send(slow, 60 * MIB) for _ in range(4))) == ["UNAUTHENTICATED"] * 4
        assert await send(served.address, MIB, "t" * 16) == "OK"
        assert served.received == [MIB]


@pytest.mark.parametrize("size", [8 * MIB + 1, 60 * MIB])
async def test_larger_messages_are_refused_before_they_are_read(size: int) -> None:
    async with peer(places=2) as served:
        assert await send(served.address, size) == "RESOURCE_EXHAUSTED"
        assert served.received == []
