"""Which answers of models a request holds, however it is written."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.otlp.responses import digest_of, response_ids_in, traces_answering
from tests import samples


def field(number: int, content: bytes) -> bytes:
    length, out = len(content), bytearray([number << 3 | 2])
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(out) + bytes([length]) + content


def request_with(key_value: bytes) -> bytes:
    """A request of one span, of trace 1, with one attribute written in this way."""
    span = samples.span(1, 1).SerializeToString() + field(9, key_value)
    return field(1, field(2, field(2, span)))


KEY, VALUE = field(1, b"gen_ai.response.id"), field(2, field(1, b"chatcmpl-1"))
OTHER = field(2, field(1, b"old"))


@pytest.mark.parametrize(
    "key_value",
    [KEY + VALUE, VALUE + KEY, KEY + OTHER + VALUE,
     field(1, b"another") + OTHER + KEY + VALUE, KEY + field(7, b"?") + VALUE],
    ids=["as written", "value first", "value twice", "both twice", "an unknown field"],
)  # fmt: skip
def test_every_legal_way_to_write_the_attribute_is_read(key_value: bytes) -> None:
    body = request_with(key_value)
    assert response_ids_in(body) == {"chatcmpl-1"}
    assert traces_answering(body, ["chatcmpl-1", "x"]) == {"chatcmpl-1": [samples.trace_id(1)]}


def test_what_only_looks_like_it_is_no_answer() -> None:
    values = {
        "input.value": "gen_ai.response.id",
        "gen_ai.response.id": "a",
        "gen_ai.response.id.x": "no",
        "other": "a",
    }
    body = samples.traces_request([samples.span(1, 1, values=values), samples.span(2, 1, values={"other": "a"})])
    assert response_ids_in(body) == {"a"}
    assert traces_answering(body, ["a"]) == {"a": [samples.trace_id(1)]}
    assert traces_answering(body, ["b"]) == {}
    assert response_ids_in(samples.traces_request([samples.span(1, 1)])) == set()


@given(st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=5), st.integers())
def test_no_answer_is_passed_over(ids: list[str], seed: int) -> None:
    spans = []
    for number, response_id in enumerate(ids, 1):
        values = [("gen_ai.response.id", response_id), ("gen_ai.request.model", "m"), ("x", "gen_ai")]
        random.Random(seed).shuffle(values)
        spans.append(samples.span(number, 1, values=dict(values)))
    body = samples.traces_request(spans)
    assert ExportTraceServiceRequest.FromString(body)
    assert response_ids_in(body) == set(ids)
    for number, response_id in enumerate(ids, 1):
        assert samples.trace_id(number) in traces_answering(body, ids)[response_id]


def test_a_digest_is_eight_bytes_of_any_text() -> None:
    assert len({digest_of(text) for text in ("", "a", "ä", "\ud800", "x" * 10_000)}) == 5
    assert {len(digest_of(text)) for text in ("", "\ud800")} == {8}
