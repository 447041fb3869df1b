"""One bad item of a protobuf request costs only itself."""

from collections.abc import Callable

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collector.core.errors import InvalidRequest
from collector.core.telemetry import Signal
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.fields import len_field
from collector.otlp.request import Reading, check_something_read, read_request
from tests import samples

GOOD = samples.span(1, 1, name="good", values={"k": "v", "n": 1}).SerializeToString()
ATTRIBUTE, EVENT, LINK, STATUS = 9, 11, 13, 15
"""Fields of spans."""

BROKEN = b"\x0a\x7f"
"""A field that promises more bytes than there are."""


def request(*spans: bytes, resource: bytes = b"", scope: bytes = b"") -> bytes:
    scoped = len_field(1, scope) + b"".join(len_field(2, span) for span in spans)
    return len_field(1, len_field(1, resource) + len_field(2, scoped))


def checked(reading: Reading) -> Reading:
    if not reading.request.items:
        check_something_read(reading.request.signal, reading.faults)
    return reading


def read(body: bytes, signal: Signal = Signal.TRACES) -> Reading:
    return checked(read_request(signal, body, 7))


def nested(levels: int) -> bytes:
    """A span with an attribute whose lists lie in each other: two messages a level, and 6 around them in a request."""
    value = AnyValue(string_value="core").SerializeToString()
    for _ in range(levels):
        value = len_field(5, len_field(1, value))
    return GOOD + len_field(ATTRIBUTE, len_field(1, b"deep") + len_field(2, value))


def test_a_span_whose_bytes_are_no_fields_is_rejected_alone() -> None:
    reading = read(request(GOOD, GOOD[:-3], GOOD))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (2, 1, 0)
    assert reading.message.startswith("1 rejected, the first: span: byte ")
    assert [span.name for span in spans_of(reading.request.body)] == ["good", "good"]


@pytest.mark.parametrize("broken", [BROKEN, b"\xff" * 12, b"\x0f", b"\x00\x00", b"\x0c", b"\x0b", b"\x09\x01"])
@pytest.mark.parametrize(
    ("number", "count"),
    [(ATTRIBUTE, "dropped_attributes_count"), (EVENT, "dropped_events_count"), (LINK, "dropped_links_count")],
)
def test_a_part_of_a_span_that_cannot_be_read_is_left_out_and_counted_there(
    broken: bytes, number: int, count: str
) -> None:
    message = Span.FromString(GOOD)
    setattr(message, count, 2)
    bad = message.SerializeToString() + len_field(number, broken)
    reading = read(request(GOOD, bad))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (2, 0, 1)
    _, kept = ExportTraceServiceRequest.FromString(reading.request.body).resource_spans[0].scope_spans[0].spans
    assert getattr(kept, count) == 3
    setattr(kept, count, 2)
    assert kept == message


def test_what_has_no_count_is_left_out() -> None:
    reading = read(request(GOOD + len_field(STATUS, BROKEN)))
    (kept,) = spans_of(reading.request.body)
    assert (kept.name, kept.status_code, reading.faults.repaired) == ("good", 0, 1)


TEXTS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("name", lambda text: GOOD + len_field(5, text)),
    ("attribute", lambda text: GOOD + len_field(ATTRIBUTE, len_field(1, b"k") + len_field(2, len_field(1, text)))),
    ("key", lambda text: GOOD + len_field(ATTRIBUTE, len_field(1, text) + len_field(2, len_field(1, b"v")))),
    ("event", lambda text: GOOD + len_field(EVENT, len_field(2, text))),
    ("state", lambda text: GOOD + len_field(3, text)),
    ("status", lambda text: GOOD + len_field(STATUS, len_field(2, text))),
]


@pytest.mark.parametrize(("where", "spoiled"), TEXTS, ids=[where for where, _ in TEXTS])
@pytest.mark.parametrize(
    ("text", "kept"),
    [(b"caf\xe9!", "caf\ufffd!"), (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"), (b"ok \xf0\x9f\x98", "ok \ufffd")],
    ids=["latin-1", "half a surrogate pair", "cut off"],
)
def test_bytes_that_are_no_text_become_one(
    where: str, spoiled: Callable[[bytes], bytes], text: bytes, kept: str
) -> None:
    reading = read(request(GOOD, spoiled(text)))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (2, 0, 1)
    assert reading.request.body == request(GOOD, spoiled(kept.encode())), where


def test_a_resource_that_cannot_be_read_costs_itself_and_its_attributes_one_by_one() -> None:
    name = len_field(1, len_field(1, b"service.name") + len_field(2, len_field(1, b"shop")))
    for resource, service in ((name + len_field(1, BROKEN), "shop"), (name + BROKEN, "unknown_service")):
        reading = read(request(GOOD, resource=resource))
        (span,) = spans_of(reading.request.body)
        assert (span.resource.service, reading.rejected, reading.faults.repaired) == (service, 0, 1)


def test_a_scope_that_cannot_be_read_costs_itself() -> None:
    reading = read(request(GOOD, scope=BROKEN))
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (1, 0, 1)


def test_what_stands_before_the_break_is_kept() -> None:
    whole = request(GOOD)
    for body in (
        whole + BROKEN,
        whole + len_field(1, b"\xff\xff"),
        len_field(1, len_field(2, len_field(2, GOOD)) + BROKEN),
        len_field(1, len_field(2, len_field(2, GOOD) + BROKEN)),
    ):
        reading = read(body)
        assert (reading.request.items, reading.rejected) == (1, 1), body
        assert [span.name for span in spans_of(reading.request.body)] == ["good"]


@pytest.mark.parametrize("body", [BROKEN, b"\xff", b"GET / HTTP/1.1", len_field(1, BROKEN), b'{"resourceSpans": []}'])
def test_a_body_of_which_nothing_can_be_read_is_no_request(body: bytes) -> None:
    for signal in Signal:
        with pytest.raises(InvalidRequest, match="is no export request"):
            read(body, signal)


def test_log_records_are_kept_alike() -> None:
    good = samples.evaluation(1, 1).SerializeToString()
    spoiled = good + len_field(5, len_field(1, b"caf\xe9"))
    reading = read(request(good, spoiled, good[:-1], good + len_field(6, BROKEN)), Signal.LOGS)
    assert (reading.request.items, reading.rejected, reading.faults.repaired) == (3, 1, 2)
    records = log_records_of(reading.request.body)
    assert [record.body for record in records] == [None, "caf\ufffd", None]
    assert [record.dropped_attributes_count for record in records] == [0, 0, 1]


def test_what_lies_too_deep_is_left_out_where_the_library_refuses_it() -> None:
    """The limit is the library's own, whatever it is: what it takes is kept as it came."""
    refused = 0
    for levels in range(40, 60):
        body = request(nested(levels))
        try:
            ExportTraceServiceRequest.FromString(body)
        except DecodeError:
            refused += 1
            reading = read(body)
            (span,) = spans_of(reading.request.body)
            assert ("deep" in span.attributes, span.dropped_attributes_count) == (False, 1)
            assert "nested deeper than 100" in reading.message
        else:
            damaged = read(request(nested(levels), GOOD[:-1]))
            assert "deep" in spans_of(damaged.request.body)[0].attributes
    assert 0 < refused < 20


@given(st.data())
def test_whatever_is_damaged_the_others_are_kept_as_they_came(data: st.DataObject) -> None:
    victim = bytearray(samples.span(2, 2, values={"k": "vé"}, links=[(2, "a")], error="e").SerializeToString())
    for _ in range(data.draw(st.integers(1, 5))):
        victim[data.draw(st.integers(0, len(victim) - 1))] = data.draw(st.integers(0, 255))
    reading = read(request(GOOD, bytes(victim), GOOD))
    kept = ExportTraceServiceRequest.FromString(reading.request.body)
    spans = [span.SerializeToString() for span in kept.resource_spans[0].scope_spans[0].spans]
    assert spans.count(GOOD) >= 2
    assert len(spans) == reading.request.items == 3 - reading.rejected


@given(st.binary(max_size=300))
def test_any_bytes_are_kept_in_part_or_refused(body: bytes) -> None:
    for signal in Signal:
        try:
            reading = read(body, signal)
        except InvalidRequest:
            continue
        decode = spans_of if signal is Signal.TRACES else log_records_of
        assert len(decode(reading.request.body)) == reading.request.items


def test_a_group_beside_is_not_touched() -> None:
    other = ResourceSpans(scope_spans=[ScopeSpans(spans=[samples.span(9, 9)], schema_url="s")], schema_url="g")
    body = request(GOOD[:-1]) + len_field(1, other.SerializeToString())
    reading = read(body)
    kept = ExportTraceServiceRequest.FromString(reading.request.body).resource_spans[-1]
    assert kept == other
