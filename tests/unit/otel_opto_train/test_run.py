"""Runs: which spans they have, what graph that makes, and what feedback leads to."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import SupportsFloat

import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

from collector.core.feedback import Feedback
from collector.core.graph import NodeKind
from collector.core.span import SpanContext
from otel_opto import ContextThreadPoolExecutor
from otel_opto_train.judgement import InvalidJudgement
from otel_opto_train.recording import Recorders
from otel_opto_train.run import Run, Stage, StrayValue
from otel_opto_train.traced import traced
from tests.unit.otel_opto_train.conftest import Lab, Variants


@dataclass(frozen=True)
class Element:
    """A number as libraries of tensors have it."""

    value: float | None

    def __float__(self) -> float:
        return self.value  # type: ignore[return-value] # of several elements Python raises TypeError


def names(run: Run, kind: NodeKind = NodeKind.OPERATION) -> list[str]:
    return [node.name for node in run.graph.nodes if node.kind is kind]


@pytest.fixture
def nothing() -> Variants:
    return Variants([])


def test_where_one_operation_is_all_that_happened_it_is_the_run(lab: Lab, nothing: Variants) -> None:
    size = lab.parameter("size", 3)
    answer = lab.node(lambda question: f"{question} {size.value}")
    with lab.stepper(nothing).trace() as run:
        answer("how many?")
    run.backward((0.5, "more"))
    (told,) = run.told(["size"], "quality")
    assert names(run) == ["<lambda>"]
    assert told.graph.outputs[0].value == "how many? 3"
    assert (told.feedback.score, told.feedback.text, told.feedback.name) == (0.5, "more", "quality")
    assert [(one.key, one.trainable) for one in told.graph.parameters] == [("size", True)]


def test_of_several_operations_the_run_is_the_whole(lab: Lab, nothing: Variants) -> None:
    size, style = lab.parameter("size", 3), lab.parameter("style", "plain")

    def first(question: str) -> list[str]:
        return [question] * size.value

    def second(found: list[str]) -> str:
        return f"{style.value} {len(found)}"

    first, second = lab.node(first), lab.node(second)
    with lab.stepper(nothing).trace() as run:
        run.output(second(first("a question that is long enough to be known again")))
    run.backward(1.0)
    (told,) = run.told(["size", "style"], "quality")
    assert names(run) == ["run", "first", "second"]
    assert told.graph.outputs[0].value == "plain 3"
    assert {one.key for one in told.graph.parameters} == {"size", "style"}
    assert "second" in {
        told.graph.by_id()[edge.target].name
        for edge in told.graph.edges
        if told.graph.by_id()[edge.source].name == "first"
    }


def test_feedback_on_a_value_leads_to_the_outermost_operation_that_gave_it_last(lab: Lab, nothing: Variants) -> None:
    size, style = lab.parameter("size", 3), lab.parameter("style", "plain")

    def inner(number: int) -> int:
        return number + size.value

    def outer(number: int) -> int:
        return inner(number)

    def shown(number: int) -> str:
        return f"{style.value} {number}"

    inner, outer, shown = lab.node(inner), lab.node(outer), lab.node(shown)
    with lab.stepper(nothing).trace() as run:
        shown(outer(1))
    run.backward("four is too few", on=4)
    run.backward(0.0, node="inner")
    by_value, by_name = run.told(["size", "style"], "quality")
    judged = [told.graph.by_id()[told.graph.outputs[0].node].name for told in (by_value, by_name)]
    assert judged == ["outer", "inner"]
    assert [one.key for one in by_value.graph.parameters] == ["size"]


def test_what_nothing_gave_is_said_with_what_there_is(lab: Lab, nothing: Variants) -> None:
    lab.parameter("size", 3)
    answer = lab.node(lambda: "yes")
    with lab.stepper(nothing).trace() as run:
        answer()
    run.backward(1.0, on="no")
    with pytest.raises(LookupError, match="no operation gave 'no'; operations of this run: <lambda>"):
        run.told(["size"], "quality")


@pytest.mark.parametrize(
    "said",
    [
        float("nan"),
        "",
        None,
        (None, ""),
        {"scores": 1},
        object(),
        (1, 2, 3),
        {"score": "x"},
        1e308,
        (-1e101, "far"),
        1j,
        Decimal("sNaN"),
        10**400,
        Element(None),
    ],
)
def test_what_is_no_feedback_is_refused_with_what_is_allowed(lab: Lab, nothing: Variants, said: object) -> None:
    lab.parameter("size", 3)
    with lab.stepper(nothing).trace() as run:
        pass
    with pytest.raises(InvalidJudgement, match="allowed"):
        run.backward(said)  # type: ignore[arg-type]
    assert run.judgements == ()


@pytest.mark.parametrize("score", [Decimal("0.5"), Fraction(1, 2), Element(0.5)])
def test_whatever_is_a_number_is_a_score(lab: Lab, nothing: Variants, score: SupportsFloat) -> None:
    lab.parameter("size", 3)
    with lab.stepper(nothing).trace() as run:
        run.output(1)
    run.backward(score)
    run.backward((score, "half"))
    run.backward({"score": score})
    assert [said.score for said in run.judgements] == [0.5, 0.5, 0.5]


def test_words_that_no_file_can_hold_are_kept_without_what_cannot_be(lab: Lab, nothing: Variants) -> None:
    lab.parameter("size", 3)
    with lab.stepper(nothing).trace() as run:
        run.output(1)
    for said in ("half \ud800 a pair", (0.5, "half \ud800 a pair"), ValueError("half \ud800 a pair")):
        run.backward(said)
    assert all("half \ufffd a pair" in said.text for said in run.judgements)


def test_what_ends_a_run_only_ends_nothing_else_where_it_is_caught(lab: Lab, nothing: Variants) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(nothing)
    for error in (StopIteration("none left"), asyncio.CancelledError(), SystemExit(3), BaseException("strange")):
        with stepper.trace(catch=True) as run:
            raise error
        assert run.error is error
        run.backward()
        assert run.judgements[0].failed
    with pytest.raises(KeyboardInterrupt), stepper.trace(catch=True):
        raise KeyboardInterrupt


def test_who_cancels_the_task_of_a_run_ends_the_task(lab: Lab, nothing: Variants) -> None:
    lab.parameter("size", 3)
    stepper, behind = lab.stepper(nothing), []

    async def work(begun: asyncio.Event) -> None:
        with stepper.trace(catch=True):
            begun.set()
            await asyncio.sleep(3600)
        behind.append("went on")

    async def cancelled() -> None:
        begun = asyncio.Event()
        task = asyncio.ensure_future(work(begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert behind == []


def test_an_exception_goes_on_and_is_feedback_without_a_score(lab: Lab, nothing: Variants) -> None:
    size = lab.parameter("size", 3)

    def answer(number: int) -> float:
        return number / (size.value - 3)

    answer = lab.node(answer)
    stepper = lab.stepper(nothing)
    with pytest.raises(ZeroDivisionError), stepper.trace() as run:
        answer(1)
    run.backward()
    (told,) = run.told(["size"], "quality")
    assert told.feedback.score is None
    assert told.feedback.text.startswith("ZeroDivisionError: division by zero (line ")
    assert [record.type for record in told.graph.exceptions] == ["ZeroDivisionError"]
    assert [one.key for one in told.graph.parameters] == ["size"]
    with stepper.trace(catch=True) as caught:
        answer(1)
    assert isinstance(caught.error, ZeroDivisionError)


def test_a_plain_function_needs_no_node(lab: Lab, nothing: Variants) -> None:
    size = lab.parameter("size", 3)
    with lab.stepper(nothing).trace() as run:
        run.output(size.value * 2)
    run.backward(0.1)
    (told,) = run.told(["size"], "quality")
    assert (names(run), told.graph.outputs[0].value) == (["run"], 6)
    assert [one.key for one in told.graph.parameters] == ["size"]


def test_spans_of_others_are_in_the_graph(lab: Lab, nothing: Variants) -> None:
    size, tracer = lab.parameter("size", 3), lab.provider.get_tracer("somebody.else")
    with lab.stepper(nothing).trace() as run, tracer.start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.input.messages", '[{"role": "user", "content": "hi"}]')
        span.set_attribute("gen_ai.output.messages", f'[{{"role": "assistant", "content": "{size.value}"}}]')
    run.backward(0.2)
    assert names(run) == ["chat"]
    assert [one.key for one in run.told(["size"], "quality")[0].graph.parameters] == ["size"]


def test_spans_of_a_further_provider_are_in_the_graph(lab: Lab) -> None:
    size, further = lab.parameter("size", 3), TracerProvider()
    tracer = further.get_tracer("somebody.else")
    stage = Stage(lab.sdk, Recorders(), further)
    with stage.run({}, lambda _: None) as run, tracer.start_as_current_span("search"):
        size.use()
    assert names(run) == ["search"]
    further.shutdown()


def test_a_run_is_a_trace_of_its_own_whatever_is_going_on_around_it(lab: Lab, nothing: Variants) -> None:
    lab.parameter("size", 3)
    answer = lab.node(lambda: "yes")
    stepper = lab.stepper(nothing)
    with lab.provider.get_tracer("tests").start_as_current_span("around"):
        before = trace.get_current_span()
        runs = []
        for _ in range(2):
            with stepper.trace() as run:
                answer()
            runs.append(run)
        assert trace.get_current_span() is before
    assert len({run.root[0] for run in runs}) == 2
    assert [names(run) for run in runs] == [["<lambda>"], ["<lambda>"]]


def test_spans_that_end_behind_the_run_belong_to_it(lab: Lab, nothing: Variants) -> None:
    lab.parameter("size", 3)
    late, may_end = lab.node(lambda: may_end.wait(30)), threading.Event()
    with ContextThreadPoolExecutor(1) as pool:
        with lab.stepper(nothing).trace() as run:
            pool.submit(late)
            run.output("at once")
        may_end.set()
    assert names(run) == ["run", "<lambda>"]


def test_a_value_from_elsewhere_is_no_measurement(lab: Lab, nothing: Variants) -> None:
    size = lab.parameter("size", 3)
    with lab.stepper(nothing).trace() as run, size.override(4):
        run.output(size.value)
    run.backward(1.0)
    with pytest.raises(StrayValue, match="'size' was read as 4 in a run that has 3"):
        run.told(["size"], "quality")


def test_a_value_that_is_cut_on_the_span_is_still_the_runs(lab: Lab) -> None:
    provider = TracerProvider(span_limits=SpanLimits(max_attribute_length=20))
    style = lab.parameter("style", "a text that is longer than the limit")
    with lab.sdk.rehearse(provider, LoggerProvider()), lab.stage.run({}, lambda _: None) as run:
        run.output(len(style.value))
    run.backward(0.5)
    assert run.told(["style"], "quality")[0].graph.parameters[0].key == "style"
    provider.shutdown()


def test_runs_at_the_same_time_have_their_own_values_and_spans(lab: Lab) -> None:
    size = lab.parameter("size", 3)
    answer = lab.node(lambda number: number + size.value)
    steppers = [lab.stepper(Variants([{"size": number}])) for number in (10, 20)]
    for stepper in steppers:
        with stepper.trace() as run:
            answer(0)
        run.backward(0.0)
        stepper.step()

    def one(number: int) -> tuple[int, list[object]]:
        with steppers[number % 2].trace() as run:
            got = answer(number)
        return got, [node.value for node in run.graph.nodes if node.kind is NodeKind.OPERATION]

    with ThreadPoolExecutor(8) as pool:
        threads = list(pool.map(one, range(40)))

    async def task(number: int) -> tuple[int, list[object]]:
        with steppers[number % 2].trace() as run:
            await asyncio.sleep(0)
            got = answer(number)
        return got, [node.value for node in run.graph.nodes if node.kind is NodeKind.OPERATION]

    async def tasks() -> list[tuple[int, list[object]]]:
        return list(await asyncio.gather(*(task(number) for number in range(40))))

    wanted = [(number + (10, 20)[number % 2], [number + (10, 20)[number % 2]]) for number in range(40)]
    assert threads == wanted
    assert asyncio.run(tasks()) == wanted


def test_a_graph_draws_itself(lab: Lab, nothing: Variants) -> None:
    size = lab.parameter("size", 3)
    answer = lab.node(lambda question: f"<b>{size.value}</b>")
    with lab.stepper(nothing).trace() as run:
        answer("?")
    run.backward((0.25, "<script>"))
    drawn = run.graph
    assert drawn._repr_svg_().startswith("<svg")
    page = drawn._repr_html_()
    assert "<svg" in page
    assert "<script>" not in page
    assert "★ quality 0.25 (guide) <script>" in str(drawn)


def test_what_is_hardly_more_than_a_guess_leads_nowhere(lab: Lab, nothing: Variants) -> None:
    size = lab.parameter("size", 3)
    first, second = lab.node(lambda question: question * size.value), lab.node(len)
    with lab.stepper(nothing).trace() as run:
        run.output(second(first("a question that is long enough to be known again")))
    found = traced(run.otlp, run.root, {"size": size.spec})
    feedback = Feedback(SpanContext(*run.root), "quality", 0.0)
    for confidence, seen in ((0.5, True), (0.3, False)):
        edges = tuple(edge._replace(confidence=confidence) for edge in found.graph.edges)
        told = replace(found, graph=replace(found.graph, edges=edges)).leading_to(feedback, ["size"])
        assert bool(told.graph.parameters) == seen
