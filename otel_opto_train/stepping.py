"""The way of working that users of PyTorch and of Trace know: trace, backward, step."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypedDict

from opentelemetry.sdk.trace import TracerProvider

from collector.core.errors import GraphError
from collector.core.graph import TraceFeedback
from collector.core.protocols import Optimizer
from collector.core.span import AnyValue
from collector.core.study import Cost, Direction, Proposal, RejectedProposal, Study
from collector.optimizer.instance.problem import Budget, problem
from otel_opto.parameter import Parameter
from otel_opto.spec import InvalidValue, ParameterSpec, ParameterValue
from otel_opto_train.apart import finished
from otel_opto_train.book import Book
from otel_opto_train.course import Attempt, Course, Outcome, Rule, better, key_of
from otel_opto_train.memory import Shown, course_in, document_of
from otel_opto_train.run import Run, Stage

_PROMPT_CHARS, _RUNS_SHOWN = 16_000, 4
_TRIES = 3
"""Calls of the optimizer in one step, while nothing that it suggests can be used."""


class NothingJudged(RuntimeError):
    """A step without feedback."""


class Settings(TypedDict, total=False):
    """What every optimizer can be told, whatever makes its proposals.

    Attributes:
        metric: The name of the score.
        direction: Which way it is better.
        instruction: What is wanted, in words, for optimizers that read.
        seed: The same seed and the same scores give the same proposals, where the optimizer is deterministic.
        rule: Whether what was tried takes the place of the best so far (`better`, `always`, or your own).
        projections: By parameter, what is done to a suggested value before it is validated.
        tracer_provider: A further one whose spans belong to runs, beside the one that nodes have, which is that of
            `otel_opto.configure`, else the global one.
    """

    metric: str
    direction: Literal["maximize", "minimize"]
    instruction: str
    seed: int
    rule: Rule
    projections: Mapping[str, Callable[[Any], object]]
    tracer_provider: TracerProvider | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did.

    Attributes:
        judged: The attempt that was judged, with everything that is known of it.
        kept: Whether it is the best one now; where not, the best one was the base of what comes next.
        values: In force from now on.
        changed: By parameter, the best value and the one to be tried.
        reasoning: Why, in the optimizer's words.
        refused: What it suggested besides, and why that cannot be.
        cost: Of this step.
        finished: The optimizer has nothing to suggest any more: the best values are in force.
    """

    judged: Attempt
    kept: bool
    values: Mapping[str, ParameterValue]
    changed: Mapping[str, tuple[ParameterValue, ParameterValue]]
    reasoning: str = ""
    refused: tuple[RejectedProposal, ...] = ()
    cost: Cost = field(default_factory=Cost)
    finished: bool = False

    def __str__(self) -> str:
        score = "without a score" if self.judged.mean is None else f"{self.judged.mean:.4g}"
        fate = "kept" if self.kept else "not kept"
        if self.finished:
            return f"{score}, {fate}; nothing more to try"
        if not self.changed:
            return f"{score}, {fate}; nothing that was suggested can be used: {'; '.join(self._faults())}"
        tried = ", ".join(f"{key} = {new!r}" for key, (_, new) in self.changed.items())
        return f"{score}, {fate}; next: {tried}"

    def _faults(self) -> Sequence[str]:
        return [error for one in self.refused for error in one.errors]


class Stepper:
    """Trains parameters run by run: ``trace()``, ``backward()``, ``step()``.

    The values to be tried are in force within `trace`, and nowhere else; `applied` puts the best ones in force for
    whatever runs within it. Runs may take place at the same time, in threads and in tasks.

    Args:
        stage: Where runs take place.
        optimizer: Makes proposals.
        course: At its beginning.
        rule: See `Settings`.
        projections: See `Settings`.

    Raises:
        ValueError: the optimizer cannot work with these parameters or options; every fault.
    """

    def __init__(
        self,
        stage: Stage,
        optimizer: Optimizer,
        course: Course,
        rule: Rule = better,
        projections: Mapping[str, Callable[[Any], object]] | None = None,
    ) -> None:
        faults = [*course.study.faults(), *optimizer.check(course.study, course.parameters)]
        keys = [spec.key for spec in course.parameters]
        if strange := sorted(set(projections or {}) - set(keys)):
            faults.append(f"projections: found {', '.join(strange)}; trained are {', '.join(keys)}")
        if not callable(rule):
            faults.append(f"rule: found {rule!r:.200}, allowed are otel_opto.better, otel_opto.always, or a function")  # type: ignore[unreachable] # whatever an application gives
        if faults:
            raise ValueError("\n".join(faults))
        self._stage = stage
        self._optimizer = optimizer
        self._course = course
        self._rule = rule
        self._projections = projections or {}
        self._book = Book()
        self._shown = Shown()
        self._lock, self._stepping = threading.Lock(), threading.Lock()
        self._judged: dict[int, Run] = {}
        self._step: Step | None = None

    @contextmanager
    def trace(self, *, catch: bool = False) -> Iterator[Run]:
        """A run: what happens within it is recorded, with the values that are to be tried.

        Args:
            catch: An exception ends the run only, and is in `Run.error`; else it goes on as ever, and is there, too.
        """
        with self._stage.run(self.values, self._heard, catch=catch) as run:
            yield run

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The best values in force, for this thread or task; nothing is recorded for the optimizer."""
        with self._stage.registry.overriding(self.best.values):
            yield

    def step(self) -> Step:
        """Takes in the feedback since the last step, keeps or takes back what was tried, and puts the next in force.

        Raises:
            NothingJudged: there was no feedback.
            RuntimeError: another step is under way.
            OptimizerError: the optimizer failed; the feedback is taken in, and the next call only asks it again.
            GraphError, LookupError, StrayValue: of a run, see `Run.told`; nothing has changed.
        """
        return finished(self.astep())

    async def astep(self) -> Step:
        """The same, for code that runs in an event loop."""
        if not self._stepping.acquire(blocking=False):
            raise RuntimeError("step: another step is under way; runs may go side by side, steps one after the other")
        try:
            return await self._stepped()
        finally:
            self._stepping.release()

    async def _stepped(self) -> Step:
        if self._step is None or self._judged:
            self._step = self._taken_in()
        before = await self._book.spent()
        refused = len(self._course.rejected)
        reasoning, over = await self._put_in_force()
        done = replace(
            self._step,
            values=self.values,
            changed=self._changed(),
            reasoning=reasoning,
            refused=self._course.rejected[refused:],
            cost=_less(await self._book.spent(), before),
            finished=over,
        )
        self._step = None
        return done

    def zero_feedback(self) -> None:
        """Forgets the feedback since the last step."""
        with self._lock:
            for run in self._judged.values():
                run.forget()
            self._judged.clear()

    def restore(self, attempt: int | None = None) -> None:
        """Undoes: what was to be tried is given up and the best values are in force.

        Args:
            attempt: These values instead, as the best ones: its place in `history`.

        Raises:
            IndexError: there is no such attempt.
        """
        self._course = self._course.restored(self._course.best if attempt is None else attempt)

    @property
    def values(self) -> Mapping[str, ParameterValue]:
        """In force within `trace`."""
        return self._course.attempts[self._course.now].values

    @property
    def best(self) -> Attempt:
        """The best one by the rule."""
        return self._course.attempts[self._course.best]

    @property
    def history(self) -> Sequence[Attempt]:
        """All attempts; the first one is what was in force before."""
        return self._course.attempts

    @property
    def cost(self) -> Cost:
        """Of all calls of language models."""
        return self._book.cost

    def problem(self) -> str:
        """The problem instance as a language model sees it, with the feedback so far.

        Raises:
            GraphError, LookupError, StrayValue: of a run, see `Run.told`.
            OptimizerError: objective and variables alone are too long.
        """
        outcomes = [self._outcome(run) for run in list(self._judged.values())]
        request = self._course.judged(outcomes, self._rule).request()
        options = self._course.study.optimizer_options
        chars, runs = options.get("max_prompt_chars", _PROMPT_CHARS), options.get("examples", _RUNS_SHOWN)
        return problem(request, Budget(int(str(chars)), int(str(runs))))

    def save(self, path: str | Path) -> None:
        """Writes everything that is needed to go on: attempts, scores, the best one's runs, costs. A JSON file."""
        document = document_of(self._course, self.cost, self._shown)
        beside = Path(f"{path}.new")
        beside.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(beside, path)  # noqa: PTH105 - whole or not at all

    def load(self, path: str | Path) -> None:
        """Goes on where another optimizer with the same parameters saved.

        Raises:
            ValueError: it is no such file, or its parameters are others; nothing has changed.
        """
        course, cost = course_in(Path(path), self._course, self._shown)
        self._course, self._book = course, Book(cost)
        self.zero_feedback()
        self._step = None

    def _heard(self, run: Run) -> None:
        with self._lock:
            self._judged[id(run)] = run

    def _taken_in(self) -> Step:
        with self._lock:
            runs = list(self._judged.values())
        if not runs:
            raise NothingJudged(
                "step: found no feedback since the last one; run.backward(score or text) gives it, on a run of "
                "`with optimizer.trace() as run:`"
            )
        outcomes = [self._outcome(run) for run in runs]
        for run in runs:
            trace_id, root = run.root
            self._shown.add(trace_id, run.otlp, root)
        tried = self._course.now
        self._course = self._course.judged(outcomes, self._rule)
        self.zero_feedback()
        return Step(self._course.attempts[tried], self._course.best == tried, {}, {})

    def _outcome(self, run: Run) -> Outcome:
        """A run that cannot be told, since nothing gave what was judged, is given up: the others are kept."""
        keys = [spec.key for spec in self._course.parameters]
        failed = all(judgement.failed for judgement in run.judgements)
        try:
            told = self._told(run, keys)
        except (GraphError, LookupError):
            with self._lock:
                self._judged = {key: one for key, one in self._judged.items() if one is not run}
            run.forget()
            raise
        return Outcome(key_of({key: run.values[key] for key in keys}), run.score, failed, told)

    def _told(self, run: Run, keys: Sequence[str]) -> tuple[TraceFeedback, ...]:
        return run.told(keys, self._course.study.metric)

    async def _put_in_force(self) -> tuple[str, bool]:
        """The next values to be tried; the optimizer's words, and whether it has nothing more to say."""
        for _ in range(_TRIES):
            proposals = await self._optimizer.propose(self._course.request(self._book))
            if not proposals:
                return "", True
            for proposal in proposals:
                self._course, faults = self._course.proposed(self._projected(proposal))
                if not faults:
                    return proposal.reasoning, False
        return "", False

    def _projected(self, proposal: Proposal) -> Proposal:
        values: dict[str, AnyValue] = dict(proposal.values)
        for key, project in self._projections.items():
            if key in values:
                values[key] = project(values[key])  # type: ignore[assignment]  # validated next
        return replace(proposal, values=values)

    def _changed(self) -> Mapping[str, tuple[ParameterValue, ParameterValue]]:
        best, now = self.best.values, self.values
        return {key: (best[key], now[key]) for key in now if best[key] != now[key]}


def course_begun(
    stage: Stage,
    parameters: Sequence[Parameter[Any] | str] | None,
    optimizer: str,
    options: Mapping[str, AnyValue],
    settings: Settings,
) -> Course:
    """An optimization that has not begun: the values in force now are its first attempt.

    Args:
        stage: Whose parameters.
        parameters: Those to train, or their keys; None: all trainable ones that are declared.
        optimizer: Its name.
        options: Of the optimizer.
        settings: See `Settings`.

    Raises:
        InvalidValue: a parameter is not declared, or there is none.
    """
    specs = _trained(stage, parameters)
    study = Study(
        name="in-process",
        service="in-process",
        metric=settings.get("metric", "quality"),
        direction=Direction(settings.get("direction", "maximize")),
        optimizer=optimizer,
        optimizer_options=options,
        parameters=tuple(spec.key for spec in specs),
        seed=settings.get("seed", 0),
        instruction=settings.get("instruction", ""),
    )
    in_force = stage.in_force()
    return Course(study, specs, (Attempt({spec.key: in_force[spec.key] for spec in specs}, "what was in force"),))


def _trained(stage: Stage, parameters: Sequence[Parameter[Any] | str] | None) -> tuple[ParameterSpec, ...]:
    declared = stage.registry.specs()
    if parameters is None:
        found = [spec for spec in declared.values() if spec.trainable]
        if not found:
            raise InvalidValue("parameters: none is declared; otel_opto.parameter(key, default=…) declares one")
        return tuple(found)
    if isinstance(parameters, str | Parameter):
        raise InvalidValue("parameters: found a single one, allowed is a list, such as [it]")
    strange = [one for one in parameters if not isinstance(one, str | Parameter)]
    if strange:
        raise InvalidValue(f"parameters: found {strange[0]!r:.200}, allowed are parameters and their keys")
    keys = [one if isinstance(one, str) else one.spec.key for one in parameters]
    missing = [key for key in keys if key not in declared]
    if missing or not keys:
        named = ", ".join(sorted(declared)) or "none"
        raise InvalidValue(f"parameters: found {', '.join(map(repr, missing)) or 'none'}; declared are: {named}")
    return tuple(declared[key] for key in dict.fromkeys(keys))


def _less(one: Cost, other: Cost) -> Cost:
    return Cost(
        one.calls - other.calls,
        one.input_tokens - other.input_tokens,
        one.output_tokens - other.output_tokens,
        one.seconds - other.seconds,
        one.money - other.money,
        one.refused - other.refused,
    )
