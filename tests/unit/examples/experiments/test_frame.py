"""The frame of the experiments: lines before the next candidate, resuming, skipping, intervals, the page."""

import itertools
import json
import math
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import otel_opto
from collector.core.errors import OptimizerError
from examples.experiments.frame.conduct import Conduct
from examples.experiments.frame.estimate import estimated
from examples.experiments.frame.experiment import Budget, Experiment, Form, Method, Setting, Tried, experiment, names
from examples.experiments.frame.intervals import interval
from examples.experiments.frame.results import Line, Results
from examples.experiments.frame.stepping import stepped, until
from examples.experiments.frame.summary import rows
from examples.experiments.frame.wire import Wire
from tests.fakes_openai import ScriptedOpenAI


class Killed(BaseException):
    """Stands for a kill: nothing of the program catches it."""


def counting(setting: Setting) -> Iterator[Tried]:
    for call in range(setting.calls + 1):
        yield Tried({"x": call}, call / 10 + setting.seed, f"call {call}")


def asking(setting: Setting) -> Iterator[Tried]:
    yield Tried({"x": 0}, 0.0)
    for call in range(1, setting.calls + 1):
        said = setting.endpoint.advice([{"role": "user", "content": f"{call}?"}], most=5, seed=setting.seed, warmth=0.7)
        yield Tried({"x": float(said)}, float(said))


def failing(_: Setting) -> Iterator[Tried]:
    yield Tried({"x": 0}, None, "it failed")
    raise OptimizerError("the key is wrong", permanent=True)


def toy(*methods: Method, **more: Any) -> Experiment:
    budgets = {Form.MINUTE: Budget(1, 2), Form.SHORT: Budget(2, 3), Form.FULL: Budget(3, 4)}
    return Experiment("toy", 1, "Toy", "?", "a number", methods, budgets, "This.", "That.", "Nothing.", **more)


def carried_out(one: Experiment, path: Path, wire: Wire | None = None, **more: Any) -> list[str]:
    told: list[str] = []
    conduct = Conduct(Form.SHORT, 0, "a machine", lambda: "2026-01-02", told.append, **more)
    conduct.carried_out(one, Results(path), wire)
    return told


def read(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_candidate_is_on_the_disk_before_the_next_one_begins(tmp_path: Path) -> None:
    path, seen = tmp_path / "toy.jsonl", []

    def watching(setting: Setting) -> Iterator[Tried]:
        for tried in counting(setting):
            seen.append(len(read(path)) if path.exists() else 0)
            yield tried

    carried_out(toy(Method("watching", "", watching)), path)
    assert seen == [0, 1, 2, 3, 5, 6, 7, 8]
    assert [(line["seed"], line["call"], line["part"]) for line in read(path)][:5] == [
        (1, 0, "train"), (1, 1, "train"), (1, 2, "train"), (1, 3, "train"), (1, 3, "end"),
    ]  # fmt: skip
    assert read(path)[0]["machine"] == "a machine"


def test_a_run_that_has_ended_is_not_done_again(tmp_path: Path) -> None:
    path, runs = tmp_path / "toy.jsonl", []

    def noted(setting: Setting) -> Iterator[Tried]:
        runs.append(setting.seed)
        yield from counting(setting)

    carried_out(toy(Method("noted", "", noted)), path)
    before = path.read_text(encoding="utf-8")
    carried_out(toy(Method("noted", "", noted)), path)
    assert (runs, path.read_text(encoding="utf-8")) == ([1, 2], before)


def test_killed_it_goes_on_and_asks_the_model_nothing_twice(tmp_path: Path) -> None:
    path, left = tmp_path / "toy.jsonl", [2]

    def fragile(setting: Setting) -> Iterator[Tried]:
        for tried in asking(setting):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            yield tried

    one = toy(Method("fragile", "", fragile, "model"))
    with ScriptedOpenAI(["1", "2", "3", "4", "5", "6"]) as endpoint:
        with Wire(endpoint.base_url, "m", tmp_path / "answers.jsonl") as wire, pytest.raises(Killed):
            carried_out(one, path, wire)
        kept = len(read(path))
        with path.open("a", encoding="utf-8") as file:
            file.write('{"form": "short", "prob')
        left[0] = 100
        with Wire(endpoint.base_url, "m", tmp_path / "answers.jsonl") as wire:
            carried_out(one, path, wire)
        asked = len(endpoint.requests)
    assert kept == 2
    assert asked == 6
    trained = [line for line in read(path) if line["part"] == "train"]
    assert [line["score"] for line in trained] == [0, 1, 2, 3, 0, 4, 5, 6]
    assert [line["calls"] for line in trained] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert {line["tokens"] for line in trained if line["call"] == 3} == {3 * 18}
    assert trained[1]["answer"] == "1"
    assert len(trained[1]["prompts"]) == 1
    assert trained[1]["model"] == "m"


def test_a_run_that_goes_another_way_takes_the_place_of_its_old_lines(tmp_path: Path) -> None:
    path, bonus = tmp_path / "toy.jsonl", [0.0]

    def moody(setting: Setting) -> Iterator[Tried]:
        for tried in counting(setting):
            if bonus[0] == 0 and tried.values["x"] == 2:
                raise Killed
            yield Tried(tried.values, (tried.score or 0) + bonus[0])

    with pytest.raises(Killed):
        carried_out(toy(Method("moody", "", moody)), path)
    bonus[0] = 0.5
    carried_out(toy(Method("moody", "", moody)), path)
    first = [line["score"] for line in read(path) if line["seed"] == 1 and line["part"] == "train"]
    assert first == [1.5, 1.6, 1.7, 1.8]


def test_a_method_that_lacks_something_is_skipped_with_the_reason(tmp_path: Path) -> None:
    methods = (
        Method("asks", "", asking, "model"),
        Method("wants", "", counting, "no_such_package_at_all"),
        Method("apart", "", counting, python=str(tmp_path / "python"), how="python3 -m venv it"),
    )
    told = carried_out(toy(*methods), tmp_path / "toy.jsonl")
    assert told == [
        "asks: skipped, it needs a model; name one with --endpoint and --model",
        "wants: skipped, it needs the package no_such_package_at_all, which is not installed",
        f"apart: skipped, it needs a Python of its own, {tmp_path / 'python'}: python3 -m venv it",
    ]
    assert not (tmp_path / "toy.jsonl").exists()


def test_an_optimizer_that_fails_ends_its_run_with_the_reason(tmp_path: Path) -> None:
    carried_out(toy(Method("failing", "", failing)), tmp_path / "toy.jsonl")
    end = read(tmp_path / "toy.jsonl")[1]
    assert (end["part"], end["said"]) == ("end", "the optimizer failed: the key is wrong")


def test_an_endpoint_that_is_away_is_no_failure_of_the_method(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"

    def patient(setting: Setting) -> Iterator[Tried]:
        yield Tried({"x": 0}, 0.0)
        try:
            said = setting.endpoint.advice([{"role": "user", "content": "?"}], most=5, seed=1, warmth=0.7)
            yield Tried({"x": float(said)}, float(said))
        except ConnectionError as error:
            yield Tried({}, None, f"nothing new: {error}")

    one = toy(Method("patient", "", patient, "model"))
    with ScriptedOpenAI([(503, "away"), "1", (400, "too long")]) as endpoint:
        with Wire(endpoint.base_url, "m") as wire, pytest.raises(ConnectionError, match="503"):
            carried_out(one, path, wire)
        assert [line["part"] for line in read(path)] == ["train"]
        with Wire(endpoint.base_url, "m") as wire:
            carried_out(one, path, wire)
    assert [(line["seed"], line["part"], line["score"]) for line in read(path)] == [
        (1, "train", 0.0), (1, "train", 1.0), (1, "end", None), (2, "train", 0.0), (2, "train", None), (2, "end", None),
    ]  # fmt: skip


def test_a_method_whose_suggestions_are_all_refused_goes_on() -> None:
    size = otel_opto.parameter("test_frame.size", default=1, minimum=0, maximum=5)
    beyond = json.dumps({"reasoning": "more", "suggestion": {"test_frame.size": 9}})
    with ScriptedOpenAI([beyond]) as endpoint:
        options = {"model": "m", "base_url": endpoint.base_url}
        optimizer = otel_opto.Optimizer([size], name="optoprime", options=options, metric="quality")

        def judged() -> tuple[float, str]:
            with optimizer.trace() as run:
                run.output(otel_opto.node(name="sized")(lambda: size.value)())
            run.backward((0.5, "more"))
            return 0.5, "more"

        found = list(stepped(optimizer, judged, 2))
    assert [tried.score for tried in found] == [0.5, None, None]
    assert "nothing new" in found[2].said


def test_a_method_stops_at_what_cannot_be_bettered() -> None:
    closed = []

    def endless() -> Generator[Tried, None, None]:
        try:
            for call in itertools.count():
                yield Tried({"x": call}, call / 2)
        finally:
            closed.append(True)

    assert [tried.score for tried in until(1.0, endless())] == [0.0, 0.5, 1.0]
    assert closed == [True]


def test_the_endpoints_refusal_is_passed_on_and_not_remembered() -> None:
    with ScriptedOpenAI([(429, "slow down"), "yes"]) as endpoint, Wire(endpoint.base_url, "m") as wire:
        model = wire.model()
        with pytest.raises(ConnectionError, match="429"):
            model.answer([{"role": "user", "content": "?"}], most=5)
        assert model.answer([{"role": "user", "content": "?"}], most=5) == "yes"
        assert model.answer([{"role": "user", "content": "?"}], most=5) == "yes"
        assert (wire.spent().calls, wire.spent().task_calls, wire.spent().task_tokens) == (0, 2, 36)
        assert len(endpoint.requests) == 2


def test_an_interval_is_students() -> None:
    found = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found is not None
    assert (found.n, found.mean) == (5, 3.0)
    assert found.half == pytest.approx(2.776 * math.sqrt(2.5) / math.sqrt(5))
    assert str(interval([2.0, 3.0])) == "2.5"
    assert interval([]) is None


def line(method: str, seed: int, call: int, score: float | None, tokens: int, part: str = "train") -> Line:
    return Line(
        "short", "", method, seed, call, part, score, {}, "", call, tokens, 0, 0, (), "", "m", "a machine", "2026-01-02"
    )


def test_methods_are_compared_seed_by_seed_and_at_equal_tokens() -> None:
    lines = []
    for seed, gain in ((1, 0.2), (2, 0.4)):
        lines += [line("a", seed, call, seed + call * gain, 100 * call) for call in range(3)]
        lines += [line("a", seed, 2, None, 200, "end")]
        lines += [line("b", seed, call, seed + call * 2 * gain, 300 * call) for call in range(3)]
        lines += [line("b", seed, 2, 9.0, 600, "test"), line("b", seed, 2, None, 600, "end")]
    lines.append(line("b", 3, 0, 50.0, 0))  # has not ended
    one = toy(Method("a", "", counting), Method("b", "", counting))
    found = rows(one, "", lines)
    a, b = found["a"], found["b"]
    assert a.best is not None
    assert b.best is not None
    assert a.best.mean == pytest.approx((1.4 + 2.8) / 2)
    assert (b.best.n, b.best.mean) == (2, pytest.approx((1.8 + 3.6) / 2))
    assert a.beside is None
    assert b.beside is not None
    assert b.beside.mean == pytest.approx(0.6)
    assert b.equal_tokens is not None
    assert b.equal_tokens.mean == pytest.approx(1.5), "200 tokens are not enough for its first candidate"
    assert b.test is not None
    assert b.test.mean == 9.0
    assert [point.mean for point in b.curve] == pytest.approx([1.5, 2.1, 2.7])


def test_where_both_were_measured_at_the_end_that_is_compared() -> None:
    lines = []
    for seed in (1, 2):
        for method, best, test in (("a", 1.0, 0.5), ("b", 2.0, 0.25)):
            lines += [line(method, seed, 0, best, 0), line(method, seed, 0, test * seed, 0, "test")]
            lines.append(line(method, seed, 0, None, 0, "end"))
    found = rows(toy(Method("a", "", counting), Method("b", "", counting)), "", lines)["b"]
    assert found.beside is not None
    assert found.beside.mean == pytest.approx((-0.25 - 0.5) / 2)


def test_less_is_better_where_that_is_said() -> None:
    lines = [line("a", 1, 0, 3.0, 0), line("a", 1, 1, 1.0, 0), line("a", 1, 2, 2.0, 0), line("a", 1, 2, None, 0, "end")]
    found = rows(toy(Method("a", "", counting), direction="minimize"), "", lines)["a"]
    assert [point.mean for point in found.curve] == [3.0, 1.0, 1.0]


def test_an_estimate_follows_from_what_is_kept() -> None:
    lines = [line("asks", 1, call, 1.0, 100 * call) for call in range(3)] + [line("asks", 1, 2, None, 200, "end")]
    one = toy(Method("asks", "", asking, "model"), Method("more", "", asking, "model"), Method("free", "", counting))
    assert list(estimated(one, Budget(3, 10), lines)) == [
        "asks: 3 runs of 10 candidates, about 3,000 tokens (from 1 kept)",
        "more: 3 runs of 10 candidates; no run is kept to say what one takes",
        "in all about 3,000 tokens, by the runs that are kept; longer forms have longer prompts",
    ]
    assert list(estimated(toy(Method("free", "", counting)), Budget(3, 10), lines)) == ["no method asks a model"]


def test_every_experiment_has_all_its_forms_and_words() -> None:
    for name in names():
        one = experiment(name)
        assert one.name == name
        assert set(one.budgets) == set(Form)
        assert all([one.may, one.may_not, one.paper, one.question, one.score])
        assert len({method.name for method in one.methods}) == len(one.methods)
    orders = [experiment(name).order for name in names()]
    assert len(set(orders)) == len(orders)
