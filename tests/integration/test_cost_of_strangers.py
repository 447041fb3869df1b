"""What somebody without a token costs a collector, in memory and in reach for others; in a process of its own."""

import contextlib
import json
import re
import resource
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from tests import samples
from tests.integration.running import RunningCollector, eventually

MIB = 2**20
TOKEN = "t" * 20
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture(autouse=True)
def many_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def peak_bytes(collector: RunningCollector) -> int:
    status = Path(f"/proc/{collector.process.pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def counters(collector: RunningCollector) -> dict[str, int]:
    request = urllib.request.Request(f"{collector.api}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read().decode()
    return {name: int(count) for name, count in re.findall(r"^otel_opto_(\w+) (\d+)$", text, re.MULTILINE)}


def export(collector: RunningCollector) -> None:
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {TOKEN}"}
    body = samples.traces_request([samples.span(1, 1)])
    request = urllib.request.Request(f"{collector.http}/v1/traces", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def over_grpc(address: str, body: bytes, token: str = "") -> grpc.StatusCode:
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0))
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(address, options) as channel:
        try:
            channel.unary_unary(EXPORT)(body, timeout=60, metadata=metadata)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        return grpc.StatusCode.OK


def open_many(address: str, number: int, *pieces: bytes) -> list[socket.socket]:
    host, _, port = address.rpartition(":")
    opened = []
    for _ in range(number):
        with contextlib.suppress(OSError):
            one = socket.create_connection((host, int(port)), timeout=5)
            opened.append(one)
            for piece in pieces:
                one.sendall(piece)
    return opened


def test_a_stranger_costs_less_than_50_mb_in_all(tmp_path: Path) -> None:
    config = tmp_path / "collector.yaml"
    config.write_text(f"auth: {{tokens: [{{name: all, token: {TOKEN}, scopes: [ingest, read, publish]}}]}}\n")
    with RunningCollector(tmp_path / "data", None, "--config", str(config)) as collector:
        export(collector)
        assert over_grpc(collector.ready["otlp_grpc"], b"", TOKEN) is grpc.StatusCode.OK
        before = peak_bytes(collector)
        opened: list[socket.socket] = []
        post = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (4 * MIB)
        head = b"GET /readyz HTTP/1.1\r\nHost: x\r\n"
        for address in (collector.ready["otlp_http"], collector.ready["api"]):
            opened += open_many(address, 300, post, bytes(4 * MIB - 1))
            opened += open_many(address, 300, head + b"a: " + b"x" * 60_000)
            opened += open_many(address, 300, head + b"a: b\r\n" * 200)
            opened += open_many(address, 1500)
        opened += open_many(collector.ready["otlp_grpc"], 1500)
        with ThreadPoolExecutor(24) as pool:
            huge = samples.traces_request([samples.span(1, 1, values={"text": "x" * (60 * MIB)})])
            codes = list(pool.map(lambda _: over_grpc(collector.ready["otlp_grpc"], huge), range(24)))
        assert set(codes) == {grpc.StatusCode.UNAUTHENTICATED}
        export(collector)
        cost = peak_bytes(collector) - before
        counted = counters(collector)
        for one in opened:
            one.close()
        assert cost < 50 * MIB, f"{cost / MIB:.0f} MiB"
        assert counted["receiver_unauthenticated_requests"] >= 24
        assert counted["http_evicted_connections"] > 0


def test_a_thousand_silent_connections_leave_every_port_reachable_with_1024_descriptors(tmp_path: Path) -> None:
    limited = ("import resource, os, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)); "
               "os.execv(sys.executable, [sys.executable, '-m', 'collector', *sys.argv[1:]])")  # fmt: skip
    command = [sys.executable, "-c", limited, "collector", "--data-dir", str(tmp_path / "data")]
    for flag in ("--otlp-grpc", "--otlp-http", "--api", "--jaeger-storage"):
        command += [flag, "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            for port in ("otlp_http", "api", "otlp_grpc"):
                silent = open_many(ready[port], 1000)
                for address, path in ((ready["api"], "/readyz"), (ready["otlp_http"], "/v1/nothing")):
                    with contextlib.suppress(urllib.error.HTTPError):
                        urllib.request.urlopen(f"http://{address}{path}", timeout=10).close()

                def taken() -> bool:
                    return over_grpc(ready["otlp_grpc"], b"") is grpc.StatusCode.OK

                if port == "otlp_grpc":  # who says nothing is put out after ten seconds
                    eventually(taken, seconds=30)
                else:
                    assert taken()
                for one in silent:
                    one.close()
        finally:
            process.terminate()
            process.wait(20)
