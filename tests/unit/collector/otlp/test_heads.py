"""Slicing and parsing heads say the same of every span."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp.heads import HeadReader
from tests import samples

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


def said(one_by_one: bool, messages: list[Span]) -> object:
    reader = HeadReader()
    bodies = [message.SerializeToString() for message in messages]
    if one_by_one:
        bad = [index for index, body in enumerate(bodies) if reader.read([body], "s")]
    else:
        bad = reader.read(bodies, "s")
    return bad, reader.trace_ids, reader.contents(), reader.faults


@given(st.lists(spans, max_size=6))
def test_spans_together_say_what_they_say_alone(messages: list[Span]) -> None:
    assert said(False, messages) == said(True, messages)


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
        assert contents.latest_start == min(message.start_time_unix_nano, 2**63 - 1)
        duration = message.end_time_unix_nano - message.start_time_unix_nano
        assert contents.longest == min(max(duration, 0), 2**63 - 1)


def test_what_every_exporter_writes_is_sliced() -> None:
    written = [samples.span(1, 1).SerializeToString(), samples.span(1, 2, 1).SerializeToString()]
    reader = HeadReader()
    assert reader._slice(written, "s")
    assert reader.contents().operations
