"""Where a request is read does not change what is read."""

import json
from collections.abc import AsyncIterator, Sequence

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.errors import InvalidRequest, TooLarge
from collector.core.telemetry import Encoding, Signal
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.fields import len_field
from collector.otlp.parts import MOST_PARTS
from collector.reading.read import PIECE_BYTES, PIECE_ITEMS, Arrival, Read, read_whole
from collector.reading.reader import ReadingLimits, RequestReader
from collector.workers.workers import WorkerLimits, Workers
from tests import samples
from tests.clocks import TickingClock

BAD = len_field(2, b"\x0a\x7f")
"""A span that is none."""


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    made = Workers(WorkerLimits(processes=1, inline_bytes=2**10))
    yield made
    await made.stop()


def judged(span: Span) -> Span:
    event = span.events.add(name="gen_ai.evaluation.result")
    event.attributes.extend(samples.attributes({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 1.0}))
    return span


def request(*spans: Span, service: str = "shop", extra: bytes = b"") -> bytes:
    scoped = b"".join(len_field(2, span.SerializeToString()) for span in spans) + extra
    resource = len_field(1, samples.attributes({"service.name": service})[0].SerializeToString())
    return len_field(1, len_field(1, resource) + len_field(2, scoped))


def many(count: int, size: int = 0) -> list[Span]:
    return [samples.span(number // 10 + 1, number + 1, values={"text": "x" * size}) for number in range(count)]


def as_json(spans: Sequence[object]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def json_span(number: int, **changed: object) -> dict[str, object]:
    return {"traceId": samples.trace_id(number), "spanId": samples.span_id(number), "name": f"n{number}", **changed}


TRACES, LOGS = Signal.TRACES, Signal.LOGS
BODIES: dict[str, tuple[Signal, Encoding, bytes]] = {
    "a few": (TRACES, Encoding.PROTOBUF, request(*many(20, 100))),
    "large": (TRACES, Encoding.PROTOBUF, request(*many(2_000, 1_000))),
    "large, one of them bad": (TRACES, Encoding.PROTOBUF, request(*many(2_000, 1_000), extra=BAD)),
    "not sound": (TRACES, Encoding.PROTOBUF, request(*many(20, 1_000), extra=BAD)),
    "many small ones": (TRACES, Encoding.PROTOBUF, request(*many(PIECE_ITEMS + 1))),
    "many services": (
        TRACES, Encoding.PROTOBUF, b"".join(request(samples.span(n, 1), service=f"s{n}") for n in range(1, 1_200)),
    ),
    "one of two pieces": (TRACES, Encoding.PROTOBUF, request(samples.span(1, 1, values={"text": "x" * 2**21}))),
    "judged": (TRACES, Encoding.PROTOBUF, request(*(judged(span) for span in many(300, 200)))),
    "records": (LOGS, Encoding.PROTOBUF, samples.logs_request([samples.evaluation(n, 1) for n in range(1, 900)])),
    "JSON": (TRACES, Encoding.JSON, as_json([json_span(n) for n in range(1, 300)] + [None])),
    "JSON of one large text": (
        TRACES, Encoding.JSON,
        as_json([json_span(1, attributes=[{"key": "k", "value": {"stringValue": "é\ud800" * 10**6}}])]),
    ),
}  # fmt: skip


def said(read: Read) -> object:
    """All that is known of a request, but for how it was cut."""
    decoded = [
        item
        for piece in read.pieces
        for item in (spans_of if piece.request.signal is TRACES else log_records_of)(piece.request.body)  # type: ignore[operator]
    ]
    return (
        decoded,
        sum(piece.request.items for piece in read.pieces),
        {trace for piece in read.pieces for trace in piece.request.trace_ids},
        {one for piece in read.pieces for one in piece.request.contents.operations},
        [one for piece in read.pieces for one in piece.found.feedback],
        read.faults,
    )


@pytest.mark.parametrize("name", BODIES)
async def test_a_request_is_read_alike_wherever_it_is_read(name: str, workers: Workers) -> None:
    signal, encoding, body = BODIES[name]
    expected = read_whole(Arrival(signal, encoding, 1), body)
    found = await RequestReader(TickingClock(), workers).read(signal, body, (), encoding)
    assert said(found) == said(expected)


async def test_a_large_request_becomes_small_ones(workers: Workers) -> None:
    signal, encoding, body = BODIES["large"]
    found = await RequestReader(TickingClock(), workers).read(signal, body, ("a", "b"), encoding)
    assert len(found.pieces) > 3
    assert max(len(piece.request.body) for piece in found.pieces) < 2 * PIECE_BYTES
    assert {piece.request.hops for piece in found.pieces} == {("a", "b")}


async def test_a_request_made_of_emptiness_is_too_large(workers: Workers) -> None:
    for body in (b"\x0a\x00" * (MOST_PARTS + 1), len_field(1, len_field(2, b"\x12\x00" * (MOST_PARTS + 1)))):
        with pytest.raises(TooLarge, match="send smaller batches"):
            await RequestReader(TickingClock(), workers).read(TRACES, body)


async def test_an_item_made_of_too_much_is_rejected_alone(workers: Workers) -> None:
    attribute = len_field(9, samples.attributes({"k": "v"})[0].SerializeToString())
    deep = len_field(9, len_field(2, len_field(5, len_field(1, b"") * 300_000)))
    good = samples.span(1, 1, values={"text": "x" * PIECE_BYTES}).SerializeToString()
    for heavy in (attribute * 150_000, deep):
        body = len_field(1, len_field(2, len_field(2, good) + len_field(2, good + heavy)))
        found = await RequestReader(TickingClock(), workers).read(TRACES, body)
        assert (sum(piece.request.items for piece in found.pieces), found.faults.rejected) == (1, 1)


async def test_what_takes_too_long_is_too_large(workers: Workers) -> None:
    reader = RequestReader(TickingClock(), workers, limits=ReadingLimits(seconds=0.01))
    with pytest.raises(TooLarge, match="longer than"):
        await reader.read(*BODIES["large"][::2])
    assert said(await RequestReader(TickingClock(), workers).read(*BODIES["a few"][::2]))


@pytest.mark.parametrize("encoding", Encoding)
async def test_what_is_no_request_is_refused_wherever_it_is_read(encoding: Encoding, workers: Workers) -> None:
    for size in (1, 10_000, 1_000_000):
        with pytest.raises(InvalidRequest):
            await RequestReader(TickingClock(), workers).read(TRACES, b"\xff" * size, (), encoding)
