"""Whatever legal way spans are encoded in, every question about them has the same answer."""

import asyncio
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from collector.core.page import PageRequest
from collector.core.telemetry import Signal, TraceQuery
from collector.counters import Counters
from collector.jaeger.decoration import named_releases
from collector.jaeger.reader import Reader
from collector.jaeger.summary import summary_document
from collector.jaeger.v1_document import trace_document
from collector.otlp.decode import spans_of
from collector.otlp.faults import Faults
from collector.otlp.json_traces import resource_spans
from collector.otlp.parts import parts_of, request_of, split
from collector.otlp.pieces import pieces
from collector.otlp.text import text_of
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from collector.storage.segments.segments import SegmentLimits
from tests import samples
from tests.clocks import TickingClock
from tests.control import control_of
from tests.encodings import Scribe, falling, value_first

SECOND = samples.SECOND
VALUES = {
    "text": "some words", "letter": "a", "empty": "", "whole": 200, "one": 1, "none": 0, "negative": -5,
    "largest": 2**63 - 1, "real": 72.5, "round": 3.0, "small": 1e-7, "nan": float("nan"), "yes": True, "no": False,
    "raw": b"\x00\x01\x02", "list": ["a", 1, True],
}  # fmt: skip
PLACES = ("span", "resource", "scope", "event", "link")


def attributes(place: str) -> list[KeyValue]:
    """Every type of value, under keys that name the place; one key twice, one without a value, one without a name."""
    found = samples.attributes({f"{place}-{key}": value for key, value in VALUES.items()} | {f"{place}-twice": "first"})
    nested = KeyValueList(values=samples.attributes({"b": 1}))
    found += [*samples.attributes({f"{place}-twice": "last", "": place}), KeyValue(key=f"{place}-unset")]
    found.append(KeyValue(key=f"{place}-map", value={"kvlist_value": nested}))
    return found


def requests() -> Sequence[ExportTraceServiceRequest]:
    rich = samples.span(1, 1, name="root", start=SECOND, duration=5 * SECOND)
    rich.kind = 2  # type: ignore[assignment]
    rich.flags, rich.trace_state, rich.dropped_attributes_count, rich.dropped_events_count = 0x101, "a=b", 300, 1
    rich.attributes.extend(attributes("span"))
    rich.attributes.extend(samples.attributes({"opto.param.tone.value": '"kind"', "input.value": "how are you?"}))
    rich.attributes.extend(samples.attributes({"opto.param.tone.version": 7, "output.value": "well, thank you"}))
    rich.events.add(name="happened", time_unix_nano=samples.START, attributes=attributes("event"))
    rich.links.add(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=attributes("link"))
    rich.events.add(
        name="gen_ai.evaluation.result",
        attributes=samples.attributes({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 0.5}),
    )
    child = samples.span(1, 2, 1, name="child", error="broken", start=2 * SECOND)
    child.kind = 0  # type: ignore[assignment]
    other = samples.span(2, 1, name="n" * 200, values={"text": "other words", "error": "true"}, start=3 * SECOND)
    other.kind, other.status.code = 3, 1  # type: ignore[assignment]
    group = ResourceSpans(schema_url="https://schema")
    group.resource.attributes.extend(samples.attributes({"service.name": "old", "team": "red"}))
    group.resource.attributes.extend([*attributes("resource"), *samples.attributes({"service.name": "front"})])
    scoped = group.scope_spans.add(spans=[rich, child], schema_url="https://schema")
    scoped.scope.name, scoped.scope.version = "lib", "1.2"
    scoped.scope.attributes.extend(attributes("scope"))
    group.scope_spans.add(spans=[samples.span(3, 1, name="plain")])
    back = ResourceSpans(scope_spans=[{"spans": [other, samples.span(1, 3, 2, name="deep", start=2 * SECOND)]}])
    back.resource.attributes.extend(samples.attributes({"service.name": 12}))
    return [ExportTraceServiceRequest(resource_spans=[group, back]), ExportTraceServiceRequest(resource_spans=[back])]


def log_request() -> ExportLogsServiceRequest:
    judged = samples.evaluation(2, 1, 0.25, "too long", values={"opto.feedback.source": "me"})
    return ExportLogsServiceRequest.FromString(samples.logs_request([judged]))


def queries() -> list[TraceQuery]:
    texts = {f"{place}-{key}": text_of(value) for place in PLACES for key, value in VALUES.items()}  # type: ignore[arg-type]
    texts |= {f"{place}-map": '{"b":1}' for place in PLACES} | {f"{place}-unset": "" for place in PLACES}
    pairs = [*texts.items(), *((key, f"{text}0") for key, text in texts.items()), *((key, "true") for key in texts)]
    pairs += [(f"{place}-twice", text) for place in PLACES for text in ("first", "last")]
    pairs += [("", "span"), ("error", "true"), ("error", "false"), ("opto.param.tone.version", "7"), ("text", "other")]
    pairs += [("span.kind", kind) for kind in ("server", "client", "internal", "unspecified")]
    pairs += [("span.status", status) for status in ("ok", "error", "unset")]
    pairs += [("scope.name", "lib"), ("scope.version", "1.2"), ("exception.message", "broken"), ("\ud800", "\udc00")]
    pairs += [("otel.status_code", "ERROR"), ("otel.status_description", "broken"), ("w3c.tracestate", "a=b")]
    pairs += [("otel.scope.name", "lib"), ("otel.scope.version", "1.2"), ("otel.dropped_attributes_count", "300")]
    pairs += [("event", "happened"), ("otel.dropped_events_count", "1"), ("otel.dropped_links_count", "1")]
    pairs += [("service.name", name) for name in ("front", "old", "12")] + [("resource.team", "red")]
    return [
        *(TraceQuery(attributes={key: text}) for key, text in pairs),
        *(TraceQuery(service=name) for name in ("front", "old", "12", "")),
        *(TraceQuery(operation=name) for name in ("root", "child", "n" * 200, "n", "overwritten")),
        TraceQuery(service="front", operation="root", attributes={"span-one": "1", "resource.team": "red"}),
        TraceQuery(service="front", operation="deep"),
        *(TraceQuery(start_min_unix_nano=samples.START + second * SECOND) for second in (0, 2, 4)),
        *(TraceQuery(start_max_unix_nano=samples.START + second * SECOND) for second in (0, 2, 4)),
        *(TraceQuery(duration_min_nano=nano) for nano in (0, 2 * SECOND, 6 * SECOND)),
        *(TraceQuery(duration_max_nano=nano) for nano in (0, SECOND, 6 * SECOND)),
    ]


async def answers(bodies: Sequence[bytes], logs: bytes) -> dict[str, object]:
    """What a collector says that was sent these requests."""
    with tempfile.TemporaryDirectory() as directory:
        store = FileStore(Path(directory), TickingClock(), SegmentLimits(bytes=3_000))
        await store.start()
        release = control_of(store).desk.release
        pipeline = Pipeline(store, TickingClock(), Counters(), lambda: None, release)
        reader = Reader(store, release)
        said: dict[str, object] = {}
        for index, body in enumerate(bodies):
            said[f"accepted {index}"] = await pipeline.ingest(Signal.TRACES, body)
        said["accepted logs"] = await pipeline.ingest(Signal.LOGS, logs)
        said["attached"] = await pipeline.attach()
        for query in queries():
            said[f"find {query}"] = await store.search.find(query)
        said["services"] = await store.search.services()
        for service in ("", "front", "12"):
            said[f"operations {service}"] = await store.search.operations(service)
        said["dependencies"] = await store.search.dependencies(0, 2**62)
        said["traces"] = (await store.search.traces(PageRequest(1_000))).items
        feedback = (await store.feedback.listed(PageRequest(1_000))).items
        said["feedback"] = [(one.feedback.name, one.feedback.score, one.feedback.target) for one in feedback]
        for number in (1, 2, 3):
            trace = samples.trace_id(number)
            data = await reader.trace_data(trace)
            said[f"spans {number}"] = repr(await store.log.trace(trace))
            said[f"records {number}"] = await store.log.log_records(trace)
            said[f"read {number}"] = repr(spans_of(data)), repr(trace_document(data)), repr(resource_spans(data))
            said[f"summary {number}"] = summary_document(data), named_releases(data)
            said[f"graph {number}"] = repr(await pipeline.assemble(trace))
        await store.stop()
        return said


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    bodies = [request.SerializeToString() for request in requests()]
    return asyncio.run(answers(bodies, log_request().SerializeToString()))


def differences(found: dict[str, object], expected: dict[str, object]) -> dict[str, object]:
    return {name: (found[name], wanted) for name, wanted in expected.items() if found[name] != wanted}


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_encoder_does_every_answer_is_the_same(expected: dict[str, object], seed: int) -> None:
    scribe = Scribe(random.Random(seed))
    found = asyncio.run(answers([scribe.written(one) for one in requests()], scribe.written(log_request())))
    assert not differences(found, expected)


@pytest.mark.parametrize("encoded", [falling, value_first])
def test_the_order_of_the_opentelemetry_collector_is_no_other(
    expected: dict[str, object], encoded: Callable[[Message], bytes]
) -> None:
    found = asyncio.run(answers([encoded(one) for one in requests()], encoded(log_request())))
    assert not differences(found, expected)


def test_the_searches_find_something(expected: dict[str, object]) -> None:
    """What is alike because nothing is found would prove nothing."""
    for place in PLACES:
        for key, value in {**VALUES, "map": {"b": 1}, "unset": None, "twice": "last"}.items():
            query = TraceQuery(attributes={f"{place}-{key}": text_of(value)})  # type: ignore[arg-type]
            assert expected[f"find {query}"], query
    assert not expected[f"find {TraceQuery(attributes={'span-twice': 'first'})}"]
    assert expected[f"find {TraceQuery(service='front')}"]
    assert not expected[f"find {TraceQuery(service='old')}"]


@given(st.integers(0, 2**32), st.integers(1, 3_000))
@settings(deadline=None)
def test_what_is_taken_apart_says_the_same_together(seed: int, max_bytes: int) -> None:
    """Large requests are read, and large traces answered, in several."""
    body = Scribe(random.Random(seed)).written(requests()[0])
    whole = repr(spans_of(body))
    lots = [request_of(lot) for lot in split(parts_of(body, Faults()), max_bytes, 2)]
    for several in (lots, list(pieces(body, max_bytes))):
        assert repr([span for one in several for span in spans_of(one)]) == whole


def test_one_span_encoded_in_two_ways_is_one() -> None:
    async def both() -> tuple[int, int]:
        request = requests()[0]
        once = await answers([request.SerializeToString()], b"")
        twice = await answers([request.SerializeToString(), falling(request)], b"")
        return len(str(once["read 1"])), len(str(twice["read 1"]))

    once, twice = asyncio.run(both())
    assert once == twice


def test_what_is_shown_of_an_attribute_is_what_is_found(expected: dict[str, object]) -> None:
    """Its last value, wherever it stands and whoever shows it."""
    shown = str(expected["read 1"])
    assert "first" not in shown
    assert shown.count("last") >= len(PLACES)
    assert "'old'" not in shown
