"""Slicing and parsing heads say the same of every span."""

from collections.abc import Callable
from random import Random

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp.heads import HeadReader, heads_of
from tests import samples
from tests.encodings import Scribe, falling

spans = st.builds(
    Span,
    trace_id=st.one_of(st.binary(min_size=16, max_size=16), st.sampled_from([b"", bytes(16), b"short"])),
    span_id=st.one_of(st.binary(min_size=8, max_size=8), st.sampled_from([b"", bytes(8), b"x"])),
    parent_span_id=st.sampled_from([b"", b"12345678", b"1"]),
    trace_state=st.sampled_from(["", "a=b"]),
    name=st.one_of(st.text(max_size=9), st.just("n" * 127), st.just("n" * 128), st.just("n" * 300)),
    kind=st.sampled_from([0, 1, 5, 99, 200]),
    start_time_unix_nano=st.one_of(st.integers(0, 2**64 - 1), st.just(samples.START)),
    end_time_unix_nano=st.one_of(st.integers(0, 2**64 - 1), st.just(samples.START + 5)),
    attributes=st.just(samples.attributes({"k": "v"})),
)


def said(one_by_one: bool, messages: list[Span], seed: int | None = None) -> object:
    request = ExportTraceServiceRequest(resource_spans=[{"scope_spans": [{"spans": messages}]}])
    body = request.SerializeToString() if seed is None else Scribe(Random(seed)).written(request)
    heads = heads_of(body)
    (group,) = heads.request.resource_spans
    (scoped,) = group.scope_spans
    reader = HeadReader()
    if one_by_one:
        bad = [index for index, span in enumerate(scoped.spans) if reader.read([span], "s", zeros=heads.zeros)]
    else:
        bad = reader.read(scoped.spans, "s", zeros=heads.zeros)
    return bad, reader.trace_ids, reader.contents(), reader.faults


@given(st.lists(spans, max_size=6))
def test_spans_together_say_what_they_say_alone(messages: list[Span]) -> None:
    assert said(False, messages) == said(True, messages)


@given(st.lists(spans, max_size=6), st.integers(0, 2**32))
def test_spans_say_the_same_in_any_encoding(messages: list[Span], seed: int) -> None:
    assert said(False, messages, seed) == said(False, messages)


@given(spans)
def test_a_span_says_what_its_message_says(message: Span) -> None:
    bad, trace_ids, contents, faults = said(False, [message])  # type: ignore[misc]
    sound = (
        len(message.trace_id) == 16
        and len(message.span_id) == 8
        and len(message.parent_span_id) in (0, 8)
        and any(message.trace_id)
        and any(message.span_id)
    )
    assert bad == ([] if sound else [0])
    assert len(faults) == len(bad)
    if sound:
        (operation,) = contents.operations
        assert (operation.service, operation.name, operation.kind) == ("s", message.name, message.kind)
        assert trace_ids == {message.trace_id}
        start, end = (min(time, 2**63 - 1) for time in (message.start_time_unix_nano, message.end_time_unix_nano))
        assert contents.latest_start == start
        assert contents.longest == max(end - start, 0)


@pytest.mark.parametrize("encoded", [lambda message: message.SerializeToString(), falling])
def test_what_every_exporter_writes_is_sliced(encoded: Callable[[Message], bytes]) -> None:
    body = encoded(
        ExportTraceServiceRequest.FromString(samples.traces_request([samples.span(1, 1), samples.span(1, 2, 1)]))
    )
    heads = heads_of(body)
    reader = HeadReader()
    assert not heads.zeros
    assert reader._slice(heads.request.resource_spans[0].scope_spans[0].spans, "s")
    assert reader.contents().operations


def test_more_spans_than_are_sliced_at_once_are_all_read() -> None:
    messages = [samples.span(number // 7 + 1, number + 1, start=number) for number in range(1_500)]
    messages[700].span_id = b"short"
    messages[1_400].trace_id = bytes(16)
    bad, trace_ids, contents, faults = said(False, messages)  # type: ignore[misc]
    assert bad == [700, 1_400]
    assert len(trace_ids) == 215
    assert contents.latest_start == samples.START + 1_499
    assert len(faults) == 2
