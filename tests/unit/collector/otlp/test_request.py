"""Checking export requests."""

from hypothesis import given
from hypothesis import strategies as st

from collector.core.errors import InvalidRequest
from collector.otlp.decode import log_records_of, spans_of
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
