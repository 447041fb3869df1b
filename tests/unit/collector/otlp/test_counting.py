"""What of a span is shown: to readers that refuse everything for one part that is wrong."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from collector.otlp.raw import TraceDataBuilder

TRACE = bytes(15) + b"\1"
GOOD = Span.Link(trace_id=TRACE, span_id=bytes(7) + b"\2")


def shown(*links: Span.Link) -> Span:
    body = ExportTraceServiceRequest()
    span = body.resource_spans.add().scope_spans.add().spans.add(trace_id=TRACE, span_id=bytes(7) + b"\1", links=links)
    span.dropped_links_count = 2
    builder = TraceDataBuilder(TRACE)
    builder.add(body.SerializeToString())
    return TracesData.FromString(builder.build()).resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize(("trace", "span"), [(1, 8), (15, 8), (17, 8), (16, 1), (16, 7), (16, 9), (32, 16), (0, 4)])
def test_a_link_whose_ids_have_a_wrong_length_is_left_out_and_counted(trace: int, span: int) -> None:
    found = shown(GOOD, Span.Link(trace_id=b"\3" * trace, span_id=b"\4" * span), GOOD)
    assert (list(found.links), found.dropped_links_count) == ([GOOD, GOOD], 3)


@pytest.mark.parametrize("link", [GOOD, Span.Link(), Span.Link(trace_id=bytes(16), span_id=bytes(8))])
def test_a_link_with_ids_or_without_any_stays(link: Span.Link) -> None:
    found = shown(link)
    assert (list(found.links), found.dropped_links_count) == ([link], 2)
