"""Spans and their links out of every encoding that protobuf allows."""

import random

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector.core.span import SpanContext
from collector.otlp.attributes import Links
from collector.otlp.decode import spans_of
from tests.encodings import Scribe

TRACE, OTHER, SPAN = b"t" * 16, b"o" * 16, b"s" * 8


def request() -> ExportTraceServiceRequest:
    """Spans with whatever a span can have."""
    found = ExportTraceServiceRequest()
    group = found.resource_spans.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="qa")))
    scoped = group.scope_spans.add()
    scoped.scope.name = "by hand"
    for number in range(1, 4):
        span = Span(trace_id=TRACE, span_id=bytes([number]) * 8, name="step", kind=Span.SPAN_KIND_CLIENT)
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=f"failed {number}"))
        for linked in range(number):
            link = span.links.add(trace_id=TRACE, span_id=bytes([9 - linked]) * 8, dropped_attributes_count=linked)
            link.attributes.append(KeyValue(key="argument", value=AnyValue(int_value=linked)))
        span.events.add(name="said", time_unix_nano=5)
        scoped.spans.append(span)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_whatever_an_encoder_does_the_spans_are_the_same(seed: int) -> None:
    plain = request()
    assert spans_of(Scribe(random.Random(seed)).written(plain)) == spans_of(plain.SerializeToString())


def test_of_ids_that_a_link_says_twice_the_last_ones_count() -> None:
    links, plain = Links(), Span.Link(trace_id=TRACE, span_id=SPAN).SerializeToString()
    again, nothing = Span.Link(trace_id=OTHER).SerializeToString(), b"\n\x00"
    for _ in range(2):  # what was read once is known the second time
        assert links.read(plain).context == SpanContext(TRACE.hex(), SPAN.hex())
        assert links.read(plain + again).context == SpanContext(OTHER.hex(), SPAN.hex())
        assert links.read(plain.replace(TRACE, OTHER) + again).context == SpanContext(OTHER.hex(), SPAN.hex())
        assert links.read(plain + nothing).context == SpanContext("", SPAN.hex())
