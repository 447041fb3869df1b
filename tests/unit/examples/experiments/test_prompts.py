"""Prompts: the questions, and the way of every method over the wire; what a model would make of it is not tested."""

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from examples.experiments.prompts import teleprompters
from examples.experiments.prompts.program import SIZES
from examples.experiments.prompts.tasks import TASKS, Sizes, questions, said_of, task
from tests.fakes_openai import ScriptedOpenAI

ROOT = Path(__file__).parents[4]
BETTER = "Answer with exactly one word in lowercase: positive or negative"


@pytest.mark.parametrize("name", [one.name for one in TASKS])
def test_parts_have_no_question_in_common_and_the_test_part_is_the_same_for_all_seeds(name: str) -> None:
    one, other = (task(name).data(seed, Sizes(6, 4, 8)) for seed in (1, 2))
    parts = [questions(one.train), questions(one.validation), questions(one.test)]
    assert [len(part) for part in parts] == [6, 4, 8]
    assert len(set.union(*parts)) == 18
    assert one.train != other.train
    assert one.test == other.test
    assert not questions(other.train) & parts[2]


@pytest.mark.parametrize("name", ["sentiment", "web of lies"])
def test_of_two_answers_none_is_right_more_often(name: str) -> None:
    for sizes in SIZES.values():
        data = task(name).data(2, sizes)
        for part in (data.train, data.validation, data.test):
            answers = sorted(answer for _, answer in part)
            assert abs(answers.count(answers[0]) - answers.count(answers[-1])) <= 1


@pytest.mark.parametrize("name", [one.name for one in TASKS])
def test_every_form_has_enough_different_questions(name: str) -> None:
    for sizes in SIZES.values():
        assert len(task(name).data(1, sizes).test) == sizes.test


def test_too_many_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="sentiment: found 120 different questions, wanted are 750"):
        task("sentiment").data(1, Sizes(0, 0, 500))


def test_answers_are_right() -> None:
    chance = random.Random(3)
    for _ in range(50):
        question, answer = task("word sorting").drawn(chance)
        words = question.partition(": ")[2].split()
        assert answer.split() == sorted(words)
        question, answer = task("object counting").drawn(chance)
        known = {"one": 1, "two": 2, "three": 3, "four": 4}
        assert int(answer) == sum(known.get(word, 0) for word in question.partition(". How")[0].split())
        question, answer = task("web of lies").drawn(chance)
        honest: dict[str, bool] = {}
        for said in question.partition(" Does")[0].rstrip(".").split(". "):
            words = said.split()
            claim = "tells" in words
            honest[words[0]] = claim if "says" not in words else honest[words[2]] == claim
        assert answer == ("yes" if list(honest.values())[-1] else "no")


def test_only_the_whole_answer_is_right() -> None:
    assert said_of("positive", "positive") == (1.0, "right")
    assert said_of("Positive.", "positive") == (0.0, "wrong: the answer was 'Positive.', expected exactly 'positive'")


def speaks(body: Mapping[str, Any]) -> str:
    """Not a model: it knows the labels by their words, and says them alone where the instruction has 'one word'."""
    system, last = body["messages"][0]["content"], body["messages"][-1]["content"]
    if "response_format" in body:
        if "critique" in json.dumps(body["response_format"]):
            return json.dumps({"critique": "say one word"})
        return json.dumps({"reasoning": "the form", "suggestion": {"sentiment.prompt": BETTER}})
    if "proposed_instruction" in system:
        prefix = "[[ ## proposed_prefix_for_output_field ## ]]\nAnswer:\n\n[[ ## completed ## ]]"
        return f"[[ ## proposed_instruction ## ]]\n{BETTER}\n\n{prefix}"
    if "new_instruction" in last:
        return json.dumps({"new_instruction": BETTER})
    if "improve the instruction" in system or "write the instruction" in system:
        return BETTER
    good = any(word in last for word in ("joy", "again", "better", "lovely", "worth"))
    label = "positive" if good else "negative"
    return label if "one word" in system else f"It is {label}."


def test_every_method_goes_its_way_over_the_wire(tmp_path: Path) -> None:
    with ScriptedOpenAI([speaks]) as endpoint:
        command = [
            sys.executable, "-m", "examples.experiments", "prompts", "--minute", "--problems", "sentiment",
            "--endpoint", endpoint.base_url, "--model", "m", "--results", str(tmp_path),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in (tmp_path / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {
        method: [(line["part"], line["score"]) for line in lines if line["method"] == method]
        for method in dict.fromkeys(line["method"] for line in lines)
    }
    for method in ("optoprime", "opro", "textgrad", "rewriting"):
        assert found[method] == [("train", 0.0), ("train", 1.0), ("test", 1.0), ("end", None)], method
    assert [part for part, _ in found["by hand"]] == ["train", "train", "test", "end"]
    assert [part for part, _ in found["edits"]] == ["train", "train", "test", "end"]
    ends = {line["method"]: line for line in lines if line["part"] == "end"}
    assert ends["optoprime"]["calls"] == 1
    assert ends["textgrad"]["calls"] > 1
    assert ends["by hand"]["calls"] == 0
    assert all(line["task_calls"] > 0 for line in lines)


@pytest.mark.skipif(not (ROOT / teleprompters.PYTHON).exists(), reason=f"no Python of its own: {teleprompters.HOW}")
@pytest.mark.parametrize("method", ["copro", "gepa"])
def test_those_of_dspy_go_the_same_way(method: str, tmp_path: Path) -> None:
    with ScriptedOpenAI([speaks]) as endpoint:
        command = [
            sys.executable, "-m", "examples.experiments", "prompts", "--minute", "--problems", "sentiment",
            "--methods", method, "--endpoint", endpoint.base_url, "--model", "m", "--results", str(tmp_path),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        proposed = [sent for sent in endpoint.requests if sent.get("temperature") != 0]
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in (tmp_path / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["part"], line["score"]) for line in lines] == [
        ("train", 0.0), ("train", 1.0), ("test", 1.0), ("end", None),
    ]  # fmt: skip
    assert lines[-1]["calls"] == len(proposed) == 1
    shown = json.dumps(proposed[0]["messages"])
    assert task("sentiment").start in shown
    assert ("expected exactly" in shown) == (method == "gepa"), "one sees scores, the other one words"


ENDED = """
import sys
from pathlib import Path
from collector.core.errors import OptimizerError
from examples.experiments.frame.experiment import Form, Setting
from examples.experiments.frame.wire import Model
from examples.experiments.prompts import program, teleprompters
teleprompters.PYTHON, teleprompters._CHILD = sys.executable, Path(sys.argv[1])
setting = Setting("sentiment", 1, 2, Form.MINUTE, Model("m", sys.argv[2], sys.argv[2]))
try:
    list(teleprompters.by_dspy("copro", program.program(setting), setting))
except OptimizerError as error:
    print(error)
"""


def test_a_package_that_ends_with_an_error_is_said_in_its_own_words(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("import sys\nsys.exit('no such package')\n", encoding="utf-8")
    with ScriptedOpenAI([speaks]) as endpoint:
        command = [sys.executable, "-c", ENDED, str(child), endpoint.base_url]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "dspy ended early: no such package\n\n"


def test_without_a_model_everything_is_skipped_with_the_reason() -> None:
    command = [sys.executable, "-m", "examples.experiments", "prompts", "--minute", "--endpoint", "", "--model", ""]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("skipped, it needs a model") == 8
