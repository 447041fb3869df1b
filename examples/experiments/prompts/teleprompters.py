"""COPRO and GEPA of dspy beside ours: in a process and a Python of its own, since the package brings many others."""

import json
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import suppress
from pathlib import Path

from collector.core.errors import OptimizerError
from examples.experiments.frame.experiment import Setting, Tried
from examples.experiments.prompts.program import Program
from examples.experiments.prompts.tasks import said_of

PYTHON = ".experiments/dspy/bin/python"
"""Where that Python is, from where the command runs."""
HOW = "python3 -m venv .experiments/dspy && .experiments/dspy/bin/pip install dspy==3.4.1"

_CHILD = Path(__file__).with_name("teleprompters_child.py")
_ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "DSPY_CACHEDIR": ".experiments/dspy/cache"}
"""Nothing else of ours. It would ask the internet for prices when it is imported, and keep answers at home."""
_MOST_TOKENS, _WARMTH, _LONGEST = 400, 0.7, 500
_SHOWN = 500
_IDLE = 5
"""How often, one after the other, all training questions may be asked with instructions that are known already."""


def by_dspy(method: str, own: Program, setting: Setting) -> Generator[Tried, None, None]:
    """The same program, questions, words, model and temperature; its own prompts and choices.

    An instruction that it asks about for the first time is a candidate, and is measured on the whole training part,
    though the package sees no more than what it asked for. COPRO's prefix of the answer has no place in the program.

    Args:
        method: ``copro`` or ``gepa``.
        own: What is optimized.
        setting: Of the run.

    Raises:
        OptimizerError: it ended with an error; with the end of what it said.
    """
    model = setting.endpoint
    problem = {
        "method": method, "start": own.task.start, "examples": own.data.train, "calls": setting.calls,
        "address": model.address, "model": model.name, "seed": 1_000 * setting.seed, "warmth": _WARMTH,
        "most": _MOST_TOKENS,
    }  # fmt: skip
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as told,
        subprocess.Popen(  # noqa: S603 - a path that is written here
            [PYTHON, str(_CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True,
            env=_ENVIRONMENT,
        ) as child,
    ):  # fmt: skip
        try:
            yield from _conversation(child, problem, own, setting.calls)
            if child.poll():
                told.seek(0)
                raise OptimizerError(f"dspy ended early: {told.read()[-_SHOWN:]}", permanent=True)
        finally:
            child.kill()


def _conversation(
    child: subprocess.Popen[str], problem: Mapping[str, object], own: Program, calls: int
) -> Generator[Tried, None, None]:
    assert child.stdin is not None
    assert child.stdout is not None
    known: dict[str, dict[str, str]] = {}
    idle, heard = 0, problem
    yield _measured(own.task.start, own, known)
    while idle < _IDLE * len(own.data.train):
        try:
            child.stdin.write(json.dumps(heard) + "\n")
            child.stdin.flush()
            asked = child.stdout.readline()
        except BrokenPipeError:  # it ended while the program answered; what was not read goes with it
            asked = ""
            with suppress(BrokenPipeError):
                child.stdin.close()
        if not asked:
            child.wait()
            return
        instruction, question = json.loads(asked)
        instruction = instruction.strip()[:_LONGEST]
        idle += 1
        if instruction not in known:
            idle = 0
            yield _measured(instruction, own, known)
            if len(known) > calls:
                return
        heard = _answer(question, dict(own.data.train)[question], known[instruction])


def _measured(instruction: str, own: Program, known: dict[str, dict[str, str]]) -> Tried:
    tried, wrong = own.candidate(instruction)
    known[instruction] = {text: answer for (text, _), answer in wrong}
    return tried


def _answer(question: str, wanted: str, wrong: Mapping[str, str]) -> Mapping[str, object]:
    answer = wrong.get(question, wanted)
    score, said = said_of(answer, wanted)
    return {"answer": answer, "score": score, "said": said}
