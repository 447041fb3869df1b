"""Sockets and servers: how the receivers and the API reach the network."""

import asyncio
import functools
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from collector.core.errors import ConfigError
from collector.counters import Counter
from collector.process.network.connections import Connections
from collector.process.network.http_protocol import HttpProtocol
from collector.process.network.in_place import InPlace

_DRAIN_SECONDS = 5
_BREATH_SECONDS = 0.05


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
        connections: Bounds and keeps those of this listener.
        tls: Certificates; None serves plain HTTP.

    Raises:
        ConfigError: the address cannot be bound.
    """

    def __init__(
        self, application: ASGIApp, endpoint: str, key: str, connections: Connections, tls: Tls | None = None
    ) -> None:
        self._tls = tls.context(key) if tls is not None else None
        self._socket = _bind(endpoint, key)
        self.address = _address(self._socket)
        self._connections = connections
        self._config = uvicorn.Config(
            application, interface="asgi3", ws="none", proxy_headers=False, lifespan="off", log_config=None
        )
        self._config.load()
        self._state = ServerState()
        self._accepting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once it accepts connections."""
        self._connections.start(asyncio.get_running_loop())
        self._accepting = asyncio.create_task(self._accept())

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(self._socket)
            except OSError:  # no descriptor is left, or no memory
                self._connections.make_place()
                await asyncio.sleep(_BREATH_SECONDS)
                continue
            if not self._connections.admit():
                accepted.close()
                continue
            self._connections.begin(loop.create_task(self._connect(accepted)))

    async def _connect(self, accepted: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None
        opened = functools.partial(self._connections.opened, task)
        handshake = self._connections.limits.head_seconds if self._tls is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: InPlace(HttpProtocol(self._config, self._state, self._connections), opened),
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=handshake,
            )
        except (OSError, asyncio.CancelledError):  # ssl.SSLError and TimeoutError are OSErrors
            self._connections.counters.add(Counter.HTTP_FAILED_HANDSHAKES)
            accepted.close()

    def release(self) -> None:
        """Lets the address go, unstarted."""
        self._socket.close()

    async def stop(self) -> None:
        """Finishes what is under way and closes. Safe twice and unstarted."""
        accepting, self._accepting = self._accepting, None
        if accepting is not None:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
        self.release()
        self._connections.stop()
        for connection in self._connections:
            connection.shutdown()
        await self._connections.closed(_DRAIN_SECONDS)
        for connection in self._connections:
            connection.give_up()
        for answering in list(self._state.tasks):
            answering.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)


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
