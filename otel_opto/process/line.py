"""One connection to the collector, from its opening to its end."""

import inspect
import threading
from collections.abc import Callable  # noqa: TC003 - of an annotation
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from otel_opto.v1 import parameter_pb2_grpc, release_pb2_grpc

CHANNEL_OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # gRPC's own reconnects wait longer and longer; ours decide.
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    # Otherwise every release is followed by a ping that measures the line, which costs a collector with a thousand
    # applications a quarter of all that a release costs it.
    ("grpc.http2.bdp_probe", 0),
    # What is in force comes as one message, with up to 64 releases where studies cross; as much is kept on disk.
    ("grpc.max_receive_message_length", 32 * 2**20),
)
"""Of the connection to the collector."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the collector is, and who asks.

    Attributes:
        address: HOST:PORT.
        secure: With TLS, checked against the authorities of `certificate`, else against the system's.
        headers: Sent with every call, for example ``authorization``.
        origin: What says so, in words.
        client_certificate: With `client_key`, shown to a collector that wants one.
    """

    address: str
    secure: bool
    service: str
    instance_id: str
    certificate: Path | None = None
    headers: tuple[tuple[str, str], ...] = ()
    origin: str = "endpoint="
    client_certificate: Path | None = None
    client_key: Path | None = None


class Line:
    """A channel with its stubs and the threads that speak on it.

    Attributes:
        stopping: Set once it ends.
        stream: The call that watches releases, where one runs: an iterator too, grpc's types have no word for it.
    """

    def __init__(self, target: Target) -> None:
        self.stopping = threading.Event()
        self.stream: Any = None
        self.channel = _channel(target)
        self.parameters = parameter_pb2_grpc.ParameterServiceStub(self.channel)
        self.releases = release_pb2_grpc.ReleaseServiceStub(self.channel)
        self._threads: list[threading.Thread] = []

    def begin(self, *threads: threading.Thread) -> None:
        """Starts what speaks on it."""
        self._threads += threads
        for thread in threads:
            thread.start()

    def stop(self) -> None:
        """Ends every call under way."""
        self.stopping.set()
        if self.stream is not None:
            self.stream.cancel()
        self.channel.close()

    def join(self, seconds: float) -> None:
        """Waits for its threads, so long each at most."""
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(seconds)


def _channel(target: Target) -> grpc.Channel:
    """As gRPC makes it: instrumentations wrap these functions, and ours are no calls of the application."""
    if not target.secure:
        insecure: Callable[..., grpc.Channel] = inspect.unwrap(grpc.insecure_channel)
        return insecure(target.address, CHANNEL_OPTIONS)
    certificate, key, own = target.certificate, target.client_key, target.client_certificate
    credentials = grpc.ssl_channel_credentials(
        certificate.read_bytes() if certificate else None,
        key.read_bytes() if key else None,
        own.read_bytes() if own else None,
    )
    secure: Callable[..., grpc.Channel] = inspect.unwrap(grpc.secure_channel)
    return secure(target.address, credentials, CHANNEL_OPTIONS)
