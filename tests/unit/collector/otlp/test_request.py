"""Checking export requests."""

import json

import pytest
from google.protobuf.internal.encoder import _VarintBytes
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from collector.core.errors import InvalidRequest
from collector.core.telemetry import Signal
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.json_request import to_protobuf
from collector.otlp.request import read_logs, read_traces
from tests import samples


def test_a_sound_request_is_kept_byte_for_byte() -> None:
    body = samples.traces_request([samples.span(1, 1), samples.span(2, 1)])
    reading = read_traces(body, 7)
    assert reading.request.body is body
    assert reading.request.trace_ids == {bytes.fromhex(samples.trace_id(n)) for n in (1, 2)}
    assert (reading.request.items, reading.rejected, reading.message) == (2, 0, "")


def test_bad_spans_are_cut_out_and_the_first_is_named() -> None:
    zero, short, parent = samples.span(1, 0, name="zero"), samples.span(1, 2), samples.span(1, 3)
    short.trace_id = b"abc"
    parent.parent_span_id = b"x"
    reading = read_traces(samples.traces_request([zero, samples.span(1, 1, name="good"), short, parent]), 7)
    assert [span.name for span in spans_of(reading.request.body)] == ["good"]
    assert (reading.request.items, reading.rejected) == (1, 3)
    assert reading.message == "3 rejected, the first: span 'zero': its trace id or span id is all zero"


def test_log_records_need_no_ids_and_bad_ones_are_cut_out() -> None:
    free, bad = samples.evaluation(1, 1), samples.evaluation(1, 2)
    free.trace_id = free.span_id = b""
    bad.span_id = b"abc"
    reading = read_logs(samples.logs_request([free, bad, samples.evaluation(3, 1)]), 7)
    assert (reading.request.items, reading.rejected) == (2, 1)
    assert reading.request.trace_ids == {bytes.fromhex(samples.trace_id(3))}
    assert log_records_of(reading.request.body)[0].context is None


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (read_traces, read_logs):
        try:
            reading = read(body, 7)
        except InvalidRequest:
            continue
        assert reading.request.items >= 0


@given(st.data())
def test_a_damaged_request_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(samples.traces_request([samples.span(1, 1, values={"k": "v"}, links=[(2, "a")], error="e")]))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        reading = read_traces(bytes(body), 7)
    except InvalidRequest:
        return
    assert len(spans_of(reading.request.body)) == reading.request.items


def test_a_value_that_is_nested_too_deeply_is_refused_in_words() -> None:
    value = AnyValue(string_value="core").SerializeToString()
    for _ in range(60):  # by hand: the library refuses to build what it refuses to read
        array = b"\x0a" + _VarintBytes(len(value)) + value
        value = b"\x2a" + _VarintBytes(len(array)) + array
    attribute = b"\x0a\x01k\x12" + _VarintBytes(len(value)) + value
    span = samples.span(1, 1).SerializeToString() + b"\x4a" + _VarintBytes(len(attribute)) + attribute
    scoped = b"\x12" + _VarintBytes(len(span)) + span
    group = b"\x12" + _VarintBytes(len(scoped)) + scoped
    body = b"\x0a" + _VarintBytes(len(group)) + group
    with pytest.raises(InvalidRequest, match="nested deeper than 100"):
        read_traces(body, 7)


def test_decoding_keeps_everything() -> None:
    message = samples.span(
        1, 2, 3, "step", values={"s": "", "i": -1, "f": 0.5, "b": True, "raw": b"\x00", "list": [1, "a", [2]]},
        links=[(9, "arg")], error="broken",
    )  # fmt: skip
    message.attributes.add(key="null")
    message.kind = 99  # type: ignore[assignment]
    message.flags = 0x301
    message.trace_state = "a=b"
    message.dropped_attributes_count = 4
    (span,) = spans_of(samples.traces_request([message], "svc"))
    assert span.attributes == {
        "s": "", "i": -1, "f": 0.5, "b": True, "raw": b"\x00", "list": [1, "a", [2]], "null": None,
    }  # fmt: skip
    assert (span.context.span_id, span.parent_span_id) == (samples.span_id(2), samples.span_id(3))
    assert (span.kind, span.flags, span.trace_state, span.dropped_attributes_count) == (99, 0x301, "a=b", 4)
    assert span.links[0].context.span_id == samples.span_id(9)
    assert span.links[0].attributes == {"opto.arg": "arg"}
    assert span.events[0].attributes["exception.message"] == "broken"
    assert (span.status_code, span.status_message, span.resource.service) == (2, "broken", "svc")


def json_span(**changed: object) -> bytes:
    span = {"traceId": samples.trace_id(1).upper(), "spanId": samples.span_id(2), "name": "n", **changed}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}], "newField": 1}).encode()


def test_json_ids_are_hexadecimal_in_either_case_and_numbers_may_be_texts() -> None:
    for start in ("123", 123):
        body = to_protobuf(Signal.TRACES, json_span(startTimeUnixNano=start, kind=2, unknown={"a": 1}))
        (span,) = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
        assert (span.trace_id.hex(), span.span_id.hex()) == (samples.trace_id(1), samples.span_id(2))
        assert (span.start_time_unix_nano, span.kind) == (123, 2)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"resourceSpans": 3}', json_span(startTimeUnixNano="soon")])
def test_json_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="no OTLP/JSON traces request"):
        to_protobuf(Signal.TRACES, body)


@pytest.mark.parametrize("bad", ["xyz", "", "00", "0" * 32])
def test_a_json_span_with_a_wrong_id_is_refused_alone(bad: str) -> None:
    document = json.loads(json_span())
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append({**spans[0], "traceId": bad, "name": "bad"})
    reading = read_traces(to_protobuf(Signal.TRACES, json.dumps(document).encode()), 1)
    assert (reading.request.items, reading.rejected) == (1, 1)
    assert reading.message.startswith("1 rejected, the first: span 'bad'")


def test_an_attribute_called_trace_id_is_left_alone() -> None:
    attribute = {"key": "traceId", "value": {"stringValue": "not hex"}}
    body = to_protobuf(Signal.TRACES, json_span(attributes=[attribute]))
    assert spans_of(body)[0].attributes == {"traceId": "not hex"}
