"""Examples in processes: who hangs is ended, who dies is an error, and the training comes to its end."""

import json
import sys
from pathlib import Path

import pytest

from otel_opto_train.trainer.examples import Example
from otel_opto_train.trainer.plan import Plan
from otel_opto_train.trainer.processes import Processes
from otel_opto_train.trainer.record import Evaluation
from tests.unit.otel_opto_train.trainer.conftest import Desk
from tests.unit.otel_opto_train.trainer.test_resume import run

APP = """
import os, time
import otel_opto

size = otel_opto.parameter("processes.size", default=1, minimum=0, maximum=100)


@otel_opto.node
def answer(question):
    if question == "hang":
        time.sleep(600)
    if question == "die":
        os._exit(7)
    if question == "fail":
        raise LookupError("no such thing")
    return size.value


async def waiting(question):
    return answer(question)


def judge(output, expected):
    return (output / 100, f"process {os.getpid()}")
"""

BEGUN = Evaluation("candidate", "one", "version", None)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "processes_app.py").write_text(APP, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "processes_app", raising=False)
    return tmp_path


def test_a_training_in_processes_counts_what_fails_and_comes_to_its_end(app: Path) -> None:
    questions = [*(f"q{number}" for number in range(5)), "fail"]
    data = "\n".join(json.dumps({"input": question}) for question in questions)
    (app / "data.jsonl").write_text(data, encoding="utf-8")
    command = (
        "train", "processes_app:waiting", "--guide", "processes_app:judge", "--data", "data.jsonl", "--processes",
        "--workers", "1", "--rounds", "1", "--validation", "0", "--test", "0", "--json",
    )  # fmt: skip
    done = run(app, command)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    baseline, *others = report["candidates"]
    assert (baseline["train"]["n"], baseline["train"]["failures"]) == (5, 1)
    assert baseline["train"]["mean"] == 0.01
    assert others
    assert all(one["train"]["n"] == 5 for one in others)
    assert report["evaluations"] == 6 * len(report["candidates"])


def test_who_takes_too_long_is_ended(app: Path) -> None:
    import processes_app  # type: ignore[import-not-found]

    plan = Plan(workers=1, processes=True, example_seconds=0.5)
    with Processes(processes_app.answer, processes_app.judge, ("processes.size",), plan) as processes:
        hanging = processes.measure({"processes.size": 50}, Example("hang"), BEGUN).evaluation
    assert (hanging.score, hanging.failed) == (None, True)
    assert hanging.text == "it took longer than 0.5 s, and its process was ended"


def test_who_dies_is_an_error_and_the_next_one_is_measured(app: Path) -> None:
    import processes_app

    plan = Plan(workers=1, processes=True)
    with Processes(processes_app.answer, processes_app.judge, ("processes.size",), plan) as processes:
        dead = processes.measure({"processes.size": 50}, Example("die"), BEGUN).evaluation
        assert (dead.score, dead.text) == (None, "its process ended with the exit code 7")
        measured = processes.measure({"processes.size": 50}, Example("q"), BEGUN)
        assert (measured.evaluation.score, measured.evaluation.candidate) == (0.5, "candidate")
        assert measured.otlp
        assert [one.name for one in measured.feedback] == ["quality"]
        unsent = processes.measure({"processes.size": 50}, Example(lambda: 1), BEGUN).evaluation
        assert unsent.text.startswith("its input cannot be sent to a process: ")
        assert processes.measure({"processes.size": 70}, Example("q"), BEGUN).evaluation.score == 0.7


async def test_what_another_process_cannot_find_is_said_at_once(desk: Desk) -> None:
    with pytest.raises(ValueError, match="processes: the workflow cannot be found from another process"):
        await desk.train([{"size": 2}], workflow=lambda question: question, processes=True)


def test_only_processes_can_be_ended() -> None:
    assert (
        Plan(example_seconds=3.0).faults()[0].startswith("example_seconds: found 3, allowed are numbers above 0 where")
    )
    assert Plan(example_seconds=3.0, processes=True).faults() == []
