"""Step 3 on a real store: which traces a graph is made of."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.assembly.gathering import MOST_TRACES
from collector.core.feedback import Feedback
from collector.core.graph import EdgeOrigin, TraceGraph
from collector.core.protocols import OptimizationRequest
from collector.core.span import SpanContext
from collector.core.study import Reach, Study
from collector.core.telemetry import Signal
from collector.counters import Counters
from collector.optimizer.instance.problem import Budget, problem
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from otel_opto.spec import ParameterSpec, ParameterType
from tests import samples
from tests.control import control_of

PLAN = "look up the tide tables, then the prices of the ferry"
ANSWER = "the ferry leaves at noon and costs nine euros"


class StandingClock:
    def now_unix_nano(self) -> int:
        return samples.START


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    store = FileStore(tmp_path, StandingClock())
    await store.start()
    yield Pipeline(store, StandingClock(), Counters(), lambda: None, control_of(store).desk.release)
    await store.stop()


def turn(trace: int, said: str, answered: str, session: str = "s1") -> Span:
    """One turn of a conversation, a trace of its own; span ids are those of its trace, doubled."""
    values = {
        "session.id": session, "openinference.span.kind": "CHAIN", "input.value": said, "output.value": answered,
        "opto.param.tone.value": '"kind"',
    }  # fmt: skip
    return samples.span(trace, 2 * trace, name="turn", values=values, start=trace * 10 * samples.SECOND)


def linked(span: Span, trace: int) -> Span:
    """A span that names the turn of another trace as its cause."""
    span.links.add(trace_id=bytes.fromhex(samples.trace_id(trace)), span_id=bytes.fromhex(samples.span_id(2 * trace)))
    return span


async def receive(pipeline: Pipeline, *spans: Span) -> None:
    await pipeline.ingest(Signal.TRACES, samples.traces_request(spans))


def flows(graph: TraceGraph) -> set[tuple[str, str, EdgeOrigin]]:
    return {
        (edge.source, edge.target, edge.origin)
        for edge in graph.edges
        if edge.source.startswith("span:") and edge.origin is not EdgeOrigin.CALL
    }


def node(trace: int) -> str:
    return f"span:{samples.span_id(2 * trace)}"


async def test_a_session_shows_what_flowed_from_turn_to_turn(pipeline: Pipeline) -> None:
    await receive(pipeline, turn(1, "how do I get to Groix?", PLAN), turn(2, f"go on with: {PLAN}", ANSWER))
    await receive(pipeline, turn(3, f"translate: {ANSWER}", "à midi"), turn(4, PLAN, "other", session="s2"))
    alone = await pipeline.assemble(samples.trace_id(2))
    assert flows(alone) == set()
    both = await pipeline.assemble(samples.trace_id(2), Reach.SESSION)
    assert flows(both) == {(node(1), node(2), EdgeOrigin.CONTENT)}
    assert [(output.node, output.value) for output in both.outputs] == [(node(2), ANSWER)]
    assert not both.gaps


async def test_links_are_followed_from_trace_to_trace_and_said_where_they_are_not(pipeline: Pipeline) -> None:
    await receive(
        pipeline,
        turn(1, "a", "b", session="one"),
        linked(turn(2, "c", "d", session="two"), 1),
        linked(turn(3, "e", "f", session="three"), 2),
    )
    alone = await pipeline.assemble(samples.trace_id(3))
    assert [(gap.kind, gap.span_id) for gap in alone.gaps] == [("missing_link", samples.span_id(6))]
    reached = await pipeline.assemble(samples.trace_id(3), Reach.LINKS)
    assert flows(reached) == {(node(1), node(2), EdgeOrigin.LINK), (node(2), node(3), EdgeOrigin.LINK)}
    assert not reached.gaps


async def test_traces_that_link_to_each_other_make_no_circle(pipeline: Pipeline) -> None:
    await receive(pipeline, linked(turn(1, "a", "b"), 2), linked(turn(2, "c", "d"), 1))
    graph = await pipeline.assemble(samples.trace_id(2), Reach.LINKS)
    assert flows(graph) == {(node(1), node(2), EdgeOrigin.LINK)}


async def test_a_long_session_is_cut_to_its_latest_turns(pipeline: Pipeline) -> None:
    count = MOST_TRACES + 10
    await receive(pipeline, *(turn(number, f"question {number}", f"answer {number}") for number in range(1, count + 1)))
    graph = await pipeline.assemble(samples.trace_id(count), Reach.SESSION)
    spans = {int(node.span_id, 16) // 2 for node in graph.nodes if node.span_id}
    assert spans == set(range(count - MOST_TRACES + 1, count + 1))


async def test_a_study_says_how_far_its_graphs_reach(pipeline: Pipeline) -> None:
    await receive(pipeline, turn(1, "how do I get to Groix?", PLAN), turn(2, f"go on with: {PLAN}", ANSWER))
    judged = Feedback(SpanContext(samples.trace_id(2), samples.span_id(4)), "quality", 0.5)
    for reach, seen in ((Reach.TRACE, {2}), (Reach.SESSION, {1, 2})):
        ((pair),) = await pipeline.judged(Study("s", "shop", "quality", reach=reach), [judged])
        assert {int(one.span_id, 16) // 2 for one in pair.graph.nodes if one.span_id} == seen


@pytest.mark.parametrize(("least", "seen"), [(None, {1, 2}), (0.5, {1, 2}), (0.6, {1}), (0.0, {1, 2})])
async def test_an_optimizer_is_shown_no_edge_that_is_less_certain_than_its_study_wants(
    pipeline: Pipeline, least: float | None, seen: set[int]
) -> None:
    """That a call's result was used is an even guess, 0.5."""
    inner = samples.span(1, 2, 1, "find", values={"opto.output": '"a"', "opto.param.k.value": 3}, start=1)
    await receive(pipeline, samples.span(1, 1, name="ask", values={"opto.output": '"42"'}), inner)
    judged = Feedback(SpanContext(samples.trace_id(1), samples.span_id(1)), "quality", 0.5)
    study = Study("s", "shop", "quality", min_confidence=least)
    (pair,) = await pipeline.judged(study, [judged])
    assert {int(one.span_id, 16) for one in pair.graph.nodes if one.span_id} == seen
    assert [one.key for one in pair.graph.parameters] == (["k"] if 2 in seen else [])
    spec = ParameterSpec("k", ParameterType.INTEGER, 3)
    shown = problem(OptimizationRequest(study, (spec,), {"k": 3}, (pair,), (), ()), Budget(10_000, 4))
    assert ("find" in shown) == (2 in seen)
    assert '= "42"' in shown


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_confidence_is_a_share(share: float) -> None:
    assert Study("s", "shop", "quality", min_confidence=share).faults() == [
        f"min_confidence: found {share:g}, allowed is 0 to 1"
    ]


@pytest.mark.parametrize("time", [0, 2**63 - 1, 2**63, 2**63 + 5, 2**64 - 1])
async def test_a_judgement_is_kept_whatever_its_time(pipeline: Pipeline, time: int) -> None:
    judged = samples.span(1, 1)
    event = judged.events.add(name="gen_ai.evaluation.result", time_unix_nano=time)
    event.attributes.extend(samples.attributes({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 0.5}))
    record = samples.evaluation(1, 1, 0.25)
    record.time_unix_nano = time
    await pipeline.ingest(Signal.TRACES, samples.traces_request([judged]))
    await pipeline.ingest(Signal.LOGS, samples.logs_request([record]))
    assert await pipeline.attach() == 2
