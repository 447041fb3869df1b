"""Numbers by words: graphs, their gradient, the trace that an optimizer sees, and the command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.optimizers.endpoint import MISSING, options
from examples.experiments.numerical import trace_opt
from examples.experiments.numerical.graphs import KEYS, sampled
from tests.fakes_openai import ScriptedOpenAI

ROOT = Path(__file__).parents[4]


def test_a_seed_is_a_graph_and_the_hidden_inputs_solve_it() -> None:
    assert sampled(7) == sampled(7)
    assert sampled(7) != sampled(8)
    for seed in range(1, 30):
        graph = sampled(seed)
        assert graph.error(graph.start) == 1
        assert graph.error(graph.hidden) == 0
        assert graph.words(graph.hidden) == "The output is right."
        wanted = "smaller" if graph.output(graph.start) > graph.wanted else "larger"
        assert graph.words(graph.start) == f"The output should be {wanted}."


def test_the_gradient_is_the_slope_of_the_error() -> None:
    for seed in range(1, 30):
        graph = sampled(seed)
        for place in range(len(KEYS)):
            near = list(graph.start)
            near[place] += 1e-6
            slope = (graph.error(near) - graph.error(graph.start)) / 1e-6
            assert graph.gradient(graph.start)[place] == pytest.approx(slope, rel=1e-3, abs=1e-4)


TRACED = """
import otel_opto
from examples.experiments.numerical import methods
from examples.experiments.numerical.graphs import sampled
graph = sampled(1)
parameters = methods.declared(graph)
for program in (methods._with_graph, methods._without_graph):
    optimizer = otel_opto.Optimizer(parameters, name="search", direction="minimize")
    with optimizer.trace() as run:
        found = program(graph, parameters).value
        run.output(found)
    assert found == graph.output(graph.start), found
    run.backward((1.0, "The output should be larger."))
    print(optimizer.problem())
    print("=====")
"""


def test_an_optimizer_sees_the_operations_and_the_masked_one_does_not() -> None:
    done = subprocess.run([sys.executable, "-c", TRACED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    whole, masked, _ = done.stdout.split("=====")
    for step in sampled(1).steps:
        assert f"{step.operation}" in whole
        assert f"{step.operation}" not in masked
    assert "x0(numerical.x0)" in whole
    assert "numerical.x0 = 0.9" in masked


def test_its_minute_without_a_model_runs_and_keeps_nothing() -> None:
    before = sorted((ROOT / "examples" / "experiments" / "results").iterdir())
    command = [sys.executable, "-m", "examples.experiments", "numerical", "--minute", "--endpoint", "", "--model", ""]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "optoprime: skipped, it needs a model" in done.stdout
    assert "adam, seed 1: 1, " in done.stdout
    assert "tpe, seed 1: 1, " in done.stdout
    assert sorted((ROOT / "examples" / "experiments" / "results").iterdir()) == before


@pytest.mark.real_llm
def test_its_minute_with_a_real_model(tmp_path: Path) -> None:
    """No claim about its wits: every method is asked, and its calls are on the bill."""
    told = options()
    if told is None:
        pytest.skip(MISSING)
    command = [sys.executable, "-m", "examples.experiments", "numerical", "--minute", "--results", str(tmp_path)]
    command += ["--endpoint", told["base_url"], "--model", told["model"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "numerical.jsonl").read_text(encoding="utf-8").splitlines()]
    ends = {line["method"]: line for line in lines if line["part"] == "end"}
    assert all(ends[method]["calls"] > 0 for method in ("optoprime", "masked", "opro"))


@pytest.mark.skipif(not (ROOT / trace_opt.PYTHON).exists(), reason=f"no Python of its own: {trace_opt.HOW}")
def test_traces_own_optimizer_goes_the_same_way_over_the_wire(tmp_path: Path) -> None:
    answer = {"reasoning": "larger", "answer": "", "suggestion": {"x00": 1.5, "x10": -2}}
    with ScriptedOpenAI([json.dumps(answer), "I would rather not."]) as endpoint:
        command = [
            sys.executable, "-m", "examples.experiments", "numerical", "--minute", "--methods", "trace-opt",
            "--endpoint", endpoint.base_url, "--model", "m", "--results", str(tmp_path),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        (asked, _) = endpoint.requests
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in (tmp_path / "numerical.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["part"] for line in lines] == ["train", "train", "train", "end"]
    assert [list(line["values"].values()) for line in lines[1:3]] == [[1.5, -2.0]] * 2, "an answer in vain changes none"
    assert lines[-1]["calls"] == 2
    assert lines[0]["said"] in asked["messages"][1]["content"]
    assert "x00" in asked["messages"][1]["content"]
