"""Sockets and servers: how the receivers and the API reach the network."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import uvicorn
from starlette.types import ASGIApp

from collector.bulk_http import BulkHttpProtocol
from collector.core.errors import ConfigError

_DRAIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificates of a server, PEM files.

    Attributes:
        client_ca_file: Where given, clients have to show a certificate that it signs.
    """

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None

    def context(self, key: str) -> ssl.SSLContext:
        """For HTTP.

        Raises:
            ConfigError: the files are no certificate and its key.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert_file, self.key_file)
            if self.client_ca_file is not None:
                context.load_verify_locations(self.client_ca_file)
                context.verify_mode = ssl.CERT_REQUIRED
        except (ssl.SSLError, OSError) as error:
            raise ConfigError([f"config: {key}: the certificate cannot be used: {error}"]) from error
        return context

    def credentials(self) -> grpc.ServerCredentials:
        """For gRPC."""
        authorities = self.client_ca_file.read_bytes() if self.client_ca_file else None
        pair = (self.key_file.read_bytes(), self.cert_file.read_bytes())
        return grpc.ssl_server_credentials([pair], authorities, require_client_auth=authorities is not None)


class HttpListener:
    """An ASGI application on a socket of its own.

    Args:
        application: What is served.
        endpoint: HOST:PORT; port 0 takes a free one.
        key: The key path of the endpoint, for the error.
        tls: Certificates; None serves plain HTTP.

    Raises:
        ConfigError: the address cannot be bound.
    """

    def __init__(self, application: ASGIApp, endpoint: str, key: str, tls: Tls | None = None) -> None:
        context = tls.context(key) if tls is not None else None
        self._socket = _bind(endpoint, key)
        self.address = _address(self._socket)
        config = uvicorn.Config(
            application,
            loop="none",
            http=BulkHttpProtocol,
            interface="asgi3",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        config.load()
        config.ssl = context
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once it accepts connections."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn has a flag, no event
            await asyncio.sleep(0.002)
        if self._task.done():
            self._task.result()

    def release(self) -> None:
        """Lets the address go, unstarted."""
        self._socket.close()

    async def stop(self) -> None:
        """Finishes what is under way and closes. Safe twice and unstarted."""
        if self._task is None:
            self.release()
            return
        self._server.should_exit = True
        await self._task


class _Server(uvicorn.Server):
    """Leaves the signals to the process that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class GrpcListener:
    """A gRPC server on a port of its own. Arguments and errors as of `HttpListener`."""

    def __init__(self, server: grpc.aio.Server, endpoint: str, key: str, tls: Tls | None = None) -> None:
        self._server = server
        host = endpoint.rsplit(":", 1)[0]
        # gRPC says only "failed to bind", and it would share a port that another collector has: look ourselves first.
        _bind(endpoint, key).close()
        try:
            port = server.add_secure_port(endpoint, tls.credentials()) if tls else server.add_insecure_port(endpoint)
        except RuntimeError as error:
            raise ConfigError([f"config: {key}: {endpoint} cannot be bound: {error}"]) from error
        self.address = f"{host}:{port}"

    async def start(self) -> None:
        """Returns once it accepts connections."""
        await self._server.start()

    def release(self) -> None:
        """Lets the address go, unstarted: gRPC does so when the server is forgotten."""

    async def stop(self) -> None:
        """Finishes what is under way and closes. Safe twice and unstarted."""
        await self._server.stop(_DRAIN_SECONDS)


def _bind(endpoint: str, key: str) -> socket.socket:
    host, port = endpoint.rsplit(":", 1)
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    try:
        bound = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=1024)
    except OSError as error:
        raise ConfigError(
            [f"config: {key}: {endpoint} cannot be bound: {error.strerror}; stop what listens there or choose another"]
        ) from error
    bound.setblocking(False)
    return bound


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if bound.family == socket.AF_INET6 else f"{host}:{port}"
