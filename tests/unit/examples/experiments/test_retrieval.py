"""Retrieval: the halves of the questions, and the way of every method."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes_openai import ScriptedOpenAI

ROOT = Path(__file__).parents[4]
HALVES = """
from examples.experiments.retrieval import methods
one, other = ({question.question for question in half} for half in methods._halves())
print(len(one), len(other), len(one & other))
"""


def found(tmp_path: Path, *more: str) -> Mapping[str, list[Mapping[str, Any]]]:
    command = [sys.executable, "-m", "examples.experiments", "retrieval", "--minute", "--results", str(tmp_path), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    by_method: dict[str, list[Mapping[str, Any]]] = {}
    for line in map(json.loads, (tmp_path / "retrieval.jsonl").read_text(encoding="utf-8").splitlines()):
        by_method.setdefault(line["method"], []).append(line)
    return by_method


def test_no_question_is_in_both_halves() -> None:
    done = subprocess.run([sys.executable, "-c", HALVES], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["83", "84", "0"]


def test_its_minute_without_a_model_tries_the_same_questions_by_every_method(tmp_path: Path) -> None:
    lines = found(tmp_path, "--endpoint", "", "--model", "")
    assert {method: [line["part"] for line in one] for method, one in lines.items()} == {
        "tpe": [*["train"] * 4, "test", "end"],
        "bandit": [*["train"] * 4, "test", "end"],
        "random": [*["train"] * 4, "test", "end"],
        "unchanged": ["train", "test", "end"],
    }
    assert len({one[0]["score"] for one in lines.values()}) == 1, "all begin with the same values on the same questions"
    assert all(line["calls"] == 0 for one in lines.values() for line in one)


def test_with_a_model_the_wording_is_written(tmp_path: Path) -> None:
    written = {"reasoning": "short", "suggestion": {"answer.template": "{answer}!"}}
    with ScriptedOpenAI([json.dumps(written)]) as endpoint:
        lines = found(tmp_path, "--methods", "hybrid", "--endpoint", endpoint.base_url, "--model", "m")["hybrid"]
    assert "{answer}!" in [line["values"].get("answer.template") for line in lines]
    assert lines[-1]["calls"] >= 1
