"""Code debugging: what is run where, what an optimizer is shown, and the way of every method over the wire."""

import ast
import json
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from examples.experiments.code_debugging.methods import mutated
from tests.fakes_openai import ScriptedOpenAI

ROOT = Path(__file__).parents[4]
MENDED = """def split_words(text: str) -> list[str]:
    return [word.strip(".,!?").lower() for word in text.split()]
"""
RAISES = "def split_words(text: str) -> list[str]:\n    return text.no_such_method()\n"


def speaks(body: Mapping[str, Any]) -> str:
    """Not a model: a source that raises, then the right one."""
    asked = body["messages"][-1]["content"]
    source = MENDED if "no_such_method" in asked or "response_format" not in body else RAISES
    if "response_format" in body:
        return json.dumps({"reasoning": "", "suggestion": {"word_counts.split_words": source}})
    return f"Here it is:\n```python\n{source}\n```"


def run(tmp_path: Path, *more: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "examples.experiments", "code_debugging", "--minute", "--results", str(tmp_path)]
    done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in (tmp_path / "code_debugging.jsonl").read_text(encoding="utf-8").splitlines()]


def test_methods_with_a_model_go_their_way_over_the_wire(tmp_path: Path) -> None:
    with ScriptedOpenAI([speaks]) as endpoint:
        asks = ("--methods", "optoprime,asking", "--endpoint", endpoint.base_url, "--model", "m")
        lines = run(tmp_path, *asks)
        shown = [sent["messages"][-1]["content"] for sent in endpoint.requests if "response_format" in sent]
        asked = [sent["messages"][-1]["content"] for sent in endpoint.requests if "response_format" not in sent]
    found = {
        method: [line["score"] for line in lines if line["method"] == method and line["part"] == "train"]
        for method in ("optoprime", "asking")
    }
    assert found["optoprime"] == [0.25, 0.0, 1.0]
    assert found["asking"][:2] == [0.25, 1.0]
    assert 'it gave {"": 1}, wanted is {}' in shown[0].replace("\\", "")
    assert "step count_words = " in shown[0], "the functions are steps of the run, with what they gave"
    assert "no_such_method" in shown[1]
    raised = next(line for line in lines if line["score"] == 0.0)
    assert "<--- AttributeError" in raised["said"], "the interpreter's words, with the line"
    assert "A test: for " in asked[0]


def test_without_a_model_small_changes_are_tried_in_child_processes(tmp_path: Path) -> None:
    lines = run(tmp_path, "--endpoint", "", "--model", "")
    assert {line["method"] for line in lines} == {"mutation"}
    assert [line["part"] for line in lines] == ["train", "train", "train", "end"]
    assert lines[0]["score"] == 0.25


def test_a_mutation_is_one_small_change() -> None:
    source = "def f(x):\n    return x + 1\n"
    chance = random.Random(1)
    found = {mutated(source, chance) for _ in range(40)}
    assert "def f(x):\n    return x - 1\n" in found
    assert "def f(x):\n    return x + 2\n" in found
    assert all(ast.parse(one) for one in found)
    assert mutated("def f(x):\n    return x\n", chance) == "def f(x):\n    return x\n"
