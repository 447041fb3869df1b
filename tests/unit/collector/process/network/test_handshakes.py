"""TLS handshakes that never end."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from collector.counters import Counter, Counters
from collector.process.network.connections import Connections
from collector.process.network.listeners import HttpListener, Tls
from collector.process.network.patience import HttpLimits
from collector.receiver.limits import Budget


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    directory = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    subprocess.run(command.split(), cwd=directory, check=True, capture_output=True)
    return Tls(Path(directory / "cert.pem"), Path(directory / "key.pem"))


async def hello(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def serving(tls: Tls, limits: HttpLimits) -> AsyncIterator[tuple[int, Counters]]:
    counters = Counters()
    listener = HttpListener(
        hello, "127.0.0.1:0", "test", Connections(limits, counters, Budget(2**20), lambda _: False), tls
    )
    await listener.start()
    try:
        yield int(listener.address.rpartition(":")[2]), counters
    finally:
        await listener.stop()


async def asked(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answered = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answered


async def silent(port: int, number: int, said: bytes = b"") -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(number)]
    for _, writer in opened:
        writer.write(said)
    return opened


async def test_those_who_never_end_theirs_do_not_keep_others_out(tls: Tls) -> None:
    async with serving(tls, HttpLimits(max_connections=4)) as (port, counters):
        opened = await silent(port, 12)
        for _ in range(3):
            assert (await asked(port)).startswith(b"HTTP/1.1 200 OK")
        assert counters.snapshot()[Counter.HTTP_EVICTED_CONNECTIONS] >= 8
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize(
    "said", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 1000]
)
async def test_it_has_a_time_and_what_is_none_is_counted(tls: Tls, said: bytes) -> None:
    async with serving(tls, HttpLimits(head_seconds=0.3)) as (port, counters):
        ((reader, writer),) = await silent(port, 1, said)
        await asyncio.wait_for(reader.read(), 10)
        assert counters.snapshot()[Counter.HTTP_FAILED_HANDSHAKES] == 1
        assert (await asked(port)).startswith(b"HTTP/1.1 200 OK")
        writer.close()
