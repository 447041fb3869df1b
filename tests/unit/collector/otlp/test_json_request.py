"""OTLP/JSON: what is read, what is mended, and what one bad item costs."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.errors import InvalidRequest
from collector.core.telemetry import Signal
from collector.otlp.decode import spans_of
from collector.otlp.faults import Faults
from collector.otlp.json_request import to_protobuf
from collector.otlp.request import Reading, check_something_read, read_request
from tests import samples

HALF = "\ud800"


def span(**changed: object) -> dict[str, object]:
    made = {"traceId": samples.trace_id(1).upper(), "spanId": samples.span_id(2), "name": "n", **changed}
    return {key: value for key, value in made.items() if value is not ...}


def document(*spans: object, **group: object) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}], **group}], "newField": 1}).encode()


def checked(reading: Reading) -> Reading:
    if not reading.request.items:
        check_something_read(reading.request.signal, reading.faults)
    return reading


def read(body: bytes, signal: Signal = Signal.TRACES) -> Reading:
    faults = Faults()
    return checked(read_request(signal, to_protobuf(signal, body, faults), 7, faults=faults))


def only(reading: Reading) -> Span:
    (kept,) = ExportTraceServiceRequest.FromString(reading.request.body).resource_spans[0].scope_spans[0].spans
    return kept


def valued(value: object) -> list[dict[str, object]]:
    return [{"key": "k", "value": value}]


def test_ids_are_hexadecimal_in_either_case_and_numbers_may_be_texts() -> None:
    for start in ("123", 123):
        kept = only(read(document(span(startTimeUnixNano=start, kind=2, unknown={"a": 1}))))
        assert (kept.trace_id.hex(), kept.span_id.hex()) == (samples.trace_id(1), samples.span_id(2))
        assert (kept.start_time_unix_nano, kept.kind) == (123, 2)


def test_keys_are_taken_as_the_proto_files_write_them_and_in_any_order() -> None:
    one = {"trace_id": samples.trace_id(1), "span_id": samples.span_id(2), "parent_span_id": samples.span_id(3)}
    resource = {"attributes": [{"key": "service.name", "value": {"string_value": "shop"}}]}
    scope = {"spans": [one], "schema_url": "s", "scope": {"name": "late"}}
    body = json.dumps({"resource_spans": [{"scope_spans": [scope], "schemaUrl": "g", "resource": resource}]}).encode()
    (kept,) = spans_of(to_protobuf(Signal.TRACES, body, Faults()))
    assert (kept.resource.service, kept.scope.name, kept.parent_span_id) == ("shop", "late", samples.span_id(3))
    group = ExportTraceServiceRequest.FromString(to_protobuf(Signal.TRACES, body, Faults())).resource_spans[0]
    assert (group.schema_url, group.scope_spans[0].schema_url) == ("g", "s")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"3", b"null", b'{"resourceSpans": 3}', b'{"resourceSpans": {}}', b'{"resourceSpans": [3]}',
        b'{"resourceSpans": []} {}', b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "n"',
        b'{"resourceSpans": [], }', b"{'resourceSpans': []}", document(span())[:-1], b"\xff\xfe",
    ],
)  # fmt: skip
def test_json_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"no OTLP/JSON traces request|is no export request"):
        read(body)


@pytest.mark.parametrize("body", [b"{}", b'{"resourceSpans": null}', b'{"resourceLogs": [3]}', b'{"a": [[{}]]}'])
def test_a_request_may_be_empty(body: bytes) -> None:
    assert (read(body).request.items, read(body).message) == (0, "")


@pytest.mark.parametrize("bad", ["xyz", "", "00", "0" * 32, 7, None, ..., ["a"], "é" * 32, HALF])
def test_a_span_with_a_wrong_id_is_rejected_alone(bad: object) -> None:
    reading = read(document(span(), span(traceId=bad, name="bad"), span()))
    assert (reading.request.items, reading.rejected) == (2, 1)
    assert reading.message.startswith("1 rejected, the first: span 'bad'")


@pytest.mark.parametrize("bad", [None, 3, "span", [], [[]], True, 1.5])
def test_what_is_no_span_is_rejected_alone(bad: object) -> None:
    reading = read(document(span(), bad, span()))
    assert (reading.request.items, reading.rejected) == (2, 1)


@pytest.mark.parametrize(
    "group", [3, None, [], {"scopeSpans": 3}, {"scopeSpans": [3]}, {"scopeSpans": [{"spans": {"a": 1}}]}]
)
def test_a_group_of_wrong_containers_costs_itself(group: object) -> None:
    body = json.dumps({"resourceSpans": [group, {"scopeSpans": [{"spans": [span()]}]}]}).encode()
    reading = read(body)
    assert (reading.request.items, reading.rejected) == (1, 1)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"stringValue": 12}, "12"),
        ({"stringValue": True}, "true"),
        ({"stringValue": ["a"]}, '["a"]'),
        ({"stringValue": "caf" + HALF}, "caf\ufffd"),
        ({"boolValue": "yes"}, "yes"),
        ({"boolValue": 1}, "1"),
        ({"intValue": "18446744073709551615"}, "18446744073709551615"),
        ({"intValue": 2**63}, str(2**63)),
        ({"intValue": 1.5}, "1.5"),
        ({"intValue": "many"}, "many"),
        ({"doubleValue": "much"}, "much"),
        ({"stringValue": "first", "intValue": 1}, "first"),
        ({"intValue": float("inf")}, float("inf")),
        ({"arrayValue": [1, "a"]}, [1, "a"]),
        ({"arrayValue": {"values": [{"intValue": "x"}, {"stringValue": "a"}]}}, ["x", "a"]),
        ({"kvlistValue": {"a": 1}}, {"a": 1}),
        ("plain", "plain"),
        (12, 12),
        (2**64, str(2**64)),
        (0.5, 0.5),
        (False, False),
        ([1, {"b": None}], [1, {"b": None}]),
        ({"model": "m"}, {"model": "m"}),
    ],
)
def test_a_value_that_its_kind_cannot_hold_is_kept_as_what_it_is(value: object, kept: object) -> None:
    reading = read(document(span(attributes=valued(value)), span()))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (2, 0, 1)
    assert reading.message.startswith("1 repaired, the first: span: ")
    assert spans_of(reading.request.body)[0].attributes == {"k": kept}


def test_numbers_that_json_lacks_are_kept() -> None:
    body = document(span(attributes=valued({"doubleValue": float("inf")})))
    assert spans_of(read(body).request.body)[0].attributes == {"k": float("inf")}


def test_attributes_as_an_object_are_its_members() -> None:
    reading = read(document(span(attributes={"model": "m", "n": 3})))
    assert spans_of(reading.request.body)[0].attributes == {"model": "m", "n": 3}


@pytest.mark.parametrize(
    ("field", "bad", "count"),
    [
        ("attributes", None, "dropped_attributes_count"),
        ("attributes", "k=v", "dropped_attributes_count"),
        ("attributes", ["k", "v"], "dropped_attributes_count"),
        ("events", None, "dropped_events_count"),
        ("events", 3, "dropped_events_count"),
        ("links", None, "dropped_links_count"),
        ("links", {"traceId": "xyz", "spanId": "00"}, "dropped_links_count"),
    ],
)
def test_a_part_that_is_none_is_left_out_and_counted(field: str, bad: object, count: str) -> None:
    good: dict[str, dict[str, Any]] = {
        "attributes": {"key": "k", "value": {"stringValue": "v"}},
        "events": {"name": "e"},
        "links": {"traceId": samples.trace_id(1), "spanId": samples.span_id(1)},
    }
    reading = read(document(span(**{field: [good[field], bad]})))
    kept = only(reading)
    assert (len(getattr(kept, field)), getattr(kept, count), reading.faults.repaired) == (1, 1, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "CLIENT"}, {"kind": [1]}, {"kind": 2**40}, {"status": {"code": -(2**31) - 1}},
        {"startTimeUnixNano": "soon"}, {"startTimeUnixNano": -1},
        {"startTimeUnixNano": 2**64}, {"startTimeUnixNano": 1.5}, {"endTimeUnixNano": {}}, {"flags": -1},
        {"status": 3}, {"status": {"code": "bad"}}, {"attributes": "a"}, {"events": {}}, {"name": ["n"]},
        {"name": 5}, {"droppedAttributesCount": "many"}, {"traceState": HALF},
    ],
)  # fmt: skip
def test_any_other_field_that_cannot_be_read_costs_itself(changed: dict[str, object]) -> None:
    reading = read(document(span(), span(**changed), span()))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (3, 0, 1)


def test_half_a_surrogate_pair_is_replaced_wherever_it_stands() -> None:
    torn = span(
        name=HALF + "n", attributes=[{"key": "k" + HALF, "value": {"stringValue": HALF}}],
        events=[{"name": HALF, "attributes": valued({"stringValue": "x" + HALF})}], status={"message": HALF},
    )  # fmt: skip
    kept = only(read(document(torn)))
    assert (kept.name, kept.events[0].name, kept.status.message) == ("\ufffdn", "\ufffd", "\ufffd")
    assert (kept.attributes[0].key, kept.events[0].attributes[0].value.string_value) == ("k\ufffd", "x\ufffd")


@pytest.mark.parametrize(
    "changed",
    [
        {HALF: 1}, {"kind": HALF}, {"status": {"code": HALF}}, {"status": {HALF: 1}},
        {"attributes": valued({HALF: 1})}, {"attributes": [{"key": "k", HALF: 1}]}, {"attributes": {HALF: 1}},
        {"attributes": valued({"kvlistValue": {HALF: 1}})}, {"events": [{HALF: 1}]}, {"links": [{HALF: 1}]},
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_in_a_name_costs_its_item_alone(changed: dict[str, object]) -> None:
    reading = read(document(span(), span(**changed), span()))
    assert (reading.request.items, reading.rejected) == (3, 0)


@pytest.mark.parametrize("part", ["resource", "scope"])
def test_half_a_surrogate_pair_in_a_name_around_spans_costs_no_span(part: str) -> None:
    scoped = {"spans": [span()], HALF: 1, "scope": {HALF: 1} if part == "scope" else {}}
    group = {"resource": {HALF: 1} if part == "resource" else {}, "scopeSpans": [scoped], HALF: 1}
    reading = read(json.dumps({"resourceSpans": [group], HALF: 1}).encode())
    assert (reading.request.items, reading.rejected) == (1, 0)


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    reading = read(document(span(name="caf!")).replace(b"caf!", b"caf\xe9!"))
    assert only(reading).name == "caf\ufffd!"


@pytest.mark.parametrize("resource", [3, [], {"attributes": 3}, {"attributes": valued({"intValue": "x"})}])
def test_a_resource_that_cannot_be_read_costs_itself(resource: object) -> None:
    reading = read(document(span(), resource=resource))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (1, 0, 1)


def test_what_is_nested_too_deeply_costs_itself() -> None:
    value: object = {"stringValue": "core"}
    for _ in range(60):
        value = {"arrayValue": {"values": [value]}}
    reading = read(document(span(attributes=valued(value)), span()))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (2, 0, 1)
    for deep in (b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"9" * 10_000):
        reading = read(document(span(), "HERE", span()).replace(b'"HERE"', b'{"attributes": ' + deep + b', "x": "]"}'))
        assert (reading.request.items, reading.rejected) == (2, 1)


def test_an_attribute_called_trace_id_is_left_alone() -> None:
    attribute = {"key": "traceId", "value": {"stringValue": "not hex"}}
    assert spans_of(read(document(span(attributes=[attribute]))).request.body)[0].attributes == {"traceId": "not hex"}


def test_log_records_are_read_alike() -> None:
    records = [{"body": {"stringValue": 3}}, {"traceId": "zz"}, None, {"severityNumber": 9, "timeUnixNano": "-4"}]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
    reading = read(body, Signal.LOGS)
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (2, 2, 2)
    (scope,) = ExportLogsServiceRequest.FromString(reading.request.body).resource_logs[0].scope_logs
    assert [one.body.string_value for one in scope.log_records] == ["3", ""]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["key", "value", "stringValue", "intValue", "arrayValue", "kvlistValue", "values", "attributes", "x"]
    ), inner, max_size=4),
)  # fmt: skip
FIELDS = sorted(field.camelcase_name for field in Span.DESCRIPTOR.fields if not field.name.endswith("_id"))


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
def test_whatever_a_span_says_the_others_are_kept(changed: dict[str, object]) -> None:
    reading = read(document(span(name="first"), span(**changed), span(name="last")))
    names = [kept.name for kept in spans_of(reading.request.body)]
    assert (names[0], names[-1], len(names)) == ("first", "last", 3 - reading.rejected)


@given(JSON, st.sampled_from(["resourceSpans", "scopeSpans", "spans"]))
def test_any_json_is_read_or_refused(value: object, where: str) -> None:
    around = {
        "resourceSpans": value,
        "scopeSpans": [{"scopeSpans": value}],
        "spans": [{"scopeSpans": [{"spans": value}]}],
    }
    try:
        reading = read(json.dumps({"resourceSpans": around[where]}).encode())
    except InvalidRequest:
        return
    assert len(spans_of(reading.request.body)) == reading.request.items
