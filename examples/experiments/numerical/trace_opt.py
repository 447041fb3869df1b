"""Trace's own OptoPrime beside ours: in a process and a Python of its own, since it brings packages that ours lacks."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from collector.core.errors import OptimizerError
from examples.experiments.frame.experiment import Setting, Tried
from examples.experiments.numerical.graphs import HIGHEST, KEYS, LOWEST, Graph, sampled

PYTHON = ".experiments/trace-opt/bin/python"
"""Where that Python is, from where the command runs."""
HOW = (
    "python3 -m venv .experiments/trace-opt && .experiments/trace-opt/bin/pip install trace-opt==0.1.3.8 litellm black"
)

_CHILD = Path(__file__).with_name("trace_opt_child.py")
_ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""Nothing else of ours. It would ask the internet for prices when it is imported."""
_MOST_TOKENS, _WARMTH = 400, 0.7
_SHOWN = 500


def by_trace_opt(wanted: str, setting: Setting) -> Iterator[Tried]:
    """The same graph, words, model and temperature; its own prompt and reading of answers.

    Args:
        wanted: The objective, which is said to ours, too.
        setting: Of the run.

    Raises:
        OptimizerError: it ended before its candidates were used up; with the end of what it said.
    """
    graph, model = sampled(setting.seed), setting.endpoint
    problem = {
        "keys": KEYS, "start": graph.start, "constants": graph.constants, "lowest": LOWEST, "highest": HIGHEST,
        "steps": [(step.operation, step.left, step.right) for step in graph.steps], "wanted": wanted,
        "address": model.address, "model": model.name, "seed": 1_000 * setting.seed, "warmth": _WARMTH,
        "most": _MOST_TOKENS, "calls": setting.calls,
    }  # fmt: skip
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as told,
        subprocess.Popen(  # noqa: S603 - a path that is written here
            [PYTHON, str(_CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True,
            env=_ENVIRONMENT,
        ) as child,
    ):  # fmt: skip
        try:
            yield from _conversation(child, problem, graph, setting.calls)
        except (OSError, ValueError) as error:
            told.seek(0)
            raise OptimizerError(f"trace-opt ended early: {told.read()[-_SHOWN:]}", permanent=True) from error
        finally:
            child.kill()


def _conversation(
    child: subprocess.Popen[str], problem: Mapping[str, object], graph: Graph, calls: int
) -> Iterator[Tried]:
    assert child.stdin is not None
    assert child.stdout is not None
    said: object = problem
    for _ in range(calls + 1):
        child.stdin.write(json.dumps(said) + "\n")
        child.stdin.flush()
        inputs = [float(value) for value in json.loads(child.stdout.readline())]
        said = graph.words(inputs)
        yield Tried(dict(zip(KEYS, inputs, strict=True)), graph.error(inputs), str(said))
