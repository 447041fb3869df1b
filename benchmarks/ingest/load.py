"""The load: a closed loop over OTLP/gRPC or OTLP/HTTP on loopback, in a process of its own.

    python -m benchmarks.ingest.load http 127.0.0.1:4318 --connections 4 --requests 1000 --spans 512

Prints one JSON object. Bounded by the number of requests, and by a time.
"""

import argparse
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from benchmarks.ingest.payload import Template, template

_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_TEMPLATES = 8
_TIMEOUT_SECONDS = 30.0


@dataclass(slots=True)
class Outcome:
    """What one connection saw."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0


class HttpConnection:
    """One keep-alive connection; as little work as a client can do."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=_TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"POST /v1/traces HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-protobuf\r\n"

    def export(self, body: bytes) -> bool:
        """Whether the request was acknowledged."""
        self._socket.sendall(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._received()
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        while len(rest) < length:
            rest += self._received()
        return head.startswith(b"HTTP/1.1 200")

    def _received(self) -> bytes:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received


class GrpcConnection:
    """One channel with a connection of its own."""

    def __init__(self, address: str) -> None:
        channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        self._export: Callable[..., bytes] = channel.unary_unary(_METHOD)

    def export(self, body: bytes) -> bool:
        """Whether the request was acknowledged."""
        try:
            self._export(body, timeout=_TIMEOUT_SECONDS)
        except grpc.RpcError:
            return False
        return True


def _send(
    connection: HttpConnection | GrpcConnection, made: Template, numbers: range, ends: float, outcome: Outcome
) -> None:
    for number in numbers:
        body = made.stamped(number, time.time_ns())
        begun = time.monotonic()
        if begun > ends:
            break
        if connection.export(body):
            outcome.seconds.append(time.monotonic() - begun)
        else:
            outcome.refused += 1


def main() -> None:
    """Sends, waits for the answers, and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("protocol", choices=("http", "grpc"))
    parser.add_argument("address")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--spans", type=int, default=512)
    parser.add_argument("--first", type=int, default=0, help="number of the first request; each has traces of its own")
    parser.add_argument("--seconds", type=float, default=120.0, help="no request is begun after that time")
    given = parser.parse_args()
    kind = HttpConnection if given.protocol == "http" else GrpcConnection
    templates = [template(given.spans, seed) for seed in range(max(given.connections, _TEMPLATES))]
    connections = [kind(given.address) for _ in range(given.connections)]
    outcomes = [Outcome() for _ in connections]
    begun, processor = time.monotonic(), time.process_time()
    threads = [
        threading.Thread(
            target=_send,
            args=(
                connection,
                templates[index],
                range(given.first + index, given.first + given.requests, given.connections),
                begun + given.seconds,
                outcomes[index],
            ),
        )
        for index, connection in enumerate(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begun
    taken = sorted(second for outcome in outcomes for second in outcome.seconds)
    document = {
        "acknowledged_spans": len(taken) * given.spans,
        "refused_requests": sum(outcome.refused for outcome in outcomes),
        "seconds": seconds,
        "client_cpu_seconds": time.process_time() - processor,
        "p50_ms": 1e3 * taken[len(taken) // 2] if taken else None,
        "p99_ms": 1e3 * taken[int(len(taken) * 0.99)] if taken else None,
        "body_bytes": len(templates[0].body),
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
