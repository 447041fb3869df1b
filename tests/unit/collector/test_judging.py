"""Step 4 on a real store: judgements that know the answer's id alone, in every order of coming."""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.feedback import Feedback, FeedbackState, StoredFeedback
from collector.core.page import PageRequest
from collector.core.span import SpanContext
from collector.core.telemetry import Signal
from collector.counters import Counter, Counters
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from tests import samples
from tests.clocks import TickingClock
from tests.control import control_of

ANSWER = {"gen_ai.response.id": "chatcmpl-1"}
ROOT = samples.span(1, 1, name="request", values={"opto.release": 4})
AGENT = samples.span(1, 2, 1, name="agent", values=ANSWER)
CHAT = samples.span(1, 3, 2, name="chat", values=ANSWER)
EVALUATOR = samples.span(9, 1, name="evaluator")
Opened: TypeAlias = Callable[[], Pipeline]


def said(score: float, context: tuple[int, int] | None = None) -> LogRecord:
    """An evaluation that names the answer, in the context of another span or of none."""
    record = samples.evaluation(*(context or (1, 1)), score, values=ANSWER)
    if context is None:
        record.trace_id, record.span_id = b"", b""
    return record


class Bench:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.counters = Counters()
        self.clock = TickingClock()

    async def start(self) -> None:
        self.store = FileStore(self.directory, self.clock)
        await self.store.start()
        desk = control_of(self.store).desk
        self.pipeline = Pipeline(self.store, self.clock, self.counters, lambda: None, desk.release)

    async def receive(self, item: Span | LogRecord) -> None:
        if isinstance(item, Span):
            await self.pipeline.ingest(Signal.TRACES, samples.traces_request([item]))
        else:
            await self.pipeline.ingest(Signal.LOGS, samples.logs_request([item]))
        await self.pipeline.attach()

    async def kept(self) -> StoredFeedback:
        (kept,) = (await self.store.feedback.listed(PageRequest())).items
        return kept


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    await made.start()
    yield made
    await made.store.stop()


IN_EVERY_ORDER = [
    [*items]
    for context in (None, (9, 1))
    for items in itertools.permutations([ROOT, AGENT, CHAT, EVALUATOR, said(0.5, context)])
][:: 7]  # fmt: skip


@pytest.mark.parametrize("items", IN_EVERY_ORDER)
async def test_the_judged_span_is_the_models_call_whatever_comes_first(
    bench: Bench, items: Sequence[Span | LogRecord]
) -> None:
    for item in items:
        await bench.receive(item)
    for _ in range(3):
        await bench.pipeline.attach()
    kept = await bench.kept()
    assert kept.feedback.target == SpanContext(samples.trace_id(1), samples.span_id(3))
    assert (kept.state, kept.release) == (FeedbackState.ATTACHED, 4)
    assert [
        one.id for one in (await bench.store.feedback.listed(PageRequest(), trace_id=samples.trace_id(1))).items
    ] == [kept.id]
    assert list((await bench.store.feedback.listed(PageRequest(), trace_id=samples.trace_id(9))).items) == []
    assert bench.counters.snapshot()[Counter.FEEDBACK_ATTACHED] == 1


async def test_an_event_on_the_evaluators_own_span_judges_the_answer(bench: Bench) -> None:
    evaluator = samples.span(9, 1, name="evaluator")
    values = {"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 1.0, **ANSWER}
    evaluator.events.add(name="gen_ai.evaluation.result", attributes=samples.attributes(values))
    await bench.receive(evaluator)
    assert (await bench.kept()).feedback.target == SpanContext(samples.trace_id(9), samples.span_id(1))
    await bench.receive(CHAT)
    assert (await bench.kept()).feedback.target == SpanContext(samples.trace_id(1), samples.span_id(3))


async def test_it_waits_over_a_restart_and_is_given_up_and_counted(bench: Bench) -> None:
    await bench.receive(said(0.5))
    other = Feedback(SpanContext("", ""), "q", 1.0, response_id="never", time_unix_nano=1)
    await bench.pipeline.submit([other])
    await bench.pipeline.attach()
    assert {kept.state for kept in (await bench.store.feedback.listed(PageRequest())).items} == {FeedbackState.WAITING}
    await bench.store.stop()
    await bench.start()
    await bench.receive(CHAT)
    assert bench.counters.snapshot()[Counter.FEEDBACK_ATTACHED] == 1
    await bench.pipeline.expire(0)
    states = {
        kept.feedback.response_id: kept.state for kept in (await bench.store.feedback.listed(PageRequest())).items
    }
    assert states == {"chatcmpl-1": FeedbackState.ATTACHED, "never": FeedbackState.EXPIRED}
    assert bench.counters.snapshot()[Counter.FEEDBACK_EXPIRED] == 1


async def test_of_several_traces_with_one_answer_it_keeps_the_one_that_came_last_before_it(bench: Bench) -> None:
    first, second, third = (samples.span(number, 1, values=ANSWER) for number in (1, 2, 3))
    for item in (first, second, said(0.5), third):
        await bench.receive(item)
    assert (await bench.kept()).feedback.target.trace_id == samples.trace_id(2)


async def test_what_a_trial_has_counted_stays(bench: Bench) -> None:
    await bench.receive(EVALUATOR)
    await bench.receive(said(0.5, (9, 1)))
    kept = await bench.kept()
    assert kept.feedback.target.trace_id == samples.trace_id(9)
    release = samples.span(9, 2, 1, values={"opto.release": 3})
    await bench.receive(release)
    await bench.store.feedback.settle_counted(3, "quality")
    await bench.receive(CHAT)
    assert (await bench.kept()).feedback.target.trace_id == samples.trace_id(9)
