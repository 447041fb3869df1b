"""The collector's own spans wait in a bounded queue, and what they say of errors and of links."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.core.span import SpanContext
from collector.core.telemetry import Signal
from collector.counters import Counter, Counters
from collector.exporter.destination import Delivery, Outcome
from collector.exporter.own_spans import OwnSpans


class Endpoint:
    """Takes what it gets, or says what is queued."""

    def __init__(self, *answers: Delivery) -> None:
        self.answers = list(answers)
        self.spans: list[Any] = []
        self.hops: set[str] = set()
        self.closed = False

    async def send(self, signal: Signal, body: bytes, hops: str) -> Delivery:
        assert signal is Signal.TRACES
        answer = self.answers.pop(0) if self.answers else Delivery(Outcome.TAKEN)
        if answer.outcome is Outcome.TAKEN:
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.spans += [span for scoped in group.scope_spans for span in scoped.spans]
        self.hops.add(hops)
        return answer

    async def close(self) -> None:
        self.closed = True


def own(counters: Counters, sampled: Callable[[], bool] = lambda: True) -> OwnSpans:
    time, ids = count(1), count(1)
    return OwnSpans("me", counters, lambda: next(time), lambda size: next(ids).to_bytes(size, "big"), sampled)


async def told(spans: OwnSpans, endpoint: Endpoint, until: Callable[[], bool]) -> None:
    task = asyncio.create_task(spans.run(endpoint, "instance-1"))
    async with asyncio.timeout(60):
        while not until():
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert endpoint.closed


async def test_steps_within_steps_with_errors_and_links() -> None:
    counters, endpoint = Counters(), Endpoint()
    spans = own(counters)

    def steps() -> None:
        with spans.span("outer", {"n": 1, "part": 0.5, "yes": True}) as outer:
            outer.note("words", "x" * 5_000)
            with spans.span("inner", links=[SpanContext("ab" * 16, "cd" * 8)]):
                pass
            raise KeyError("gone")

    with pytest.raises(KeyError):
        steps()
    await told(spans, endpoint, lambda: len(endpoint.spans) == 2)
    inner, around = endpoint.spans
    assert (inner.name, inner.parent_span_id, inner.trace_id) == ("inner", around.span_id, around.trace_id)
    assert (inner.links[0].trace_id.hex(), inner.links[0].span_id.hex()) == ("ab" * 16, "cd" * 8)
    assert (around.parent_span_id, around.status.message) == (b"", "KeyError: 'gone'")
    said = {one.key: one.value for one in around.attributes}
    assert (said["n"].int_value, said["part"].double_value, said["yes"].bool_value) == (1, 0.5, True)
    assert len(said["words"].string_value) == 1_000
    assert endpoint.hops == {"instance-1"}
    assert spans.is_own(b"... instance-1 ...")
    assert not spans.is_own(b"of somebody else")


async def test_what_finds_no_room_is_counted_and_the_rest_comes_when_the_endpoint_is_back() -> None:
    counters, endpoint = Counters(), Endpoint(Delivery(Outcome.REFUSED, message="no"))
    spans = own(counters)
    for _ in range(5_000):
        with spans.span("step"):
            pass
    assert counters.snapshot()[Counter.OWN_SPANS_DROPPED] == 5_000 - 4_096
    await told(spans, endpoint, lambda: len(endpoint.spans) == 4_096 - 512)
    assert counters.snapshot()[Counter.OWN_SPANS_DROPPED] == 5_000 - 4_096 + 512
    assert counters.snapshot()[Counter.OWN_SPANS_SENT] == 4_096 - 512


async def test_an_endpoint_that_is_away_is_asked_once_and_what_waits_at_the_end_is_counted() -> None:
    counters, endpoint = Counters(), Endpoint(*[Delivery(Outcome.RETRY, message="away")] * 9)
    spans = own(counters)
    for _ in range(3):
        with spans.span("step"):
            pass
    await told(spans, endpoint, lambda: len(endpoint.answers) < 9)
    assert len(endpoint.answers) == 8
    assert counters.snapshot()[Counter.OWN_SPANS_DROPPED] == 3
    assert counters.snapshot()[Counter.OWN_SPANS_SENT] == 0


async def test_a_step_that_is_not_told_has_no_part_that_is() -> None:
    counters, endpoint, answers = Counters(), Endpoint(), iter([False, True])
    spans = own(counters, lambda: next(answers))
    for _ in range(2):
        with spans.span("outer"), spans.span("inner"):
            pass
    await told(spans, endpoint, lambda: len(endpoint.spans) == 2)
    assert [one.name for one in endpoint.spans] == ["inner", "outer"]
