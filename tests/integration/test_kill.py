"""SIGKILL under load: what was acknowledged is there."""

import random
import threading
import time
from pathlib import Path

import grpc
import pytest

from collector.storage.file_store import FileStore
from tests import samples
from tests.clocks import TickingClock
from tests.integration.running import RunningCollector

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
SPANS = 20


class Sender(threading.Thread):
    """Sends traces, and a log record for each, until nobody answers; remembers what was acknowledged."""

    def __init__(self, running: RunningCollector, first: int, over: str) -> None:
        super().__init__()
        self.running, self.first, self.over = running, first, over
        self.traces: list[int] = []
        self.logs: list[int] = []

    def run(self) -> None:
        send = self._over_grpc() if self.over == "grpc" else self._over_http
        for number in range(self.first, self.first + 100_000):
            spans = [samples.span(number, 1 + index, values={"text": "x" * 300}) for index in range(SPANS)]
            if not send(TRACES, samples.traces_request(spans)):
                return
            self.traces.append(number)
            if not send(LOGS, samples.logs_request([samples.evaluation(number, 1)])):
                return
            self.logs.append(number)

    def _over_http(self, method: str, body: bytes) -> bool:
        import http.client

        path = "/v1/traces" if method == TRACES else "/v1/logs"
        connection = http.client.HTTPConnection(self.running.addresses["otlp_http"], timeout=5)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/x-protobuf"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _over_grpc(self) -> object:
        channel = grpc.insecure_channel(self.running.addresses["otlp_grpc"])

        def send(method: str, body: bytes) -> bool:
            try:
                channel.unary_unary(method)(body, timeout=5)
            except grpc.RpcError:
                channel.close()
                return False
            return True

        return send


async def test_nothing_acknowledged_is_lost_to_sigkill(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    rounds = 20 if request.config.getoption("--slow") else 3
    traces: list[int] = []
    logs: list[int] = []
    moment = random.Random(11)
    for number in range(rounds):
        with RunningCollector(tmp_path / "data") as running:
            senders = [
                Sender(running, 1 + (number * 4 + index) * 1_000_000, "grpc" if index % 2 else "http")
                for index in range(4)
            ]
            for sender in senders:
                sender.start()
            time.sleep(0.4 + moment.random())
            running.kill()
            for sender in senders:
                sender.join()
        traces += [one for sender in senders for one in sender.traces]
        logs += [one for sender in senders for one in sender.logs]
    assert len(traces) > 10 * rounds
    store = FileStore(tmp_path / "data", TickingClock())
    await store.start()
    for trace in traces:
        assert len(await store.log.trace(samples.trace_id(trace))) == SPANS
    for trace in logs:
        assert len(await store.log.log_records(samples.trace_id(trace))) == 1
    await store.stop()
