"""Jaeger's query API on a real store: parameters, answers, errors."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collector.access.table import HttpTable
from collector.cli.client import quoted
from collector.core.feedback import Feedback
from collector.core.release import ReleaseDraft
from collector.core.span import SpanContext
from collector.core.telemetry import Signal
from collector.feedback.extract import from_spans
from collector.jaeger.http import endpoints
from collector.jaeger.reader import Reader
from collector.otlp.decode import spans_of
from collector.otlp.json_request import to_protobuf
from collector.otlp.request import read_traces
from collector.storage.file_store import FileStore
from tests import samples
from tests.clocks import TickingClock
from tests.control import control_of

MICROS = 1_000
DAY = {"query.startTimeMin": "2023-11-14T00:00:00Z", "query.startTimeMax": "2023-11-16T00:00:00.000000001Z"}
"""Around `samples.START`."""


@dataclass
class Served:
    store: FileStore
    client: TestClient

    async def keep(self, *spans: Span, service: str = "shop") -> None:
        await self.store.log.append(read_traces(samples.traces_request(spans, service), 1).request)

    def get(self, path: str, status: int = 200, **query: object) -> Any:
        answer = self.client.get(f"{path}?{urlencode(query, doseq=True)}")
        assert answer.status_code == status, answer.text
        return answer.json()

    def ids(self, **query: object) -> list[int]:
        return [int(trace["traceID"], 16) for trace in self.get("/api/traces", **query)["data"]]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    reader = Reader(store, control_of(store).desk.release)
    table = HttpTable(endpoints(reader, lambda: samples.START + 10 * samples.SECOND))
    app = Starlette(routes=table.routes)
    made = Served(store, TestClient(app))
    with made.client:
        yield made
    await store.stop()


async def test_a_span_in_version_1(served: Served) -> None:
    span = samples.span(
        1, 2, 1, name="step", links=[(9, "a")], error="broken", start=5_500, duration=2_500,
        values={"s": "t", "n": 7, "big": 2**60, "f": 0.5, "yes": True, "raw": b"\x01", "list": [1, "a"]},
    )  # fmt: skip
    span.trace_state, span.flags = "a=b", 0x301
    await served.keep(span)
    (trace,) = served.get(f"/api/traces/{samples.trace_id(1)}")["data"]
    assert trace["processes"] == {"p1": {"serviceName": "shop", "tags": []}}
    (one,) = trace["spans"]
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in one.pop("tags")}
    assert tags == {
        "s": ("string", "t"), "n": ("int64", 7), "big": ("int64", str(2**60)), "f": ("float64", 0.5),
        "yes": ("bool", True), "raw": ("binary", "AQ=="), "list": ("string", '[1,"a"]'),
        "otel.scope.name": ("string", "tests"), "span.kind": ("string", "internal"),
        "otel.status_code": ("string", "ERROR"), "error": ("bool", True),
        "otel.status_description": ("string", "broken"), "w3c.tracestate": ("string", "a=b"),
    }  # fmt: skip
    (log,) = one.pop("logs")
    assert log["timestamp"] == (samples.START + 5_500 + 2_500) // MICROS
    assert {"key": "event", "type": "string", "value": "exception"} in log["fields"]
    assert one == {
        "traceID": samples.trace_id(1), "spanID": samples.span_id(2), "flags": 1, "operationName": "step",
        "references": [
            {"refType": "CHILD_OF", "traceID": samples.trace_id(1), "spanID": samples.span_id(1)},
            {"refType": "FOLLOWS_FROM", "traceID": samples.trace_id(1), "spanID": samples.span_id(9)},
        ],
        "startTime": (samples.START + 5_500) // MICROS, "duration": 2, "processID": "p1", "warnings": None,
    }  # fmt: skip


async def test_a_search_in_version_1(served: Served) -> None:
    await served.keep(samples.span(1, 1, name="a", values={"code": 200}, start=0, duration=10 * 10**6))
    await served.keep(samples.span(2, 1, name="b", values={"code": 500, "x": "y:z"}, start=10**6, duration=30 * 10**6))
    assert served.ids(service="shop") == [2, 1]
    assert served.ids(service="nobody") == []
    assert served.ids(service="shop", operation="a") == [1]
    assert served.ids(service="shop", limit=1) == [2]
    assert served.ids(service="shop", tag="code:200") == [1]
    assert served.ids(service="shop", tag=["code:500", "x:y:z"]) == [2]
    assert served.ids(service="shop", tags=json.dumps({"code": "500"})) == [2]
    assert served.ids(service="shop", minDuration="20ms") == [2]
    assert served.ids(service="shop", maxDuration="0.02s") == [1]
    start = samples.START // MICROS
    assert served.ids(service="shop", start=start + 1) == [2]
    assert served.ids(service="shop", start=start, end=start) == [1]
    assert served.ids(traceID=["1", samples.trace_id(2), "ff"]) == [1, 2]


async def test_lists(served: Served) -> None:
    await served.keep(samples.span(1, 1, name="a"), samples.span(1, 2, 1, name="b"))
    assert served.get("/api/services") == {"data": ["shop"], "total": 1, "limit": 0, "offset": 0, "errors": None}
    assert served.get("/api/services/shop/operations")["data"] == ["a", "b"]
    assert served.get("/api/operations", service="shop", spanKind="internal")["data"][0] == {
        "name": "a",
        "spanKind": "internal",
    }
    assert served.get("/api/operations", service="shop", spanKind="server")["data"] == []
    assert served.get("/api/dependencies")["data"] == [{"parent": "shop", "child": "shop", "callCount": 1}]
    assert served.get("/api/dependencies", endTs=1, lookback=1)["data"] == []
    assert served.get("/api/v3/services") == {"services": ["shop"]}
    assert served.get("/api/v3/operations", service="nobody") == {"operations": []}


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/api/traces", {}, "service: is missing"),
        ("/api/traces", {"service": "s", "start": "soon"}, "start: found 'soon'"),
        ("/api/traces", {"service": "s", "limit": "-1"}, "limit: found '-1'"),
        ("/api/traces", {"service": "s", "minDuration": "5 parsecs"}, "minDuration: found '5 parsecs'"),
        ("/api/traces", {"service": "s", "tag": "nocolon"}, "tag: found 'nocolon'"),
        ("/api/traces", {"service": "s", "tags": "[1]"}, "tags: found '[1]'"),
        ("/api/traces", {"service": "s", "tags": "{"}, "tags: found '{'"),
        ("/api/traces", {"service": "s", "tag": "opto.feedback.q:<low"}, "allowed after < is a number"),
        ("/api/traces/xyz", {}, "trace id: found 'xyz'"),
        ("/api/operations", {}, "service: is missing"),
        ("/api/dependencies", {"endTs": "now"}, "endTs: found 'now'"),
    ],
)
async def test_bad_parameters_of_version_1(served: Served, path: str, query: dict[str, str], said: str) -> None:
    (error,) = served.get(path, 400, **query)["errors"]
    assert error["code"] == 400
    assert said in error["msg"]


async def test_what_is_not_there(served: Served) -> None:
    assert served.get("/api/traces/abc", 404)["errors"] == [{"code": 404, "msg": "trace not found"}]
    assert served.get("/api/v3/traces/abc", 404)["error"]["httpCode"] == 404
    assert served.get("/api/v3/traces", 404, **DAY) == {"error": {"httpCode": 404, "message": "No traces found"}}
    assert served.get("/api/v3/trace-summaries", **DAY) == {"summaries": []}


async def test_version_3_is_otlp_json_of_the_very_spans(served: Served) -> None:
    span = samples.span(
        1, 2, 1, links=[(9, "a")], error="e", values={"n": 2**60, "raw": b"\x01", "list": [1, "a"], "e": ""}
    )
    span.kind, span.flags, span.trace_state = 99, 0x301, "a=b"  # type: ignore[assignment]
    await served.keep(span)
    for query in (
        DAY,
        {"query.start_time_min": DAY["query.startTimeMin"], "query.start_time_max": DAY["query.startTimeMax"],
         "query.service_name": "shop", "query.num_traces": 5},
        {**DAY, "query.serviceName": "shop", "query.operationName": "step", "query.durationMin": "1s",
         "query.attributes": json.dumps({"n": str(2**60)}), "query.searchDepth": 3},
    ):  # fmt: skip
        result = served.get("/api/v3/traces", **query)["result"]
        body = to_protobuf(Signal.TRACES, json.dumps(result).encode())
        assert TracesData.FromString(body).resource_spans[0].scope_spans[0].spans[0] == span
    one = served.get(f"/api/v3/traces/{samples.trace_id(1)}")["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert one["traceId"] == samples.trace_id(1)
    assert one["kind"] == 99
    assert one["startTimeUnixNano"] == str(samples.START)
    message = json_format.MessageToDict(span, use_integers_for_enums=True)
    assert one["attributes"] == message["attributes"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "query.startTimeMin: is missing"),
        ({**DAY, "query.startTimeMax": "tomorrow"}, "query.startTimeMax: found 'tomorrow'"),
        ({**DAY, "query.startTimeMax": "2023-99-01T00:00:00Z"}, "query.startTimeMax: found"),
        ({**DAY, "query.searchDepth": "all"}, "query.searchDepth: found 'all'"),
        ({**DAY, "query.durationMax": "fast"}, "query.durationMax: found 'fast'"),
        ({**DAY, "query.durationMax": "1" * 10_000}, "query.durationMax: found '1111"),
        ({**DAY, "query.searchDepth": "9" * 5_000}, "query.searchDepth: found '9999"),
    ],
)
async def test_bad_parameters_of_version_3(served: Served, query: dict[str, str], said: str) -> None:
    assert said in served.get("/api/v3/traces", 400, **query)["error"]["message"]


async def test_summaries(served: Served) -> None:
    await served.keep(samples.span(1, 2, 1, error="e", start=5), samples.span(1, 3, 8))
    await served.keep(samples.span(1, 1, name="root"), service="front")
    (summary,) = served.get("/api/v3/trace-summaries", **DAY)["summaries"]
    assert summary == {
        "traceId": samples.trace_id(1), "rootServiceName": "front", "rootOperationName": "root",
        "minStartTimeUnixNano": str(samples.START), "maxEndTimeUnixNano": str(samples.START + samples.SECOND + 5),
        "spanCount": 3, "errorSpanCount": 1, "orphanSpanCount": 1,
        "services": [
            {"name": "front", "spanCount": 1, "errorSpanCount": 0},
            {"name": "shop", "spanCount": 2, "errorSpanCount": 1},
        ],
    }  # fmt: skip


async def test_feedback_is_seen_and_searched_for(served: Served) -> None:
    """The worked example: traces that used release 12 and scored below 0.5."""
    for number, release, score in ((1, 12, 0.4), (2, 12, 0.9), (3, 11, 0.1)):
        await served.keep(samples.span(number, 1, values={"opto.release": release}))
        target = SpanContext(samples.trace_id(number), samples.span_id(1) if number < 3 else "")
        await served.store.feedback.submit([Feedback(target, "quality", score, "bad", "too long", "judge", {}, 5)], 6)
    assert served.ids(service="shop", tag=["opto.release:12", "opto.feedback.quality:<0.5"]) == [1]
    assert served.ids(service="shop", tag="opto.feedback.quality:<=0.4") == [3, 1]
    assert served.ids(service="shop", tag="opto.feedback.quality:>0.4") == [2]
    assert served.ids(service="shop", tag="opto.feedback.quality:>=0.4", limit=1) == [2]
    assert served.ids(service="shop", tag="opto.feedback.quality:0.9") == [2]
    assert served.ids(service="shop", tag="opto.feedback.quality:bad") == [3, 2, 1]
    assert served.ids(service="shop", tag="opto.feedback.other:>0") == []
    (span,) = served.get("/api/traces/3")["data"][0]["spans"]
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    assert (tags["opto.feedback.quality"], tags["opto.feedback.quality.label"]) == (0.1, "bad")
    fields = {field["key"]: field["value"] for field in span["logs"][0]["fields"]}
    assert fields["event"] == "gen_ai.evaluation.result"
    assert fields["gen_ai.evaluation.explanation"] == "too long"
    (raw,) = served.get("/api/traces/3", raw="true")["data"][0]["spans"]
    assert raw["logs"] == []


async def test_parameters_show_the_values_of_their_release(served: Served) -> None:
    release = await control_of(served.store).desk.publish(
        ReleaseDraft("shop", {"k": 7, "prompt": "Be brief."}, "test"), "test"
    )
    values = {
        "opto.param.k.version": release.number,
        "opto.param.prompt.version": release.number,
        "opto.param.x.version": 99,
    }
    await served.keep(samples.span(1, 1, values=values))
    (span,) = served.get("/api/traces/1")["data"][0]["spans"]
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    assert (tags["opto.param.k.value"], tags["opto.param.prompt.value"]) == ("7", "Be brief.")
    assert "opto.param.x.value" not in tags


async def test_no_time_is_beyond_its_bounds_and_no_duration_negative(served: Served) -> None:
    backwards, beyond = samples.span(1, 1, duration=-5), samples.span(1, 2, 1)
    beyond.start_time_unix_nano, beyond.end_time_unix_nano = 2**63 + 9, 2**64 - 1
    await served.keep(backwards, beyond)
    (trace,) = served.get(f"/api/traces/{samples.trace_id(1)}")["data"]
    assert [span["duration"] for span in trace["spans"]] == [0, 0]
    groups = served.get(f"/api/v3/traces/{samples.trace_id(1)}")["result"]["resourceSpans"]
    for span in groups[0]["scopeSpans"][0]["spans"]:
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) < 2**63


async def test_a_judgement_that_came_as_an_event_is_one_event(served: Served) -> None:
    span = samples.span(1, 1)
    event = span.events.add(name="gen_ai.evaluation.result", time_unix_nano=samples.START)
    event.attributes.extend(samples.attributes({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 0.5}))
    request = read_traces(samples.traces_request([span]), 1).request
    further = Feedback(SpanContext(samples.trace_id(1), ""), "q", 0.75, time_unix_nano=7)
    feedback = [*from_spans(spans_of(request.body)).feedback, further]
    await served.store.feedback.submit(feedback, 1)
    await served.store.log.append(request)
    (one,) = served.get("/api/traces/1")["data"][0]["spans"]
    scores = [field["value"] for log in one["logs"] for field in log["fields"] if field["key"].endswith("score.value")]
    assert scores == [0.5, 0.75]
    assert [tag["value"] for tag in one["tags"] if tag["key"] == "opto.feedback.q"] == [0.75]  # the last word


async def test_a_span_is_tagged_with_the_last_word_of_a_source_whatever_came_first(served: Served) -> None:
    target = SpanContext(samples.trace_id(1), samples.span_id(1))
    late, early = (Feedback(target, "q", score, time_unix_nano=time) for time, score in ((9, 0.75), (8, 0.5)))
    await served.store.log.append(read_traces(samples.traces_request([samples.span(1, 1)]), 1).request)
    await served.store.feedback.submit([late, early], 1)
    (one,) = served.get("/api/traces/1")["data"][0]["spans"]
    assert [tag["value"] for tag in one["tags"] if tag["key"] == "opto.feedback.q"] == [0.75]
    assert len(one["logs"]) == 2
    assert served.ids(service="shop", tag="opto.feedback.q:>0.6") == [1]
    assert served.ids(service="shop", tag="opto.feedback.q:<0.6") == []


async def test_values_of_released_parameters_and_fields_of_judgements_are_searched_for(served: Served) -> None:
    release = await control_of(served.store).desk.publish(ReleaseDraft("shop", {"k": 7}, "test"), "test")
    await served.keep(samples.span(1, 1, values={"opto.param.k.version": release.number}))
    await served.keep(samples.span(2, 1, values={"opto.param.k.value": 7, "opto.feedback.quality": "<b>"}))
    await served.store.feedback.submit([Feedback(SpanContext(samples.trace_id(1), ""), "quality", label="<none>")], 6)
    assert served.ids(service="shop", tag="opto.param.k.value:7") == [2, 1]
    assert served.ids(service="shop", tag="opto.param.k.value:8") == []
    assert served.ids(service="shop", tag="opto.feedback.quality.label:<none>") == [1]
    assert served.ids(service="shop", tag="gen_ai.evaluation.name:quality") == [1]
    assert served.ids(service="shop", tag=["gen_ai.evaluation.name:quality", "opto.param.k.value:7"]) == [1]
    assert served.ids(service="shop", tag="event:gen_ai.evaluation.result") == [1]
    assert served.ids(service="shop", tag="opto.feedback.quality:<b>") == [2]


async def test_client_and_server_with_one_id_are_two_spans_in_both_versions(served: Served) -> None:
    client, server, below = samples.span(1, 7, 1), samples.span(1, 7, 1, start=1), samples.span(1, 8, 7, start=2)
    client.kind, server.kind = Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER
    await served.keep(samples.span(1, 1), client, service="front")
    await served.keep(server, below, service="stock")
    await served.store.feedback.submit([Feedback(SpanContext(samples.trace_id(1), samples.span_id(7)), "q", 1.0)], 6)
    one = {span["spanID"]: span for span in served.get("/api/traces/1")["data"][0]["spans"]}
    parents = {key: span["references"][0]["spanID"] for key, span in one.items() if span["references"]}
    calling = parents[samples.span_id(7)]
    assert parents == {calling: samples.span_id(1), samples.span_id(7): calling, samples.span_id(8): samples.span_id(7)}
    assert [key for key, span in one.items() if span["logs"]] == [samples.span_id(7)]
    groups = served.get("/api/v3/traces/1")["result"]["resourceSpans"]
    three = [span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]]
    assert {span["spanId"]: span["parentSpanId"] for span in three if "parentSpanId" in span} == parents
    raw = served.get("/api/v3/traces/1", rawTraces="true")["result"]["resourceSpans"]
    assert [span["spanId"] for group in raw for span in group["scopeSpans"][0]["spans"]].count(samples.span_id(7)) == 2


@pytest.mark.parametrize("parent", [bytes(8), bytes.fromhex(samples.span_id(1))])
async def test_a_parent_that_is_none_is_not_shown(served: Served, parent: bytes) -> None:
    span = samples.span(1, 1)
    span.parent_span_id = parent
    await served.keep(span)
    assert served.get("/api/traces/1")["data"][0]["spans"][0]["references"] == []
    (group,) = served.get("/api/v3/traces/1")["result"]["resourceSpans"]
    assert "parentSpanId" not in group["scopeSpans"][0]["spans"][0]


@pytest.mark.parametrize("name", [None, "", 5])
async def test_a_service_without_a_name_is_unknown_in_every_view(served: Served, name: object) -> None:
    request = ExportTraceServiceRequest.FromString(samples.traces_request([samples.span(1, 1), samples.span(1, 2, 1)]))
    del request.resource_spans[0].resource.attributes[:]
    if name is not None:
        request.resource_spans[0].resource.attributes.extend(samples.attributes({"service.name": name}))
    await served.store.log.append(read_traces(request.SerializeToString(), 1).request)
    assert served.get("/api/services")["data"] == ["unknown_service"]
    assert served.get("/api/services/unknown_service/operations")["data"] == ["step"]
    assert served.ids(service="unknown_service") == [1]
    assert served.ids(service="unknown_service", tag="service.name:unknown_service") == [1]
    assert served.get("/api/traces/1")["data"][0]["processes"]["p1"]["serviceName"] == "unknown_service"
    (group,) = served.get("/api/v3/traces/1")["result"]["resourceSpans"]
    assert group["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "unknown_service"}}]
    (summary,) = served.get("/api/v3/trace-summaries", **DAY)["summaries"]
    assert summary["rootServiceName"] == "unknown_service"
    (edge,) = served.get("/api/dependencies", endTs=samples.START // 10**6 + 1)["data"]
    assert (edge["parent"], edge["child"]) == ("unknown_service", "unknown_service")


@pytest.mark.parametrize("service", ["team/qa", ".", "..", "50%", "%2F", "a?b#c", "ü b", "a:b"])
async def test_services_of_any_name_have_operations(served: Served, service: str) -> None:
    await served.keep(samples.span(1, 1, name="a/b"), service=service)
    answer = served.client.get(f"/api/services/{quoted(service)}/operations")
    assert answer.json()["data"] == ["a/b"]
    assert served.ids(service=service, operation="a/b") == [1]


@pytest.mark.parametrize(
    "key", ["otel.dropped_events_count", "opto.feedback.\ud800", "opto.param.\ud800.value", "event", "\ud800"]
)
@pytest.mark.parametrize("text", ["\ud800", "00000000001" + "9" * 5_000, "<" + "9" * 5_000, "<nan", "-1", ""])
async def test_a_search_for_what_cannot_be_finds_nothing(served: Served, key: str, text: str) -> None:
    await served.keep(samples.span(1, 1, values={"opto.feedback.x": 1, "opto.param.x.version": 1}))
    await served.store.feedback.submit([Feedback(SpanContext(samples.trace_id(1), ""), "quality", 0.5)], 6)
    assert served.ids(service="shop", tags=json.dumps({key: text})) == []
