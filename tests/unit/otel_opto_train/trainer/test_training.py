"""Training on a data set: what is selected, what the optimizer sees, what failures do, and how it goes on."""

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from collector.core.errors import BudgetSpent, OptimizerError, Unavailable
from collector.core.graph import NodeKind
from collector.optimizer.registry import OptimizerRegistry
from collector.selection.archive import Fate
from otel_opto_train.trainer.bench import Bench
from otel_opto_train.trainer.evaluator import Evaluator
from otel_opto_train.trainer.examples import examples_of
from otel_opto_train.trainer.measuring import Subject
from otel_opto_train.trainer.plan import plan_of
from otel_opto_train.trainer.progress import Progress
from otel_opto_train.trainer.record import Evaluation, Record
from otel_opto_train.trainer.training import TrainingError
from tests.fakes_openai import ScriptedOpenAI, suggesting
from tests.unit.otel_opto_train.conftest import Variants
from tests.unit.otel_opto_train.trainer.conftest import Desk


async def test_what_is_better_wins_and_the_test_part_shows_it(desk: Desk) -> None:
    report = await desk.train([{"size": 60}, {"size": 20}, {"size": 101}, {"size": 90}])
    assert report.values == {"size": 90}
    assert report.better
    assert [row.values["size"] for row in report.rows] == [1, 60, 20, 90]
    assert [row.fate for row in report.rows] == [Fate.OPEN, Fate.OPEN, Fate.DROPPED, Fate.WON]
    assert [(number, mean.n, mean.mean) for number, mean in report.test.items()] == [(0, 10, 0.01), (3, 10, 0.9)]
    assert report.why == "variants has nothing more to suggest"
    assert report.verdict.endswith("better by +0.89 (+0.16 to +0.93) on 10 pairs")
    assert desk.size.value == 1
    with report.applied():
        assert desk.size.value == 90
    shown = str(report)
    assert "candidate 3  0.900" in shown
    assert "test, the baseline: 0.010" in shown
    assert report.chart_svg().startswith("<svg")
    assert "looked best" in report._repr_html_()
    assert report.document()["values"] == {"size": 90}


async def test_the_test_part_is_looked_at_once_and_only_where_there_is_something_to_show(desk: Desk) -> None:
    report = await desk.train([{"size": 60}, {"size": 90}], data=range(40))
    by_question: dict[Any, set[int]] = {}
    for question, size in desk.ran:
        by_question.setdefault(question, set()).add(size)
    tested = [question for question, sizes in by_question.items() if sizes == {1, 90}]
    assert len(desk.ran) == len(set(desk.ran))
    assert report.test[2].n == 10
    assert len(tested) == 10
    nothing = await Desk(desk.lab, desk.directory / "other").train([{"size": 0}])
    assert (nothing.best, nothing.shown, dict(nothing.test)) == (0, None, {})
    assert nothing.verdict.startswith("the baseline stays")


async def test_the_optimizer_sees_the_training_part_only(desk: Desk) -> None:
    variants = Variants([{"size": 60}, {"size": 90}])
    await desk.train(variants, guide=lambda output: (output / 100, "more"), instruction="Be large.")
    seen = {
        node.value
        for request in variants.asked
        for told in request.batch
        for node in told.graph.nodes
        if node.kind is NodeKind.INPUT
    }
    first, second = variants.asked[0], variants.asked[1]
    assert len(first.batch) == 20
    assert seen <= set(range(40))
    assert len({question for question, size in desk.ran if size == 1} - seen) >= 10
    assert {told.feedback.text for told in first.batch} == {"more"}
    assert [one.key for one in first.batch[0].graph.parameters] == ["size"]
    assert (first.study.instruction, second.current) == ("Be large.", {"size": 60})
    assert [(trial.number, trial.score, trial.feedback_count) for trial in second.trials] == [
        (0, 0.01, 20),
        (1, 0.6, 20),
    ]


async def test_failing_examples_and_guides_are_no_zeros_and_end_nothing(desk: Desk) -> None:
    def workflow(question: int) -> int:
        if question % 10 == 3:
            raise SystemExit(f"no answer to {question}")
        return desk.size.value

    def guide(output: int, expected: None, question: int) -> float:
        if question % 10 == 7:
            raise KeyError("who knows")
        return output / 100

    report = await desk.train([{"size": 50}], range(120), workflow=workflow, guide=guide)
    assert report.rows[0].train.mean == 0.01
    assert report.rows[1].train.mean == 0.5
    assert report.failures > 0
    assert {fault.split(" to ")[0].split("(line")[0].strip() for fault in report.faults} == {
        "SystemExit: no answer",
        "the guide failed: KeyError: 'who knows'",
    }
    assert report.better


@pytest.mark.parametrize(
    "kind", [asyncio.CancelledError, GeneratorExit, StopIteration, BaseException, SystemExit, ExceptionGroup]
)
@pytest.mark.parametrize("where", ["workflow", "guide"])
async def test_no_exception_of_whatever_kind_ends_a_training_or_is_lost(
    desk: Desk, kind: type[BaseException], where: str
) -> None:
    def fail(question: int) -> None:
        if question % 10 == 3:
            raise ExceptionGroup("several", [ValueError("one")]) if kind is ExceptionGroup else kind()

    def workflow(question: int) -> int:
        if where == "workflow":
            fail(question)
        return desk.size.value

    def guide(output: int, expected: None, question: int) -> float:
        if where == "guide":
            fail(question)
        return output / 100

    report = await asyncio.wait_for(desk.train([{"size": 50}], range(40), workflow=workflow, guide=guide), 60)
    assert report.failures > 0
    assert [kind.__name__ in fault for fault in report.faults] == [True]
    assert report.rows[1].train.mean == 0.5


async def test_a_cancellation_of_a_workflow_that_is_a_coroutine_is_a_failure_of_its_example(desk: Desk) -> None:
    async def workflow(question: int) -> int:
        if question % 10 == 3:
            given_up = asyncio.ensure_future(asyncio.sleep(60))
            given_up.cancel()
            await given_up
        return desk.size.value

    report = await desk.train([{"size": 50}], range(40), workflow=workflow)
    assert report.failures > 0
    assert report.evaluations > report.failures
    assert [fault.split(":")[0] for fault in report.faults] == ["CancelledError"]


async def test_who_cancels_a_training_ends_it(desk: Desk) -> None:
    began = asyncio.Event()

    async def workflow(question: int) -> int:
        began.set()
        await asyncio.sleep(3600)
        return desk.size.value

    training = asyncio.ensure_future(desk.train([{"size": 50}], range(8), workflow=workflow))
    await asyncio.wait_for(began.wait(), 60)
    training.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(training, 60)


async def test_a_function_that_gives_a_coroutine_is_awaited(desk: Desk) -> None:
    async def answer(question: int) -> int:
        await asyncio.sleep(0)
        return desk.size.value

    async def judge(output: int) -> float:
        return output / 100

    report = await desk.train([{"size": 50}], workflow=lambda one: answer(one + 1), guide=lambda said: judge(said + 0))
    assert (report.failures, report.rows[0].train.mean, report.rows[1].train.mean) == (0, 0.01, 0.5)


async def test_what_cannot_be_kept_ends_a_training_with_its_own_words(desk: Desk) -> None:
    class Full:
        async def record(self) -> Record:
            return Record()

        async def keep(self, *_: object) -> None:
            raise Unavailable("the disk is full")

    subject = Subject(desk.workflow, lambda output: 1.0, desk.lab.stage.registry.specs(), ("size",))
    with ThreadPoolExecutor(2) as pool:
        bench, plan = cast("Bench", Full()), plan_of({"workers": 2})
        evaluator = Evaluator(bench, desk.lab.stage, subject, plan, pool, lambda _: None)
        with pytest.raises(Unavailable, match="the disk is full"):
            await evaluator.evaluate([{"size": 3}], examples_of(range(8)))


async def test_a_candidate_that_fails_is_not_better(desk: Desk) -> None:
    def workflow(question: int) -> int:
        if desk.size.value == 90 and question % 3 == 0:
            raise ValueError("too large")
        return desk.size.value

    report = await desk.train([{"size": 90}], workflow=workflow)
    assert report.best == 0


async def test_a_baseline_that_always_fails_is_said_at_once(desk: Desk) -> None:
    def workflow(_: int) -> int:
        raise ValueError("no model")

    with pytest.raises(TrainingError, match=r"none of the 20 examples .* ValueError: no model"):
        await desk.train([{"size": 90}], workflow=workflow)


async def test_coroutines_run_side_by_side_with_values_of_their_own(desk: Desk) -> None:
    together: list[int] = []

    async def workflow(question: int) -> int:
        together.append(1)
        await asyncio.sleep(0.01)
        together.append(-1)
        return desk.size.value

    async def guide(output: int) -> float:
        await asyncio.sleep(0)
        return output / 100

    report = await desk.train([{"size": 90}], workflow=workflow, guide=guide, workers=4)
    most = max(sum(together[:place]) for place in range(len(together) + 1))
    assert 1 < most <= 4
    assert (report.values, report.failures) == ({"size": 90}, 0)


async def test_threads_run_side_by_side_and_no_more_than_were_asked_for(desk: Desk) -> None:
    meeting = threading.Barrier(3)

    def workflow(question: int) -> int:
        meeting.wait(60)  # goes on when three are here: with two workers it never would
        return desk.size.value

    report = await desk.train([], data=range(36), workflow=workflow, parts=(0.25, 0.25), minibatch=18, workers=3)
    assert report.failures == 0


async def test_each_output_is_judged_as_often_as_was_asked(desk: Desk) -> None:
    said = iter(range(10_000))
    report = await desk.train([], guide=lambda output: (next(said) % 2 / 1.0, "so"), judge_samples=4, workers=1)
    assert (report.rows[0].train.mean, next(said)) == (0.5, 80)


async def test_words_alone_measure_nothing(desk: Desk) -> None:
    with pytest.raises(TrainingError, match="none of the 20 examples"):
        await desk.train([{"size": 3}], guide=lambda output: "larger")


async def test_it_ends_when_nothing_gets_better_or_enough_is_reached(desk: Desk) -> None:
    rounds = [{"size": size} for size in (50, 10, 20, 30, 40)]
    assert (await desk.train(rounds, patience=2)).why == "2 rounds without a better candidate"
    other = Desk(desk.lab, desk.directory / "target")
    assert (await other.train(rounds, target=0.4)).why == "the target of 0.4 is reached: 0.5 on 10 examples"
    third = Desk(desk.lab, desk.directory / "rounds")
    assert (await third.train(rounds, rounds=1)).why == "all 1 rounds are over"


async def test_smaller_is_better_where_that_is_said(desk: Desk) -> None:
    report = await desk.train([{"size": 60}, {"size": 0}], direction="minimize", highest=100, guide=float)
    assert report.values == {"size": 0}
    assert report.rows[1].fate is Fate.DROPPED


async def test_folds_take_turns(desk: Desk) -> None:
    proposals = [{"size": size} for size in (20, 40, 60, 80)]
    report = await desk.train(proposals, data=range(40), folds=4, parts=(0.0, 0.25))
    assert (report.values, report.better) == ({"size": 80}, True)
    tested = {question for question, size in desk.ran} - {
        question for question, size in desk.ran if size in (20, 40, 60)
    }
    assert len(tested) == 10


async def test_scores_outside_of_the_range_are_counted(desk: Desk) -> None:
    report = await desk.train([{"size": 50}], guide=float, highest=20)
    assert report.clipped > 0
    assert f"{report.clipped} scores were outside" in str(report)


async def test_what_was_measured_is_not_measured_again(desk: Desk) -> None:
    proposals = [{"size": 60}, {"size": 90}]
    report = await desk.train(proposals)
    ran = len(desk.ran)
    again = Variants([])
    assert (await desk.train(again)).document() == report.document()
    assert (len(desk.ran), again.asked) == (ran, [])


async def test_another_training_in_its_place_is_refused(desk: Desk) -> None:
    await desk.train([{"size": 60}])
    with pytest.raises(TrainingError, match="with other data"):
        await desk.train([], data=range(30))
    with pytest.raises(TrainingError, match="with other plan"):
        await desk.train([], minibatch=5)
    with pytest.raises(TrainingError, match=r"has ended .* test part has been looked at"):
        await desk.train([], rounds=30)


async def test_other_code_is_measured_anew(desk: Desk) -> None:
    await desk.train([{"size": 60}])
    ran = len(desk.ran)
    await desk.train([], guide=lambda output: output / 50)
    assert len(desk.ran) == 2 * ran


async def test_an_optimizer_that_fails_or_may_not_go_on_leaves_a_report(desk: Desk) -> None:
    report = await desk.train([{"size": 60}, BudgetSpent("max_calls: 3 calls were made, 3 are allowed")])
    assert report.values == {"size": 60}
    assert report.why == "max_calls: 3 calls were made, 3 are allowed"
    other = Desk(desk.lab, desk.directory / "other")
    variants = Variants([OptimizerError("away"), OptimizerError("away"), {"size": 60}])
    assert (await other.train(variants)).values == {"size": 60}
    third = Desk(desk.lab, desk.directory / "third")
    gone = Variants([OptimizerError("no key", permanent=True)])
    assert (await third.train(gone)).why == "the optimizer failed: no key"


async def test_calls_of_a_model_are_on_the_ledger_and_in_the_report(desk: Desk) -> None:
    model = OptimizerRegistry().load("optoprime")
    with ScriptedOpenAI([suggesting(size=60), suggesting(size=90)]) as server:
        options = {"model": "scripted", "base_url": server.base_url, "input_price": 1.5}
        told: dict[str, Any] = {"optimizer": "optoprime", "options": options, "rounds": 2}
        report = await desk.train(model, guide=lambda output: (output / 100, "larger"), **told)
        assert (report.values, report.cost.calls, len(server.requests)) == ({"size": 90}, 2, 2)
        assert report.cost.money == pytest.approx(22 * 1.5 / 1e6)
        assert "for candidates 2 calls of models, 36 tokens" in str(report)
        assert "larger" in server.requests[0]["messages"][-1]["content"]
        again = await desk.train(model, guide=lambda output: (output / 100, "larger"), **told)
        assert (again.document()["values"], len(server.requests)) == ({"size": 90}, 2)


async def test_the_directory_is_a_collectors(desk: Desk) -> None:
    await desk.train([{"size": 60}])
    async with Bench(desk.directory, "training", "shop") as bench:
        record = await bench.record()
        one = next(iter(record.evaluations.values()))
        graph = await bench._pipeline.assemble(one.trace_id)
        assert await bench._pipeline.attach() == len(record.evaluations)
    assert [node.name for node in graph.nodes if node.kind is NodeKind.PARAMETER] == ["size"]


def test_progress_is_one_line_on_a_terminal_and_nothing_in_a_pipe() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    times = iter(range(100))
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        progress = Progress(5, lambda: "3 calls", stream, clock=lambda: float(next(times)))
        progress.began(1)
        progress.heard(Evaluation("c", "e", "v", None))
        progress.over()
    lines = [line.strip() for line in terminal.getvalue().split("\r") if line.strip()]
    assert lines == [
        "round 2 of 5 · 0 examples run · 3 calls",
        "round 2 of 5 · 1 examples run, 1 without a score · 3 calls",
    ]
    assert pipe.getvalue() == ""
