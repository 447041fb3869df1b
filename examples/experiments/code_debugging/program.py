"""A program of two functions whose sources are parameters, run by its cases in a child process, and traced."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import otel_opto
from examples.experiments.code_debugging.bugs import Bug
from otel_opto.code.process import Call, Evaluation, Limits, evaluate

_LIMITS = Limits(seconds=60.0, cpu_seconds=5)


class CodeFailed(RuntimeError):
    """A function raised in the child process; the text shows the line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case.

    Attributes:
        between: What the first function gave.
        found: What the program gave.
        blamed: Which function raised; empty where none did.
        failure: What the interpreter said of it.
    """

    between: Any = None
    found: Any = None
    blamed: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A bug with the parameters that hold its sources."""

    bug: Bug
    first: otel_opto.Parameter[str]
    second: otel_opto.Parameter[str]

    @classmethod
    def of(cls, bug: Bug) -> "Program":
        """Declares the two sources as parameters."""
        return cls(bug, *(_declared(bug.name.replace(" ", "_"), function) for function in (bug.first, bug.second)))

    @property
    def sources(self) -> Mapping[str, str]:
        """As they were written."""
        return {one.spec.key: str(one.spec.default) for one in (self.first, self.second)}

    def outcomes(self, sources: Mapping[str, Any]) -> Sequence[Outcome]:
        """Of all cases, each function in a child process with limits, never in this one."""
        first, second = str(sources[self.first.spec.key]), str(sources[self.second.spec.key])
        cases = self.bug.cases
        between = _results(evaluate(first, [Call((case[0],)) for case in cases], limits=_LIMITS), len(cases))
        reached = [place for place, (_, failure) in enumerate(between) if not failure]
        after = {}
        if reached:
            found = evaluate(second, [Call((between[place][0],)) for place in reached], limits=_LIMITS)
            after = dict(zip(reached, _results(found, len(reached)), strict=True))
        return [
            Outcome(blamed="first", failure=failure)
            if failure
            else Outcome(value, after[place][0], "second" if after[place][1] else "", after[place][1])
            for place, (value, failure) in enumerate(between)
        ]

    def judged(self, outcomes: Sequence[Outcome]) -> tuple[float, Sequence[tuple[float, str]]]:
        """The share of cases that pass, and of each case score and words."""
        said = [self._said(case, outcome) for case, outcome in zip(self.bug.cases, outcomes, strict=True)]
        return sum(score for score, _ in said) / len(said), said

    def _said(self, case: tuple[Any, Any], outcome: Outcome) -> tuple[float, str]:
        shown, wanted = json.dumps(case[0]), json.dumps(case[1])
        if outcome.failure:
            return 0.0, f"for {shown} it raised an exception, wanted is {wanted}:\n{outcome.failure}"
        if outcome.found == case[1]:
            return 1.0, "passes"
        return 0.0, f"for {shown} it gave {json.dumps(outcome.found)}, wanted is {wanted}"


def traced(program: Program, question: Any, outcome: Outcome) -> Any:
    """The run of one case as its trace: what the child process did, with the sources that are in force.

    Raises:
        CodeFailed: a function did.
    """

    def step(parameter: otel_opto.Parameter[str], gave: Any, *, failed: bool) -> Any:
        assert parameter.value
        if failed:
            raise CodeFailed(outcome.failure)
        return gave

    @otel_opto.node(name=program.bug.first.__name__)
    def first(argument: Any) -> Any:  # noqa: ARG001 - recorded
        return step(program.first, outcome.between, failed=outcome.blamed == "first")

    @otel_opto.node(name=program.bug.second.__name__)
    def second(argument: Any) -> Any:  # noqa: ARG001 - recorded
        return step(program.second, outcome.found, failed=outcome.blamed == "second")

    return second(first(question))


def _declared(name: str, function: Any) -> otel_opto.Parameter[str]:
    key = f"{name}.{function.__name__}"
    trainable = otel_opto.Trainable(key=key, description=function.__doc__ or "", fallback=False, max_length=2_000)
    return otel_opto.code_of(otel_opto.node(trainable=trainable)(function))


def _results(found: Evaluation, wanted: int) -> Sequence[tuple[Any, str]]:
    """A value or a failure for each call; where it ended early, why, for all that are missing."""
    said = [(one.value, one.failure.shown if one.failure else "") for one in found.results]
    return [*said, *((None, found.fault or "it ended early") for _ in range(wanted - len(said)))]
