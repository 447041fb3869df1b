"""trace, backward, step: what is kept, what is taken back, what the optimizer is told."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.core.study import Proposal
from otel_opto import InvalidValue
from otel_opto_train.course import always
from otel_opto_train.stepping import NothingJudged, Stepper, course_begun
from tests.unit.otel_opto_train.conftest import Lab, Variants


def judge(stepper: Stepper, score: float | None, text: str = "", runs: int = 1) -> None:
    for _ in range(runs):
        with stepper.trace() as run:
            run.output(dict(stepper.values))
        run.backward((score, text))


def test_what_is_better_is_kept_and_what_is_worse_taken_back(lab: Lab) -> None:
    size = lab.parameter("size", 3, minimum=0, maximum=100)
    stepper = lab.stepper(Variants([{"size": 5}, {"size": 9}, {"size": 7}]))
    seen = []
    for score in (0.2, 0.6, 0.4, 0.9):
        with stepper.trace() as run:
            seen.append(size.value)
            run.output(size.value)
        run.backward(score)
        stepper.step()
    assert seen == [3, 5, 9, 7]
    assert [one.mean for one in stepper.history] == [0.2, 0.6, 0.4, 0.9]
    assert (stepper.best.values, stepper.values) == ({"size": 7}, {"size": 7})
    assert size.value == 3
    with stepper.applied():
        assert size.value == 7


def test_a_worse_one_is_not_what_the_next_one_is_made_of(lab: Lab) -> None:
    lab.parameter("size", 3), lab.parameter("style", "plain")
    variants = Variants([{"size": 5}, {"style": "bold"}])
    stepper = lab.stepper(variants)
    judge(stepper, 0.5)
    stepper.step()
    judge(stepper, 0.1, "worse")
    step = stepper.step()
    assert (step.kept, step.judged.mean) == (False, 0.1)
    assert step.values == {"size": 3, "style": "bold"}
    assert step.changed == {"style": ("plain", "bold")}
    told = variants.asked[1]
    assert told.current == {"size": 3, "style": "plain"}
    assert [(trial.number, trial.score, dict(trial.values)) for trial in told.trials] == [
        (0, 0.5, {"size": 3, "style": "plain"}),
        (1, 0.1, {"size": 5, "style": "plain"}),
    ]
    assert told.remarks[1].worst == "worse"
    assert [one.feedback.score for one in told.batch] == [0.5]


def test_several_runs_are_one_batch(lab: Lab) -> None:
    lab.parameter("size", 3)
    variants = Variants([{"size": 4}])
    stepper = lab.stepper(variants)
    for score in (0.0, 1.0, 1.0):
        judge(stepper, score)
    assert stepper.step().judged.scores == (0.0, 1.0, 1.0)
    assert [one.feedback.score for one in variants.asked[0].batch] == [0.0, 1.0, 1.0]
    assert variants.asked[0].trials[0].feedback_count == 3


def test_smaller_is_better_where_that_is_said(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}, {"size": 5}]), direction="minimize", metric="loss")
    for score in (5.0, 4.0, 6.0):
        judge(stepper, score)
        stepper.step()
    assert stepper.best.values == {"size": 4}


def test_words_alone_are_taken_on_trust(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}, {"size": 5}]))
    for text in ("larger", "larger", "fine"):
        judge(stepper, None, text)
        stepper.step()
    assert stepper.best.values == {"size": 5}


def test_a_failure_is_no_score_and_not_better(lab: Lab) -> None:
    size = lab.parameter("size", 3)
    variants = Variants([{"size": 0}, {"size": 4}])
    stepper = lab.stepper(variants)
    for _ in range(2):
        with stepper.trace(catch=True) as run:
            run.output(1 / size.value)
        run.backward(run.error or 0.1)
        stepper.step()
    failed = stepper.history[1]
    assert (failed.mean, failed.failures, failed.scores) == (None, 1, ())
    assert stepper.best.values == {"size": 3}
    told = variants.asked[1]
    assert (told.trials[1].score, told.trials[1].given_up) == (None, "every run failed")
    assert told.remarks[1].worst.startswith("ZeroDivisionError")


def test_the_rule_is_the_users(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}, {"size": 5}]), rule=always)
    for score in (0.9, 0.1, 0.0):
        judge(stepper, score)
        stepper.step()
    assert stepper.best.values == {"size": 5}


def test_what_does_not_fit_or_was_tried_is_refused_and_asked_again(lab: Lab) -> None:
    lab.parameter("size", 3, minimum=0, maximum=10)
    variants = Variants([{"size": 11}, {"size": 3}, {"size": 4}])
    stepper = lab.stepper(variants)
    judge(stepper, 0.5)
    step = stepper.step()
    assert step.values == {"size": 4}
    assert [one.errors[0] for one in step.refused] == [
        "parameter 'size': found 11 (int), allowed: a whole number from 0 to 10",
        "these values were tried already, as number 0",
    ]
    assert variants.asked[2].rejected == step.refused


def test_projections_come_before_validation(lab: Lab) -> None:
    lab.parameter("style", "plain", max_length=10)
    stepper = lab.stepper(Variants([{"style": "  " * 10 + "bold"}]), projections={"style": str.strip})
    judge(stepper, 0.5)
    assert stepper.step().values == {"style": "bold"}


def test_restore_undoes(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}, {"size": 5}]))
    judge(stepper, 0.5)
    stepper.step()
    stepper.restore()
    assert stepper.values == {"size": 3}
    judge(stepper, 0.6)
    stepper.step()
    judge(stepper, 0.9)
    stepper.step()
    assert stepper.best.values == {"size": 5}
    stepper.restore(0)
    assert (stepper.best.values, stepper.values) == ({"size": 3}, {"size": 3})
    with pytest.raises(IndexError, match="found 7, allowed are 0 to 2"):
        stepper.restore(7)


def test_a_step_needs_feedback_and_zero_feedback_forgets_it(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}]))
    judge(stepper, 0.0)
    stepper.zero_feedback()
    with pytest.raises(NothingJudged, match=r"run\.backward"):
        stepper.step()
    judge(stepper, 1.0)
    assert stepper.step().judged.scores == (1.0,)


def test_a_run_whose_feedback_names_what_is_not_there_costs_itself_alone(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}]))
    judge(stepper, 0.25)
    with stepper.trace() as run:
        run.output(1)
    run.backward(1.0, node="nope")
    with pytest.raises(LookupError, match="'nope'"):
        stepper.step()
    step = stepper.step()
    assert (step.judged.scores, step.values) == ((0.25,), {"size": 4})


def test_an_optimizer_that_fails_loses_no_feedback(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([OptimizerError("away"), {"size": 4}]))
    judge(stepper, 0.5)
    with pytest.raises(OptimizerError, match="away"):
        stepper.step()
    assert stepper.history[0].scores == (0.5,)
    step = stepper.step()
    assert (step.judged.scores, step.values) == ((0.5,), {"size": 4})


def test_when_nothing_is_left_the_best_stays(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}]))
    for score in (0.5, 0.1):
        judge(stepper, score)
        step = stepper.step()
    assert (step.finished, step.values, str(step)) == (True, {"size": 3}, "0.1, not kept; nothing more to try")


def test_a_run_of_another_optimizer_is_none_of_this_ones(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([]))
    with lab.stage.run({"size": 8}, stepper._heard) as run:
        run.output(1)
    run.backward(1.0)
    with pytest.raises(ValueError, match="never tried"):
        stepper.step()


def test_what_the_optimizer_cannot_work_with_is_said_at_once(lab: Lab) -> None:
    lab.parameter("size", 3)
    with pytest.raises(ValueError, match="no key"):
        lab.stepper(Variants([], faults=["no key"]))
    with pytest.raises(InvalidValue, match="found 'width'; declared are: size"):
        course_begun(lab.stage, ["width"], "variants", {}, {})
    with pytest.raises(InvalidValue, match="found 3, allowed are parameters and their keys"):
        course_begun(lab.stage, [3], "variants", {}, {})  # type: ignore[list-item]


def test_the_problem_is_what_the_next_step_would_show(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}]), instruction="Be large.")
    judge(stepper, 0.5, "too small")
    shown = stepper.problem()
    assert "Be large." in shown
    assert 'feedback: score 0.5, "too small"' in shown
    assert stepper.history[0].runs == 0


async def test_steps_in_an_event_loop(lab: Lab) -> None:
    lab.parameter("size", 3)
    stepper = lab.stepper(Variants([{"size": 4}, {"size": 5}]))
    judge(stepper, 0.5)
    assert (await stepper.astep()).values == {"size": 4}
    judge(stepper, 0.6)
    assert stepper.step().values == {"size": 5}  # as in a notebook, whose loop is running


def test_another_process_goes_on(lab: Lab, tmp_path: Path) -> None:
    lab.parameter("size", 3)
    proposals = [{"size": 4}, {"size": 11}, {"size": 5}, {"size": 6}]
    first, second = Variants(proposals[:3]), Variants(proposals[3:])
    stepper = lab.stepper(first)
    for score in (0.5, 0.6):
        judge(stepper, score, "larger")
        stepper.step()
    stepper.save(tmp_path / "course.json")
    another = lab.stepper(second)
    another.load(tmp_path / "course.json")
    assert (another.history, another.values) == (stepper.history, {"size": 11})
    judge(another, 0.1)
    judge(stepper, 0.1)
    another.step()
    stepper.step()
    assert second.asked[0].trials == first.asked[2].trials
    assert second.asked[0].batch == first.asked[2].batch
    assert second.asked[0].remarks == first.asked[2].remarks


def test_a_file_that_does_not_fit_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    lab.parameter("size", 3, minimum=0, maximum=10)
    stepper, path = lab.stepper(Variants([])), tmp_path / "course.json"
    stepper.save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    for change, said in (
        ({"version": 9}, "version 9"),
        ({"best": 5}, "not among its attempts"),
        ({"attempts": [{**document["attempts"][0], "values": {"width": 1}}]}, "parameters are width"),
        ({"attempts": [{**document["attempts"][0], "values": {"size": 99}}]}, "found 99"),
    ):
        path.write_text(json.dumps({**document, **change}), encoding="utf-8")
        with pytest.raises(ValueError, match=said):
            stepper.load(path)
    for text, said in (
        ("", "course.json: Expecting value"),
        ("[]", "course.json: it is not what save"),
        ('{"format": "otel-opto-course", "version": 1}', "course.json: it is not what save.* 'attempts'"),
        (json.dumps(document).replace('"scores": []', '"scores": [NaN]'), "course.json: found NaN, allowed are finite"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=said):
            stepper.load(path)
    assert [dict(one.values) for one in stepper.history] == [{"size": 3}]


def test_what_is_set_wrongly_is_said_at_once(lab: Lab) -> None:
    size = lab.parameter("size", 3)
    with pytest.raises(ValueError, match="projections: found sise; trained are size") as caught:
        lab.stepper(Variants([]), projections={"sise": abs}, rule="always")
    assert "rule: found 'always', allowed are otel_opto.better, otel_opto.always, or a function" in str(caught.value)
    for one in (size, "size"):
        with pytest.raises(InvalidValue, match=r"found a single one, allowed is a list, such as \[it\]"):
            course_begun(lab.stage, one, "variants", {}, {})  # type: ignore[arg-type]


async def test_steps_come_one_after_the_other(lab: Lab) -> None:
    lab.parameter("size", 3)
    entered, may_go = asyncio.Event(), asyncio.Event()

    class Slow(Variants):
        async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
            entered.set()
            await may_go.wait()
            return await super().propose(request)

    stepper = lab.stepper(Slow([{"size": 4}, {"size": 5}]))
    judge(stepper, 0.5)
    first = asyncio.create_task(stepper.astep())
    await asyncio.wait_for(entered.wait(), 60)
    with pytest.raises(RuntimeError, match="another step is under way"):
        await stepper.astep()
    may_go.set()
    assert (await first).values == {"size": 4}
    judge(stepper, 0.6)
    assert (await stepper.astep()).values == {"size": 5}
