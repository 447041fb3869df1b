"""Spans from bytes: what is read by hand is read as protobuf reads it."""

import random

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.core.span import Link, SpanContext, StatusCode
from collector.otlp.attributes import Links
from collector.otlp.decode import spans_of
from tests.encodings import Scribe

TRACE, OTHER, SPAN = b"\x0a" * 16, b"o" * 16, b"\x12" * 8
CONTEXT = SpanContext(TRACE.hex(), SPAN.hex())
LONG = "ü" * 40_000


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def request(span: trace_pb2.Span) -> bytes:
    scoped = trace_pb2.ScopeSpans(spans=[span])
    return ExportTraceServiceRequest(resource_spans=[trace_pb2.ResourceSpans(scope_spans=[scoped])]).SerializeToString()


def field(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2, len(body)]) + body


@pytest.mark.parametrize(
    ("body", "link"),
    [
        (field(1, TRACE) + field(2, SPAN), Link(CONTEXT)),
        (field(2, SPAN) + field(1, TRACE), Link(CONTEXT)),
        (field(1, TRACE) + field(2, SPAN) + field(4, text("a", "x").SerializeToString()), Link(CONTEXT, {"a": "x"})),
        (field(4, text("a", "x").SerializeToString()) + field(1, TRACE) + field(2, SPAN), Link(CONTEXT, {"a": "x"})),
        (field(1, TRACE) + field(2, SPAN) + field(3, b"state") + b"\x28\x07", Link(CONTEXT, {}, 7)),
        (field(1, b"short") + field(2, b"id"), Link(SpanContext(b"short".hex(), b"id".hex()))),
        (b"", Link(SpanContext("", ""))),
    ],
)
def test_links_in_any_form(body: bytes, link: Link) -> None:
    links = Links()
    assert links.read(body) == link
    assert links.read(body) == link


@pytest.mark.parametrize("body", [field(1, TRACE)[:-1], field(1, TRACE) + field(2, SPAN) + b"\x22\x7f", b"\xff"])
def test_what_is_no_link_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        Links().read(body)


def test_values_of_every_kind_in_their_order() -> None:
    values = {
        "text": AnyValue(string_value=LONG), "empty": AnyValue(string_value=""), "none": AnyValue(),
        "yes": AnyValue(bool_value=True), "n": AnyValue(int_value=-3), "x": AnyValue(double_value=0.0),
        "raw": AnyValue(bytes_value=b"\x00"),
        "list": AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="a")])),
        "map": AnyValue(kvlist_value=KeyValueList(values=[text("k", "v")])),
    }  # fmt: skip
    attributes = [KeyValue(key=key, value=value) for key, value in values.items()]
    span = trace_pb2.Span(trace_id=TRACE, span_id=SPAN, attributes=[*attributes, text("text", "the last one counts")])
    (read,) = spans_of(request(span))
    assert list(read.attributes.items()) == [
        ("text", "the last one counts"), ("empty", ""), ("none", None), ("yes", True), ("n", -3), ("x", 0.0),
        ("raw", b"\x00"), ("list", [1, "a"]), ("map", {"k": "v"}),
    ]  # fmt: skip


def test_a_span_has_what_was_sent() -> None:
    span = trace_pb2.Span(
        trace_id=TRACE, span_id=SPAN, parent_span_id=bytes(8), name="s", kind=trace_pb2.Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=5, end_time_unix_nano=7, flags=1, trace_state="a=b", dropped_links_count=2,
        status=trace_pb2.Status(code=trace_pb2.Status.STATUS_CODE_ERROR, message="lost"),
        events=[trace_pb2.Span.Event(name="e", time_unix_nano=6, attributes=[text("a", "x")])],
    )  # fmt: skip
    (read,) = spans_of(request(span))
    assert (read.context, read.parent_span_id, read.name, read.kind) == (CONTEXT, None, "s", 3)
    assert (read.start_time_unix_nano, read.end_time_unix_nano, read.flags, read.trace_state) == (5, 7, 1, "a=b")
    assert (read.status_code, read.status_message, read.dropped_links_count) == (StatusCode.ERROR, "lost", 2)
    assert [(event.name, event.time_unix_nano, event.attributes) for event in read.events] == [("e", 6, {"a": "x"})]


def rich() -> ExportTraceServiceRequest:
    """Spans with whatever a span can have."""
    found = ExportTraceServiceRequest()
    group = found.resource_spans.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="qa")))
    scoped = group.scope_spans.add()
    scoped.scope.name = "by hand"
    for number in range(1, 4):
        span = trace_pb2.Span(
            trace_id=TRACE, span_id=bytes([number]) * 8, name="step", kind=trace_pb2.Span.SPAN_KIND_CLIENT
        )
        span.status.CopyFrom(trace_pb2.Status(code=trace_pb2.Status.STATUS_CODE_ERROR, message=f"failed {number}"))
        for linked in range(number):
            link = span.links.add(trace_id=TRACE, span_id=bytes([9 - linked]) * 8, dropped_attributes_count=linked)
            link.attributes.append(KeyValue(key="argument", value=AnyValue(int_value=linked)))
        span.events.add(name="said", time_unix_nano=5)
        scoped.spans.append(span)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_whatever_an_encoder_does_the_spans_are_the_same(seed: int) -> None:
    plain = rich()
    assert spans_of(Scribe(random.Random(seed)).written(plain)) == spans_of(plain.SerializeToString())


def test_of_ids_that_a_link_says_twice_the_last_ones_count() -> None:
    links, plain = Links(), trace_pb2.Span.Link(trace_id=TRACE, span_id=SPAN).SerializeToString()
    again, nothing = trace_pb2.Span.Link(trace_id=OTHER).SerializeToString(), b"\n\x00"
    for _ in range(2):  # what was read once is known the second time
        assert links.read(plain).context == SpanContext(TRACE.hex(), SPAN.hex())
        assert links.read(plain + again).context == SpanContext(OTHER.hex(), SPAN.hex())
        assert links.read(plain.replace(TRACE, OTHER) + again).context == SpanContext(OTHER.hex(), SPAN.hex())
        assert links.read(plain + nothing).context == SpanContext("", SPAN.hex())


def test_ids_of_other_lengths_are_never_taken_for_those_that_a_link_begins_with() -> None:
    begin = b"\n\x10" + TRACE + b"\x12\x08"
    links = Links()
    assert links.context(TRACE, SPAN) == CONTEXT
    assert links.context(b"", begin + SPAN) == SpanContext("", (begin + SPAN).hex())
    assert links.context(TRACE + begin[18:], SPAN[:6]) == SpanContext((TRACE + begin[18:]).hex(), SPAN[:6].hex())
    assert links.read(field(1, TRACE) + field(2, SPAN)).context is links.context(TRACE, SPAN)
