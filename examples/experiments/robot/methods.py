"""What makes controllers."""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import otel_opto
from collector.core.span import AnyValue
from examples.experiments.frame.experiment import Form, Method, Setting, Tried
from examples.experiments.frame.stepping import Judged, stepped
from examples.experiments.robot.program import ASIDE, BEHIND, GAIN, by_constants, controller, rolled_out
from examples.experiments.robot.table import Controller, Table, starts
from otel_opto.spec import ParameterValue

_WANTED: Mapping[str, str] = {
    "reach": "Write the controller so that the hand gets to the goal; the puck does not matter.",
    "push": (
        "Write the controller so that the hand pushes the puck to the goal: first go behind the puck, on the side "
        "that is opposite to the goal, without touching it, then move towards the goal."
    ),
}
_TRAINED, _TESTED = 3, 10
"""Starts of a candidate, and in the end."""


def _by_optimizer(
    name: str,
    options: Mapping[str, AnyValue],
    parameters: Sequence[otel_opto.Parameter[float]] | Sequence[otel_opto.Parameter[str]],
    made: Callable[[str], Controller],
    setting: Setting,
) -> Iterator[Tried]:
    table, task = Table(), setting.problem
    optimizer = otel_opto.Optimizer(
        parameters, name=name, options=options, metric="progress", instruction=_WANTED[task], seed=setting.seed
    )

    def judged() -> Judged:
        scores, said = [], []
        for start in starts(f"train/{setting.seed}", _TRAINED):
            with optimizer.trace(catch=True) as run:
                found = rolled_out(table, task, start, made(task))
            if run.error is not None:
                run.backward()
                return None, traceback.format_exception_only(run.error)[-1].strip()
            run.backward((found.score, str(found)))
            scores.append(found.score)
            said.append(str(found))
        return sum(scores) / len(scores), " ".join(said)

    yield from stepped(optimizer, judged, setting.calls)
    with optimizer.applied():
        yield _tested(setting, optimizer.best.values, table, made(task))


def _tested(setting: Setting, values: Mapping[str, ParameterValue], table: Table, by: Controller) -> Tried:
    count = _TESTED if setting.form is not Form.MINUTE else 3
    found = [table.rollout(setting.problem, start, by) for start in starts(f"test/{setting.seed}", count)]
    done = sum(one.score == 1 for one in found)
    return Tried(values, sum(one.score for one in found) / count, f"{done} of {count} other starts done", "test")


def _written(name: str, setting: Setting) -> Iterator[Tried]:
    options: dict[str, AnyValue] = {
        "model": setting.endpoint.name, "base_url": setting.endpoint.address, "temperature": 0.7, "max_tokens": 400,
        "max_prompt_chars": 8_000, "timeout_seconds": 600, "concurrency": 1,
    }  # fmt: skip
    yield from _by_optimizer(name, options, [otel_opto.code_of(controller)], lambda _: controller, setting)


def _searched(sampler: str, setting: Setting) -> Iterator[Tried]:
    options: dict[str, AnyValue] = {"sampler": sampler, "startup_trials": max(2, setting.calls // 2)}
    yield from _by_optimizer("search", options, [GAIN, BEHIND, ASIDE], by_constants, setting)


def _fixed(setting: Setting) -> Iterator[Tried]:
    """Learns nothing: every call would come to the same."""
    table, by = Table(), by_constants(setting.problem)
    found = [table.rollout(setting.problem, start, by) for start in starts(f"train/{setting.seed}", _TRAINED)]
    values = {one.spec.key: one.value for one in (GAIN, BEHIND, ASIDE)}
    yield Tried(values, sum(one.score for one in found) / _TRAINED, " ".join(map(str, found)))
    yield _tested(setting, values, table, by)


METHODS = (
    Method("optoprime", "the source, every call of it, rollouts in words", partial(_written, "optoprime"), "model"),
    Method("opro", "sources with scores, rollouts in words", partial(_written, "opro"), "model"),
    Method("fixed", "nothing: a controller by hand, as it is", _fixed, "mujoco"),
    Method("tpe on constants", "scores; searches that one's three constants", partial(_searched, "tpe"), "mujoco"),
    Method("cmaes on constants", "the same with CMA-ES", partial(_searched, "cmaes"), "mujoco"),
    Method("random constants", "nothing", partial(_searched, "random"), "mujoco"),
)
