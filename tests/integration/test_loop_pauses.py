"""No single request holds the event loop up, whoever sends it. Another hostile input is another row."""

import gzip
import http.client
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from collector.otlp.fields import len_field
from tests import samples
from tests.integration.running import RunningCollector

ATTEMPTS = 3
"""The shortest counts: what the request costs comes again each time, what else the machine does not."""

MIB = 2**20

PROTOBUF, JSON = "application/x-protobuf", "application/json"


class Sent:
    """One request, as it goes over the wire.

    Args:
        path: Of the receiver.
        body: Made when it is sent, for some are large.
        statuses: With which it may be answered.
    """

    def __init__(
        self, path: str, body: Callable[[], bytes], *statuses: int, content: str = PROTOBUF, encoding: str = "identity"
    ) -> None:
        self.path = path
        self.body = body
        self.statuses = statuses or (200,)
        self.headers = {"Content-Type": content, "Content-Encoding": encoding}


def span(number: int, *extra: bytes) -> bytes:
    return samples.span(number // 100 + 1, number + 1).SerializeToString() + b"".join(extra)


def spans(items: Iterator[bytes] | list[bytes], resource: bytes = b"") -> bytes:
    return len_field(1, len_field(1, resource) + len_field(2, b"".join(len_field(2, item) for item in items)))


def attribute(key: str, text: str) -> bytes:
    return samples.attributes({key: text})[0].SerializeToString()


def of_a_service(number: int) -> bytes:
    return spans([span(number)], len_field(1, attribute("service.name", f"s{number}")))


def json_attribute(text: str) -> str:
    return f',"attributes":[{{"key":"k","value":{{"stringValue":"{text}"}}}}]'


def json_spans(items: Iterator[str]) -> bytes:
    return ('{"resourceSpans":[{"scopeSpans":[{"spans":[' + ",".join(items) + "]}]}]}").encode()


def json_span(number: int, more: str = "") -> str:
    ids = f'"traceId":"{number + 1:032x}","spanId":"{number + 1:016x}"'
    return f'{{{ids},"name":"n","startTimeUnixNano":"1","endTimeUnixNano":"2"{more}}}'


def evaluations(count: int) -> bytes:
    records = (samples.evaluation(10**6 + n % 50, 1, text="x" * 700).SerializeToString() for n in range(count))
    return len_field(1, len_field(2, b"".join(len_field(2, record) for record in records)))


def nested(levels: int) -> bytes:
    value = len_field(1, b"core")
    for _ in range(levels):
        value = len_field(5, len_field(1, value))
    return span(1, len_field(9, len_field(1, b"deep") + len_field(2, value)))


TRACES, LOGS = "/v1/traces", "/v1/logs"
HOSTILE: dict[str, Sent] = {
    "100,000 empty gzip members": Sent(TRACES, lambda: gzip.compress(b"", 1) * 100_000, 400, encoding="gzip"),
    "60 MiB of zeros in 60 KB of gzip": Sent(TRACES, lambda: gzip.compress(bytes(60 * MIB)), 400, 413, encoding="gzip"),
    "62 MB of JSON, 500,000 spans": Sent(TRACES, lambda: json_spans(map(json_span, range(500_000))), content=JSON),
    "60 MB of one trace, 400,000 spans": Sent(TRACES, lambda: spans([span(n) for n in range(400_000)])),
    "50,000 services of one span": Sent(TRACES, lambda: b"".join(map(of_a_service, range(50_000)))),
    "one attribute of 60 MB": Sent(TRACES, lambda: spans([span(1, len_field(9, attribute("k", "x" * (60 * MIB))))])),
    "one attribute of 60 MB in JSON": Sent(
        TRACES,
        lambda: json_spans(iter([json_span(1, json_attribute("é" * (30 * MIB)))])),
        content=JSON,
    ),
    "a span of 2,000,000 attributes": Sent(
        TRACES, lambda: spans([span(1, len_field(9, attribute("k", "v")) * 2_000_000)])
    ),
    "30,000,000 empty resource groups": Sent(TRACES, lambda: b"\x0a\x00" * (30 * MIB), 413),
    "640 KiB of empty resource groups": Sent(TRACES, lambda: b"\x0a\x00" * (320 * 2**10)),
    "640 KiB of empty spans": Sent(TRACES, lambda: spans([b""] * (300 * 2**10))),
    "640 KiB of empty log records": Sent(LOGS, lambda: spans([b""] * (300 * 2**10))),
    "640 KiB of empty attributes": Sent(TRACES, lambda: spans([span(1, b"\x4a\x00" * (300 * 2**10))])),
    "60 MB of spans, each of them broken": Sent(TRACES, lambda: spans([span(n) + b"\x0a\x7f" for n in range(300_000)])),
    "60 MB of spans with texts that are none": Sent(
        TRACES, lambda: spans([span(n, len_field(9, len_field(1, b"\xff" * 50))) for n in range(300_000)])
    ),
    "60 MB of JSON nested 30,000,000 deep": Sent(
        TRACES, lambda: b"[" * (30 * MIB) + b"]" * (30 * MIB), 400, content=JSON
    ),
    "JSON nested deep in a span": Sent(
        TRACES, lambda: json_spans(iter([json_span(1, ',"x":' + "[" * MIB + "]" * MIB)])), content=JSON
    ),
    "5 MB of JSON of empty objects": Sent(TRACES, lambda: json_spans(iter(["{}"] * 1_700_000)), content=JSON),
    "an attribute of lists in lists": Sent(TRACES, lambda: spans([nested(20_000)])),
    "60 MB of log records, 60,000 judgements": Sent(LOGS, lambda: evaluations(60_000)),
    "600 KiB of judgements": Sent(LOGS, lambda: evaluations(600)),
}  # fmt: skip


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path_factory.mktemp("pauses") / "data") as running:
        yield running


def pauses(collector: RunningCollector) -> tuple[float, float]:
    """The longest since the last time, by the clock, and in which the collector itself was computing."""
    with urllib.request.urlopen(f"{collector.api}/metrics", timeout=600) as answer:
        lines = dict(line.split() for line in answer.read().decode().splitlines() if not line.startswith("#"))
    return tuple(float(lines[f"otel_opto_event_loop_longest_{name}_seconds"]) for name in ("pause", "busy_pause"))  # type: ignore[return-value]


def answered(collector: RunningCollector, sent: Sent) -> tuple[int, bytes]:
    """Larger bodies than the collector takes are answered before they are sent."""
    host, _, port = collector.ready["otlp_http"].rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=600)
    try:
        connection.request("POST", sent.path, sent.body(), sent.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_request_holds_the_event_loop_up(name: str, collector: RunningCollector, longest_pause: float) -> None:
    """By what the process computed meanwhile: a machine that is busy with other things is not the collector's fault."""
    sent = HOSTILE[name]
    measured = []
    for _ in range(ATTEMPTS):
        pauses(collector)
        status, said = answered(collector, sent)
        assert status in sent.statuses, said[:300]
        measured.append(pauses(collector))
        if min(busy for _, busy in measured) <= longest_pause:
            return
    pytest.fail(f"the loop stood still, by the clock and while the collector computed, for {measured} seconds")
