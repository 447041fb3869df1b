"""Other people's exporters, generators, collectors and a real Jaeger against a real collector."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.integration.peers import built, free_port, jaeger, javascript, telemetrygen
from tests.integration.running import RunningCollector, eventually

QUERYING = """
extensions:
  jaeger_storage:
    backends: {{opto: {{grpc: {{endpoint: "{storage}", tls: {{insecure: true}}, timeout: 30s{writer}}}}}}}
  jaeger_query:
    storage: {{traces: opto}}
    max_clock_skew_adjust: 0s
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{query_grpc}"}}
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}
processors: {{batch: {{timeout: 100ms}}}}
exporters: {{jaeger_storage_exporter: {{trace_storage: opto}}}}
service:
  extensions: [jaeger_storage, jaeger_query]
  telemetry: {{logs: {{level: error}}, metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}}}}
"""
FORWARDING = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}
processors: {{batch: {{timeout: 100ms}}}}
exporters:
  otlp: {{endpoint: "{grpc}", tls: {{insecure: true}}, compression: gzip}}
  otlphttp: {{endpoint: "http://{http}", compression: gzip}}
service:
  telemetry: {{logs: {{level: error}}, metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp, otlphttp]}}}}
"""


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RunningCollector]:
    built()
    with RunningCollector(tmp_path / "data") as running:
        yield running


def asked(url: str) -> Any:
    """The answer's ``data``; None where Jaeger is not ready or has nothing."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.loads(answer.read()).get("data")
    except (urllib.error.URLError, ConnectionError):
        return None


def export(endpoint: str) -> str:
    """Two spans by the official Python SDK; returns the trace's id."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(resource=Resource.create({"service.name": "python"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
    tracer = provider.get_tracer("peer")
    with tracer.start_as_current_span("outer", attributes={"opto.release": 12}) as outer:
        with tracer.start_as_current_span("inner", attributes={"text": "hello", "n": 5}):
            pass
    provider.shutdown()
    return f"{outer.get_span_context().trace_id:032x}"


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf", "http/json"])
def test_the_official_javascript_exporters(
    collector: RunningCollector, tmp_path: Path, protocol: str, compression: str
) -> None:
    url = collector.grpc if protocol == "grpc" else collector.http
    sent = javascript(protocol, url, compression, tmp_path)
    document = asked(f"{collector.api}/api/traces/{sent['trace_id']}")[0]
    (span,) = document["spans"]
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    assert (span["operationName"], span["spanID"]) == ("from javascript", sent["span_id"])
    assert {key: tags[key] for key in ("text", "whole", "real", "yes", "list")} == {
        "text": "ünï", "whole": 42, "real": 0.5, "yes": True, "list": '["a","b"]'
    }  # fmt: skip
    assert tags["opto.feedback.quality"] == 0.25  # the log event that judges it
    assert document["processes"]["p1"]["serviceName"].startswith("javascript-")


def test_telemetrygen(collector: RunningCollector) -> None:
    grpc, http = collector.addresses["otlp_grpc"], collector.addresses["otlp_http"]
    telemetrygen("traces", "--otlp-insecure", "--otlp-endpoint", grpc, "--traces", "50", "--child-spans", "3")
    telemetrygen(
        "traces", "--otlp-insecure", "--otlp-http", "--otlp-endpoint", http, "--traces", "50", "--child-spans", "3"
    )
    telemetrygen("logs", "--otlp-insecure", "--otlp-endpoint", grpc, "--logs", "30")
    telemetrygen("metrics", "--otlp-insecure", "--otlp-endpoint", grpc, "--metrics", "5")
    stats = collector.client.get("/v1/stats")
    assert (stats["spans"], stats["traces"], stats["log_records"]) == (400, 100, 30)
    assert stats["counters"]["otel_opto_receiver_ignored_metric_requests"] > 0


def test_an_opentelemetry_collector_that_forwards_to_us(collector: RunningCollector, tmp_path: Path) -> None:
    port = free_port()
    config = FORWARDING.format(otlp=port, grpc=collector.addresses["otlp_grpc"], http=collector.addresses["otlp_http"])
    with jaeger(config, tmp_path):
        eventually(lambda: listens(port))
        telemetrygen(
            "traces", "--otlp-insecure", "--otlp-endpoint", f"127.0.0.1:{port}", "--traces", "20", "--child-spans", "1"
        )
        eventually(lambda: collector.client.get("/v1/stats")["spans"] == 80)
    assert collector.client.get("/v1/stats")["traces"] == 20
    (trace,) = collector.client.get("/v1/traces", limit=1)["traces"]
    assert trace["span_count"] == 2  # it came by both ways, and equal spans are read once


def listens(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_real_jaeger_reads_and_writes_our_store(collector: RunningCollector, tmp_path: Path) -> None:
    ours = export(collector.http)
    query, otlp = free_port(), free_port()
    writer = f', writer: {{endpoint: "{collector.addresses["otlp_grpc"]}", tls: {{insecure: true}}}}'
    config = QUERYING.format(
        storage=collector.ready["jaeger_storage"], query=query, query_grpc=free_port(), otlp=otlp, writer=writer
    )
    with jaeger(config, tmp_path):
        at = f"http://127.0.0.1:{query}/api"
        assert eventually(lambda: asked(f"{at}/services"), 60) == ["python"]
        through_jaeger = asked(f"{at}/traces/{ours}")[0]
        straight = asked(f"{collector.api}/api/traces/{ours}")[0]
        assert simplified(through_jaeger) == simplified(straight)
        assert [one["name"] for one in asked(f"{at}/operations?service=python")] == ["inner", "outer"]
        tags = urllib.parse.quote(json.dumps({"opto.release": "12"}))
        found = asked(f"{at}/traces?service=python&tags={tags}&lookback=1h")
        assert [trace["traceID"] for trace in found] == [ours]
        none = urllib.parse.quote(json.dumps({"opto.release": "13"}))
        assert asked(f"{at}/traces?service=python&tags={none}&lookback=1h") == []
        written = export(f"http://127.0.0.1:{otlp}")  # Jaeger receives it and stores it with us
        assert eventually(lambda: asked(f"{at}/traces/{written}"))
        assert collector.client.get("/v1/stats")["traces"] == 2


def test_everything_is_forwarded_to_a_real_jaeger_even_when_it_comes_late(tmp_path: Path) -> None:
    built()
    query, otlp = free_port(), free_port()
    config_file = tmp_path / "collector.yaml"
    config_file.write_text(
        f"exporters: {{jaeger: {{endpoint: 'http://127.0.0.1:{otlp}', protocol: http}}}}\n", encoding="utf-8"
    )
    memory = """
extensions:
  jaeger_storage: {{backends: {{memory: {{memory: {{max_traces: 1000}}}}}}}}
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{grpc}"}}
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}
exporters: {{jaeger_storage_exporter: {{trace_storage: memory}}}}
service:
  extensions: [jaeger_storage, jaeger_query]
  telemetry: {{logs: {{level: error}}, metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}}}
"""
    with RunningCollector(tmp_path / "data", None, "--config", str(config_file)) as collector:
        first = export(collector.http)
        counters = lambda: collector.client.get("/v1/stats")["counters"]  # noqa: E731
        eventually(lambda: counters()["otel_opto_exporter_send_failed_requests"] > 0)
        with jaeger(memory.format(query=query, grpc=free_port(), otlp=otlp), tmp_path):
            at = f"http://127.0.0.1:{query}/api"
            whole = asked(f"{collector.api}/api/traces/{first}")[0]

            def all_of_it() -> list[dict[str, Any]]:
                """Jaeger shows a trace as soon as a part of it has come."""
                found = asked(f"{at}/traces/{first}") or []
                return [one for one in found if len(one["spans"]) >= len(whole["spans"])]

            arrived = eventually(all_of_it, 60)
            assert simplified(arrived[0]) == simplified(whole)
            second = export(collector.http)
            assert eventually(lambda: asked(f"{at}/traces/{second}"))
            eventually(lambda: counters()["otel_opto_exporter_sent_spans"] >= 4)
        assert counters()["otel_opto_exporter_dropped_items"] == 0


def simplified(trace: dict[str, Any]) -> object:
    """What must be the same whoever renders it; Jaeger adds tags of its own."""
    return sorted(
        (
            span["spanID"],
            span["operationName"],
            span["startTime"],
            span["duration"],
            [reference["spanID"] for reference in span["references"]],
            sorted((tag["key"], tag["value"]) for tag in span["tags"] if tag["key"] in ("text", "n", "opto.release")),
            trace["processes"][span["processID"]]["serviceName"],
        )
        for span in trace["spans"]
    )
