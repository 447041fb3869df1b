"""The search: every condition, alone and together, against a plain reading of all spans."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.core.telemetry import TraceQuery
from collector.otlp.needles import attribute_needle
from collector.otlp.request import read_traces
from collector.otlp.text import text_of
from collector.storage.file_store import FileStore
from collector.storage.segments import SegmentLimits
from tests import samples
from tests.clocks import TickingClock
from tests.encodings import Scribe

START, SECOND = samples.START, samples.SECOND
TYPED: Mapping[str, object] = {
    "text": "some words",
    "empty": "",
    "whole": 200,
    "negative": -5,
    "real": 72.5,
    "round": 3.0,
    "small": 1e-7,
    "yes": True,
    "no": False,
    "raw": b"\x00\x01\x02",
    "list": ["a", 1, True],
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FileStore]:
    made = FileStore(tmp_path, TickingClock(), SegmentLimits(bytes=3_000))
    await made.start()
    spans = [
        samples.span(1, 1, name="root", values=TYPED, start=1 * SECOND, duration=5 * SECOND),
        samples.span(1, 2, 1, name="child", error="broken", start=2 * SECOND, duration=SECOND),
        samples.span(2, 1, name="root", values={"text": "other words", "whole": 201}, start=3 * SECOND),
    ]
    spans[2].kind = 3  # type: ignore[assignment]
    spans[2].links.add(
        trace_id=bytes(15) + b"\x01", span_id=bytes(7) + b"\x01", attributes=samples.attributes({"l": "m"})
    )
    for span in spans:
        await made.append(read_traces(samples.traces_request([span]), 1).request)
    other = ExportTraceServiceRequest.FromString(
        samples.traces_request([samples.span(3, 1, name="leaf", start=0)], "stock")
    )
    scope = other.resource_spans[0].scope_spans[0].scope
    scope.name, scope.version = "lib", "1.2"
    scope.attributes.extend(samples.attributes({"team": "red"}))
    other.resource_spans[0].resource.attributes.extend(samples.attributes({"zone": "z1", "pid": 7}))
    await made.append(read_traces(other.SerializeToString(), 1).request)
    yield made
    await made.stop()


async def found(store: FileStore, **conditions: object) -> list[int]:
    traces = await store.find(TraceQuery(**conditions))  # type: ignore[arg-type]
    return [int(trace.trace_id, 16) for trace in traces]


async def test_newest_first_and_limited(store: FileStore) -> None:
    assert await found(store) == [2, 1, 3]
    assert await found(store, limit=1) == [2]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"service": "shop"}, [2, 1]),
        ({"service": "stock"}, [3]),
        ({"service": "nobody"}, []),
        ({"operation": "root"}, [2, 1]),
        ({"service": "shop", "operation": "child"}, [1]),
        ({"service": "stock", "operation": "root"}, []),
        ({"operation": "roo"}, []),
        ({"start_min_unix_nano": START + 2 * SECOND}, [2, 1]),
        ({"start_max_unix_nano": START + SECOND}, [1, 3]),
        ({"start_min_unix_nano": START + SECOND, "start_max_unix_nano": START + SECOND}, [1]),
        ({"duration_min_nano": 2 * SECOND}, [1]),
        ({"duration_max_nano": SECOND, "operation": "root"}, [2]),
        ({"duration_min_nano": 2 * SECOND, "operation": "child"}, []),
    ],
)
async def test_columns(store: FileStore, conditions: dict[str, object], expected: list[int]) -> None:
    assert await found(store, **conditions) == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        *(({key: text_of(value)}, [1]) for key, value in TYPED.items()),  # type: ignore[arg-type]
        ({"whole": "201"}, [2]),
        ({"whole": "20"}, []),
        ({"text": "words"}, []),
        ({"missing": ""}, []),
        ({"l": "m"}, [2]),
        ({"exception.message": "broken"}, [1]),
        ({"opto.arg": "x"}, []),
        ({"team": "red"}, [3]),
        ({"zone": "z1"}, [3]),
        ({"pid": "7"}, [3]),
        ({"resource.zone": "z1"}, [3]),
        ({"resource.text": "some words"}, []),
        ({"scope.name": "lib"}, [3]),
        ({"scope.version": "1.2"}, [3]),
        ({"scope.name": "li"}, []),
        ({"error": "true"}, [1]),
        ({"error": "false", "text": "other words"}, [2]),
        ({"span.status": "error"}, [1]),
        ({"span.kind": "client"}, [2]),
        ({"span.kind": "CLIENT"}, [2]),
        ({"service.name": "stock"}, [3]),
        ({"text": "some words", "whole": "200", "yes": "true"}, [1]),
        ({"text": "some words", "whole": "201"}, []),
        ({"text": "some words", "exception.message": "broken"}, []),  # on two spans of one trace
    ],
)
async def test_attributes(store: FileStore, attributes: dict[str, str], expected: list[int]) -> None:
    assert await found(store, attributes=attributes) == expected


async def test_services_operations_and_dependencies(store: FileStore) -> None:
    assert list(await store.services()) == ["shop", "stock"]
    assert [(one.name, one.kind) for one in await store.operations("shop")] == [("child", 1), ("root", 1), ("root", 3)]
    assert len(await store.operations("")) == 4
    (within,) = await store.dependencies(0, 2**62)
    assert (within.parent, within.child, within.call_count) == ("shop", "shop", 1)


async def test_dependencies_count_children_beside_their_parents(tmp_path: Path) -> None:
    store = FileStore(tmp_path, TickingClock())
    await store.start()
    await store.append(read_traces(samples.traces_request([samples.span(1, 1)], "front"), 1).request)
    children = [samples.span(1, 2, 1, start=5), samples.span(1, 3, 1, start=9), samples.span(1, 4, 99)]
    await store.append(read_traces(samples.traces_request(children, "back"), 1).request)
    found_all = await store.dependencies(0, 2**62)
    assert [(one.parent, one.child, one.call_count) for one in found_all] == [("front", "back", 2)]
    assert (await store.dependencies(START + 6, START + 9))[0].call_count == 1
    await store.stop()


values = st.one_of(
    st.text(max_size=8),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.binary(max_size=8),
    st.lists(st.integers(0, 9), max_size=3),
)


@given(values, st.text(max_size=5), st.integers(0, 2**32))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_needle_is_found_wherever_its_attribute_is(value: object, key: str, seed: int) -> None:
    span = samples.span(1, 1, values={"first": 1, key: value, "last": "x"})
    needle = attribute_needle(key, text_of(value))  # type: ignore[arg-type]
    assert needle.is_in(span.SerializeToString())
    assert needle.may_be_in(Scribe(Random(seed)).written(span))
