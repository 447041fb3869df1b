"""HTTP on real sockets: what a client may cost before and after anybody knows who it is."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from collector.core.errors import CollectorError
from collector.counters import Counter, Counters
from collector.process.network.connections import Connections
from collector.process.network.listeners import HttpListener
from collector.process.network.patience import HttpLimits
from collector.receiver.limits import RESERVATION, Budget

MIB = 2**20
QUICK = HttpLimits(
    max_connections=8,
    idle_seconds=0.6,
    head_seconds=0.3,
    body_seconds=3,
    window_seconds=0.4,
    window_bytes=1000,
    answer_seconds=0.3,
    linger_seconds=0.3,
)


@dataclass(slots=True)
class Application:
    """Answers with the length of the body; /deaf does not read it, /slow waits until it is let go, /large says much."""

    bodies: list[bytes] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: list[CollectorError] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append((scope["method"], scope["path"]))
        status, said = 200, b""
        if scope["path"] == "/large":
            said = bytes(20 * MIB)
        elif scope["path"] != "/deaf":
            body, more = b"", True
            try:
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    body, more = body + message["body"], message["more_body"]
            except CollectorError as error:
                self.faults.append(error)
                status = 503
            self.held.append(scope[RESERVATION].size)
            self.bodies.append(body)
            said = str(len(body)).encode()
        if scope["path"] == "/slow":
            await self.go.wait()
        headers = [(b"content-length", str(len(said)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})


@dataclass(slots=True)
class Served:
    application: Application
    counters: Counters
    budget: Budget
    connections: Connections
    port: int
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    def counted(self, counter: Counter) -> int:
        return self.counters.snapshot()[counter]

    async def connect(self, limit: int = 64 * MIB) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=limit)
        self.clients.append(writer)
        return reader, writer

    async def say(self, *pieces: bytes) -> bytes:
        """Everything that is answered until the server closes."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()


@asynccontextmanager
async def serving(limits: HttpLimits = QUICK, budget: int = 16 * MIB) -> AsyncIterator[Served]:
    application, counters, held = Application(), Counters(), Budget(budget)
    connections = Connections(limits, counters, held, lambda scope: scope["path"].startswith("/known"))
    listener = HttpListener(application, "127.0.0.1:0", "test", connections)
    await listener.start()
    served = Served(application, counters, held, connections, int(listener.address.rpartition(":")[2]))
    try:
        yield served
    finally:
        application.go.set()
        await listener.stop()
        for client in served.clients:
            client.close()
            with contextlib.suppress(OSError):
                await client.wait_closed()


def request(
    path: str = "/", *headers: str, body: bytes = b"", method: str = "POST", length: int | None = None
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if body or length is not None:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def eventually(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not look():
            await asyncio.sleep(0.02)


@given(
    st.lists(st.binary(max_size=200_000), min_size=1, max_size=4),
    st.lists(st.integers(1, 70_000), max_size=12),
    st.booleans(),
)
def test_any_cut_of_any_requests_is_the_same_to_the_application(
    bodies: Sequence[bytes], cuts: Sequence[int], chunked: bool
) -> None:
    async def run() -> None:
        stream = b""
        for body in bodies:
            if chunked:
                pieces = [body[i : i + 5000] for i in range(0, len(body), 5000)]
                framed = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
                stream += request("/", "Transfer-Encoding: chunked") + framed + b"0\r\nTrailer: 1\r\n\r\n"
            else:
                stream += request("/", body=body, length=len(body))
        pieces, rest = [], stream
        for cut in cuts:
            pieces.append(rest[:cut])
            rest = rest[cut:]
        async with serving() as served:
            answered = await served.say(*pieces, rest, request("/deaf", "Connection: close", method="GET"))
            assert answered.count(b"HTTP/1.1 200 OK") == len(bodies) + 1
            assert served.application.bodies == list(bodies)
            assert served.budget.taken == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "pieces",
    [
        (request("/", "A: " + "x" * 70_000),),
        (request("/" + "x" * 70_000),),
        (b"GET / HTTP/1.1\r\nA: ", *[b"x" * 10_000] * 8),
        (b"GET / HTTP/1.1\r\n", *[b"".join(b"h%d: x\r\n" % i for i in range(300))]),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"a: " + b"v" * 4000 + b"\r\n"] * 40),
        (b"GET /", *[b"y" * 9_000] * 9),
    ],
)
async def test_a_head_without_end_is_431_and_the_connection_is_closed(pieces: Sequence[bytes]) -> None:
    async with serving() as served:
        assert (await served.say(*pieces)).startswith(b"HTTP/1.1 431 ")
        assert served.counted(Counter.HTTP_TOO_LARGE_HEADS) == 1
        assert served.application.requests == []
        assert served.connections.heads.taken == 0


async def test_trailers_without_end_are_refused_too() -> None:
    async with serving() as served:
        head = request("/", "Transfer-Encoding: chunked") + b"1\r\nx\r\n0\r\n"
        assert b"503" in await served.say(head, *[b"t: " + b"v" * 4000 + b"\r\n"] * 40)
        assert served.counted(Counter.HTTP_TOO_LARGE_HEADS) == 1


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 5000, b"HELO x\r\n\r\n"],
)
async def test_what_is_no_request_is_400(garbage: bytes) -> None:
    async with serving() as served:
        assert (await served.say(garbage)).startswith(b"HTTP/1.1 400 ")
        assert served.counted(Counter.HTTP_MALFORMED_REQUESTS) == 1


async def test_garbage_behind_a_request_does_not_break_into_its_answer() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(request("/slow", body=b"abc") + b"\x00garbage")
        await eventually(lambda: served.counted(Counter.HTTP_MALFORMED_REQUESTS) == 1)
        served.application.go.set()
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()


async def test_malformed_chunks_are_told_to_the_application() -> None:
    async with serving() as served:
        answered = await served.say(request("/", "Transfer-Encoding: chunked"), b"5\r\nabcde\r\nzz\r\n")
        assert b" 503 " in answered
        assert "malformed" in str(served.application.faults[0])
        assert served.budget.taken == 0


async def test_requests_of_one_connection_wait_in_a_bounded_line() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(request("/slow", body=b"a") + request("/deaf", method="GET") * 5000)
        await eventually(lambda: served.counted(Counter.HTTP_MALFORMED_REQUESTS) == 1)
        served.application.go.set()
        answered = await reader.read()
        assert answered.count(b"200 OK") == 1 + QUICK.max_pipelined
        assert b"connection: close" in answered
        writer.close()


async def test_the_next_head_does_not_grow_while_an_answer_is_awaited() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(request("/slow", body=b"abc") + b"GET / HTTP/1.1\r\nA: ")
        await eventually(lambda: len(served.application.bodies) == 1)
        for _ in range(40):
            writer.write(bytes(MIB).replace(b"\0", b"x"))
        await asyncio.sleep(0.3)
        sent = 40 * MIB - writer.transport.get_write_buffer_size()
        assert sent < 20 * MIB  # what the system's buffers take
        served.application.go.set()
        answered = await reader.read()
        assert answered.startswith(b"HTTP/1.1 200 OK")
        assert b"HTTP/1.1 431 " in answered


async def test_slow_heads_bodies_and_silence_have_an_end() -> None:
    async with serving() as served:
        silent, head, body, dripping = [await served.connect() for _ in range(4)]
        head[1].write(b"POST / HTTP/1.1\r\nHost")
        body[1].write(request("/", length=5000))
        dripping[1].write(request("/", "Transfer-Encoding: chunked"))

        async def drip() -> None:
            while True:
                dripping[1].write(b"1;" + b"e" * 500 + b"\r\nx\r\n")
                await asyncio.sleep(0.05)

        dripped = asyncio.create_task(drip())
        assert await silent[0].read() == b""
        assert (await head[0].read()).startswith(b"HTTP/1.1 408 ")
        assert b" 503 " in await body[0].read()
        assert b" 503 " in await dripping[0].read()
        assert served.counted(Counter.HTTP_TIMED_OUT_REQUESTS) == 3
        assert all("too slowly" in str(fault) for fault in served.application.faults)
        assert served.budget.taken == 0
        dripped.cancel()
        for _, writer in (silent, head, body, dripping):
            writer.close()


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with serving() as served:
        _, writer = await served.connect(limit=1024)
        writer.write(request("/large", method="GET"))
        await eventually(lambda: served.counted(Counter.HTTP_TIMED_OUT_REQUESTS) == 1)
        await eventually(lambda: len(served.connections) == 0)


async def test_the_body_of_who_is_refused_for_his_head_is_not_taken_in() -> None:
    async with serving() as served:
        answered = await served.say(request("/deaf", length=50 * MIB), *[bytes(MIB)] * 4)
        assert answered.startswith(b"HTTP/1.1 200 OK")
        assert b"connection: close" in answered
        assert served.budget.taken == 0


async def test_who_asks_before_he_sends_is_answered_before() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(request("/", "Expect: 100-continue", length=3))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
        writer.close()
        refused = await served.say(request("/deaf", "Expect: 100-continue", length=3))
        assert refused.startswith(b"HTTP/1.1 200 OK")
        assert b"100 Continue" not in refused


async def test_http_1_0_is_answered_and_closed() -> None:
    async with serving() as served:
        answered = await served.say(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
        assert answered.endswith(b"\r\n\r\n3")


@pytest.mark.parametrize("chunked", [False, True])
async def test_what_is_being_received_is_charged_and_the_slow_make_room(chunked: bool) -> None:
    limits = HttpLimits(max_connections=100)
    async with serving(limits, budget=8 * MIB) as served:
        held = []
        for _ in range(40):
            reader, writer = await served.connect()
            if chunked:
                writer.write(request("/", "Transfer-Encoding: chunked") + b"%x\r\n" % MIB + bytes(MIB - 1))
            else:
                writer.write(request("/", length=MIB) + bytes(MIB - 1))
            await writer.drain()
            held.append((reader, writer))
        await eventually(lambda: served.counted(Counter.HTTP_SHED_REQUESTS) >= 32)
        assert served.budget.taken <= 8 * MIB
        await asyncio.sleep(2.1)  # what comes in for longer is slow
        answered = await served.say(request("/", "Connection: close", body=bytes(MIB)))
        assert answered.endswith(b"\r\n\r\n%d" % MIB)
        for _, writer in held:
            writer.close()
        await eventually(lambda: len(served.connections) == 0 and served.budget.taken == 0)


async def test_where_all_places_are_taken_the_longest_silence_goes() -> None:
    async with serving(HttpLimits(max_connections=8)) as served:
        silent = [await served.connect() for _ in range(8)]
        busy = silent.pop()
        busy[1].write(request("/slow", body=b"x"))
        await eventually(lambda: len(served.application.requests) == 1)
        for _ in range(20):
            assert b"200 OK" in await served.say(request("/deaf", "Connection: close", method="GET"))
        assert await silent[0][0].read() == b""
        assert served.counted(Counter.HTTP_EVICTED_CONNECTIONS) >= 1
        served.application.go.set()
        assert b"200 OK" in await busy[0].readuntil(b"\r\n\r\n")
        for _, writer in (*silent, busy):
            writer.close()


async def test_where_all_places_are_at_work_another_connection_is_refused() -> None:
    async with serving(HttpLimits(max_connections=3)) as served:
        busy = [await served.connect() for _ in range(3)]
        for _, writer in busy:
            writer.write(request("/slow", body=b"x"))
        await eventually(lambda: len(served.application.requests) == 3)
        reader, writer = await served.connect()
        assert await reader.read() == b""
        assert served.counted(Counter.HTTP_REFUSED_CONNECTIONS) == 1
        for _, one in (*busy, (reader, writer)):
            one.close()


async def test_a_stopping_server_answers_what_it_has_begun() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(request("/slow", body=b"abc"))
        await eventually(lambda: len(served.application.bodies) == 1)
    assert (await reader.read()).endswith(b"\r\n\r\n3")
    writer.close()


async def test_what_a_connection_held_is_gone_with_it_without_the_collector_of_garbage() -> None:
    gc.collect()
    gc.disable()
    try:
        async with serving(HttpLimits(), budget=2 * MIB) as served:
            for path in ("/", "/deaf"):
                for length in (MIB, 3 * MIB):
                    await served.say(request(path, "Connection: close", length=length) + bytes(length))
            reader, writer = await served.connect()
            writer.write(request("/", length=MIB) + bytes(1000))
            await eventually(lambda: served.budget.taken > 0)
            writer.close()
            await eventually(lambda: served.budget.taken == 0 and len(served.connections) == 0)
            del reader, writer
            await asyncio.sleep(0)
            kept = [one for one in gc.get_objects() if type(one).__name__ in ("HttpProtocol", "Cycle", "ArrivingBody")]
            assert kept == []
    finally:
        gc.enable()
