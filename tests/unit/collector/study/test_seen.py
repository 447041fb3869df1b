"""Calls of language models as spans in the collector's own store."""

import json
import logging
from dataclasses import dataclass, field

import pytest

from collector.core.calls import ModelCall
from collector.core.errors import Unavailable
from collector.core.span import SpanContext, StatusCode
from collector.core.study import Cost, Study
from collector.core.telemetry import Encoding, IngestResult, Signal
from collector.otlp.decode import spans_of
from collector.study.seen import SERVICE, SeenCalls
from tests import samples
from tests.clocks import TickingClock

ABOUT = SpanContext(samples.trace_id(7), samples.span_id(3))
CALL = ModelCall(
    "tiny", Cost(1, 11, 7, 0.5, 0.25), purpose="optoprime", messages=[{"role": "user", "content": "improve it"}],
    answer='{"suggestion": {}}', finish_reason="stop", asked_for={"seed": 5, "temperature": 0.5, "max_tokens": 99},
    about=(ABOUT, ABOUT, SpanContext(samples.trace_id(8), "")),
)  # fmt: skip


@dataclass
class Kept:
    """Both where calls go and where spans go."""

    calls: list[ModelCall] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    full: bool = False

    async def record(self, call: ModelCall) -> None:
        self.calls.append(call)

    async def spent(self) -> Cost:
        return Cost(calls=len(self.calls))

    async def ingest(
        self, signal: Signal, body: bytes, hops: tuple[str, ...] = (), encoding: Encoding = Encoding.PROTOBUF
    ) -> IngestResult:
        if self.full:
            raise Unavailable("the disk is full")
        self.bodies.append(body)
        return IngestResult(1)


def seen(kept: Kept, service: str = "shop") -> SeenCalls:
    return SeenCalls(kept, Study("tune", service, "quality"), kept, TickingClock())


async def test_a_call_is_a_span_in_the_words_of_the_genai_conventions_linked_to_what_it_was_about() -> None:
    kept = Kept()
    await seen(kept).record(CALL)
    (span,) = spans_of(kept.bodies[0])
    said = dict(span.attributes)
    assert span.name == "chat tiny"
    assert span.end_time_unix_nano - span.start_time_unix_nano == 500_000_000
    assert [link.context for link in span.links] == [ABOUT]
    assert span.resource.attributes["service.name"] == SERVICE
    assert json.loads(str(said.pop("gen_ai.input.messages")))[0]["parts"][0]["content"] == "improve it"
    assert json.loads(str(said.pop("gen_ai.output.messages")))[0]["parts"][0]["content"] == '{"suggestion": {}}'
    assert {key: value for key, value in said.items() if key != "gen_ai.response.finish_reasons"} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "tiny",
        "gen_ai.request.seed": 5,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.conversation.id": "study/tune",
        "opto.study": "tune",
        "opto.node.name": "optoprime",
    }
    assert kept.calls == [CALL]


async def test_a_failed_call_is_a_failed_span() -> None:
    kept = Kept()
    await seen(kept).record(ModelCall("tiny", Cost(calls=1), "no answer"))
    (span,) = spans_of(kept.bodies[0])
    assert (span.status_code, span.status_message) == (StatusCode.ERROR, "no answer")


async def test_the_optimizers_own_service_is_no_circle() -> None:
    kept = Kept()
    await seen(kept, SERVICE).record(CALL)
    assert (kept.calls, kept.bodies) == ([CALL], [])


async def test_a_span_that_cannot_be_kept_is_said_and_the_call_is_on_the_bill(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept(full=True)
    with caplog.at_level(logging.WARNING):
        await seen(kept).record(CALL)
    assert kept.calls == [CALL]
    assert "not among the traces: the disk is full" in caplog.text
