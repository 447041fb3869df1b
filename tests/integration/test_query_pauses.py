"""No question holds the event loop up, and no answer is worked on for somebody who has left."""

import concurrent.futures
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import grpc
import pytest

from collector.jaeger.v2 import trace_storage_pb2, trace_storage_pb2_grpc
from collector.otlp.decode import spans_of
from tests import samples
from tests.integration.running import RunningCollector, eventually
from tests.integration.test_loop_pauses import pauses

SPANS, OPERATIONS, TRACES = 20_000, 20_000, 3_000
HUGE, SMALL = samples.trace_id(1), samples.trace_id(2)
TIMES = {"query.startTimeMin": "2000-01-01T00:00:00Z", "query.startTimeMax": "2200-01-01T00:00:00Z"}
QUESTIONS: dict[str, str] = {
    **{f"a huge graph as {form}": f"/v1/traces/{HUGE}/graph?format={form}" for form in ("json", "svg", "tgj", "text")},
    "a huge graph over its session": f"/v1/traces/{HUGE}/graph?reach=session",
    "a huge trace in Jaeger's version 1": f"/api/traces/{HUGE}",
    "a huge trace in Jaeger's version 3": f"/api/v3/traces/{HUGE}",
    "a search that finds the huge trace": "/api/traces?" + urlencode({"service": "huge", "limit": 1_500}),
    "a search for feedback": "/api/traces?" + urlencode({"service": "huge", "tag": "opto.feedback.q:>0.1"}),
    "the most traces of one search": "/api/traces?" + urlencode({"service": "many", "limit": 1_500}),
    "an attribute that nothing has": "/api/traces?" + urlencode({"service": "many", "tag": "nothing:here"}),
    "summaries": "/api/v3/trace-summaries?" + urlencode({**TIMES, "query.serviceName": "huge"}),
    "very many operations": "/api/operations?" + urlencode({"service": "names"}),
    "names of very many operations": "/api/services/names/operations",
    "services": "/api/services",
    "dependencies": "/api/dependencies?" + urlencode({"endTs": 9 * 10**12, "lookback": 9 * 10**12}),
    "the list of traces": "/v1/traces?limit=1000",
    "statistics": "/v1/stats",
}


def keep(collector: RunningCollector, body: bytes) -> None:
    asked = urllib.request.Request(f"{collector.http}/v1/traces", body, {"Content-Type": "application/x-protobuf"})
    with urllib.request.urlopen(asked, timeout=600) as answer:
        assert answer.status == 200


def huge(first: int) -> bytes:
    """Of one trace, as some framework writes it."""
    said = {"session.id": "s", "gen_ai.prompt": "what is it", "output.value": "it is nothing much"}
    spans = [
        samples.span(
            1, number, 1 if number > 1 else None, values={**said, "input.value": f"the {number}th"}, start=number
        )
        for number in range(first, first + 2_000)
    ]
    return samples.traces_request(spans, "huge")


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    patient = tmp_path_factory.mktemp("patient") / "collector.yaml"
    patient.write_text("graph: {max_seconds: 600}\n", encoding="utf-8")  # the machine may be loaded
    directory = tmp_path_factory.mktemp("questions") / "data"
    with RunningCollector(directory, None, "--config", str(patient)) as running:
        for first in range(1, SPANS, 2_000):
            keep(running, huge(first))
        named = [samples.span(3, number, name=f"operation {number}") for number in range(1, OPERATIONS + 1)]
        keep(running, samples.traces_request(named, "names"))
        keep(running, samples.traces_request([samples.span(10 + n, 1) for n in range(TRACES)], "many"))
        keep(
            running,
            samples.traces_request([samples.span(2, number, 1 if number > 1 else None) for number in (1, 2, 3)]),
        )
        feedback = {"trace_id": HUGE, "span_id": samples.span_id(1), "name": "q", "score": 0.5}
        running.client.post("/v1/feedback", {"feedback": [feedback]})
        yield running


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_holds_the_event_loop_up(name: str, collector: RunningCollector, longest_pause: float) -> None:
    pauses(collector)
    with urllib.request.urlopen(collector.api + QUESTIONS[name], timeout=600) as answer:
        said = answer.read()
    by_the_clock, busy = pauses(collector)
    assert said
    assert busy <= longest_pause, f"the loop stood still for {busy:.3f} s ({by_the_clock:.3f} s by the clock)"


def test_nor_does_jaeger(collector: RunningCollector, longest_pause: float) -> None:
    pauses(collector)
    with grpc.insecure_channel(collector.addresses["jaeger_storage"]) as channel:
        stub = trace_storage_pb2_grpc.TraceReaderStub(channel)
        wanted = trace_storage_pb2.GetTracesRequest()
        wanted.query.add(trace_id=bytes.fromhex(HUGE))
        messages = [message.SerializeToString() for message in stub.GetTraces(wanted, timeout=600)]
        query = trace_storage_pb2.TraceQueryParameters(service_name="many", search_depth=10**6)
        found = stub.FindTraceIDs(trace_storage_pb2.FindTracesRequest(query=query), timeout=600)
    by_the_clock, busy = pauses(collector)
    assert (sum(len(spans_of(message)) for message in messages), len(found.trace_ids)) == (SPANS, TRACES)
    assert busy <= longest_pause, f"the loop stood still for {busy:.3f} s ({by_the_clock:.3f} s by the clock)"


def computed_seconds(pid: int) -> float:
    """CPU time of a process and its children."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [pid, *map(int, " ".join(path.read_text() for path in tasks).split())]
    ticks = 0
    for one in pids:
        try:
            fields = Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def at_rest(pid: int) -> bool:
    before = computed_seconds(pid)
    time.sleep(0.5)
    return computed_seconds(pid) - before < 0.1


def test_work_ends_with_the_clients_that_asked_for_it(collector: RunningCollector) -> None:
    host, _, port = collector.ready["api"].rpartition(":")
    connections = [http.client.HTTPConnection(host, int(port), timeout=600) for _ in range(6)]
    for connection in connections:
        connection.request("GET", f"/v1/traces/{HUGE}/graph")
    eventually(lambda: not at_rest(collector.process.pid))
    for connection in connections:
        connection.close()
    begun = computed_seconds(collector.process.pid)
    eventually(lambda: at_rest(collector.process.pid))
    assert computed_seconds(collector.process.pid) <= begun + 2


def test_a_small_graph_is_there_before_the_large_ones(collector: RunningCollector) -> None:
    def get(path: str) -> float:
        with urllib.request.urlopen(collector.api + path, timeout=600) as answer:
            answer.read()
        return time.monotonic()

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        large = [threads.submit(get, f"/v1/traces/{HUGE}/graph?format={form}") for form in ("json", "text", "tgj")]
        eventually(lambda: not at_rest(collector.process.pid))
        small = get(f"/v1/traces/{SMALL}/graph")
        assert all(small < one.result() for one in large)


def test_a_graph_beyond_the_limit_says_so(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("graph: {max_spans: 100}\nqueries: {max_spans: 150}\n", encoding="utf-8")
    with RunningCollector(tmp_path / "data", None, "--config", str(config)) as limited:
        keep(limited, huge(1))
        for path, key in ((f"/v1/traces/{HUGE}/graph", "graph"), (f"/api/traces/{HUGE}", "queries")):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(limited.api + path, timeout=600)
            assert refused.value.code == 413
            assert f"the most that {key}.max_spans allows" in json.dumps(json.load(refused.value))
        stats = limited.client.get("/v1/stats")
        assert stats["counters"]["otel_opto_graphs_too_large"] == 1
