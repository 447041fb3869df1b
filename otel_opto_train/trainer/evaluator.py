"""Runs examples and has them judged, a few at a time; what was measured before is not measured again."""

import asyncio
import contextvars
import hashlib
import inspect
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from collector.core.errors import GraphError
from collector.core.feedback import Feedback
from otel_opto.spec import ParameterSpec, ParameterValue
from otel_opto_train.course import key_of
from otel_opto_train.judgement import Judgement, Said, failure_of, judgement_of
from otel_opto_train.run import Run, Stage, StrayValue
from otel_opto_train.trainer.bench import Bench
from otel_opto_train.trainer.examples import Example
from otel_opto_train.trainer.plan import Plan
from otel_opto_train.trainer.record import Evaluation, evaluated

_T = TypeVar("_T")
Workflow = Callable[[Any], Any]
"""Gets an example's input, gives its output; a coroutine function will do."""

Guide = Callable[..., "Said | Awaitable[Said]"]
"""Gets the output, what is expected, the input, as many of them as it takes; gives feedback."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured, and by whom.

    Attributes:
        workflow: See `Workflow`.
        guide: See `Guide`.
        specs: Of all declared parameters.
        keys: Of those that are trained.
    """

    workflow: Workflow
    guide: Guide
    specs: Mapping[str, ParameterSpec]
    keys: tuple[str, ...]

    def version(self, samples: int) -> str:
        """Of the code of workflow and guide, as far as it can be read, and of how often the guide is asked."""
        told = [_source(self.workflow), _source(self.guide), str(samples)]
        return hashlib.sha256("\0".join(told).encode()).hexdigest()[:16]


class Evaluator:
    """Measures candidates on examples.

    Args:
        bench: Where measurements are kept.
        stage: Where runs take place.
        subject: What is measured.
        plan: How often each output is judged, and how many examples run at the same time.
        pool: Threads for what is not asynchronous.
        heard: Is told of each new measurement.
    """

    def __init__(
        self,
        bench: Bench,
        stage: Stage,
        subject: Subject,
        plan: Plan,
        pool: ThreadPoolExecutor,
        heard: Callable[[Evaluation], None],
    ) -> None:
        self._bench = bench
        self._stage = stage
        self._subject = subject
        self._plan = plan
        self._pool = pool
        self._heard = heard
        self._room = asyncio.Semaphore(plan.workers)
        self._under_way = asyncio.Semaphore(2 * plan.workers)  # with those that are being written
        self._positions = _positions(subject.guide)
        self.version = subject.version(plan.judge_samples)

    async def evaluate(self, candidates: Sequence[Mapping[str, ParameterValue]], examples: Sequence[Example]) -> None:
        """Measures each candidate on each example, where that has not been done."""
        known = (await self._bench.record()).evaluations
        async with asyncio.TaskGroup() as group:
            for example in examples:
                for values in candidates:
                    if (key_of(values), example.key, self.version) not in known:
                        group.create_task(self._one(values, example))

    async def found(self, values: Mapping[str, ParameterValue], examples: Sequence[Example]) -> list[Evaluation]:
        """What is known of a candidate on examples, in their order."""
        known = (await self._bench.record()).evaluations
        places = [(key_of(values), example.key, self.version) for example in examples]
        return [known[place] for place in places if place in known]

    async def _one(self, values: Mapping[str, ParameterValue], example: Example) -> None:
        async with self._under_way:
            async with self._room:
                begun = time.monotonic()
                run, output = await self._run(values, example)
                seconds = time.monotonic() - begun
                judgements = [failure_of(run.error)] if run.error else await self._judged(output, example)
            measured = Evaluation(key_of(values), example.key, self.version, None, seconds=seconds)
            await self._kept(measured, run, judgements, example)

    async def _kept(self, measured: Evaluation, run: Run, judgements: Sequence[Judgement], example: Example) -> None:
        measured = await asyncio.to_thread(self._measured, measured, run, judgements)
        judged = [self._feedback(run, measured, example)] if measured.judged else []
        await self._bench.keep(run.otlp, judged)
        await self._bench.add(evaluated(measured))
        self._heard(measured)

    async def _run(self, values: Mapping[str, ParameterValue], example: Example) -> tuple[Run, Any]:
        trained = {key: values[key] for key in self._subject.keys}
        workflow = self._subject.workflow

        def run_it() -> tuple[Run, Any]:
            output = None
            with self._stage.run(trained, _nobody, catch=True) as run:
                output = workflow(example.input)
                run.output(output)
            return run, output

        if not _is_asynchronous(workflow):
            return await self._in_thread(run_it)
        output = None
        with self._stage.run(trained, _nobody, catch=True) as run:
            output = await workflow(example.input)
            run.output(output)
        return run, output

    async def _judged(self, output: Any, example: Example) -> list[Judgement]:
        told = (output, example.expected, example.input)[: self._positions]
        return [await self._sample(told) for _ in range(self._plan.judge_samples)]

    async def _sample(self, told: tuple[Any, ...]) -> Judgement:
        guide = self._subject.guide
        try:
            said: Any
            if _is_asynchronous(guide):
                said = await cast("Awaitable[Said]", guide(*told))
            else:
                said = await self._in_thread(lambda: guide(*told))
            return judgement_of(said)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code; it is said in the report
            failure = failure_of(error)
            return replace(failure, text=f"the guide failed: {failure.text}")

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(work))

    def _measured(self, begun: Evaluation, run: Run, judgements: Sequence[Judgement]) -> Evaluation:
        """The mean of the scores that there are; the words of the worst."""
        scores = tuple(one.score for one in judgements if one.score is not None)
        said = [one for one in judgements if one.score is not None] or judgements
        first = min(said, key=lambda one: one.score or 0.0)
        measured = replace(
            begun,
            score=statistics.fmean(scores) if scores else None,
            scores=scores if len(judgements) > 1 else (),
            text=first.text,
            label=first.label,
            failed=all(one.failed for one in judgements),
            trace_id=run.root[0],
            root=run.root[1],
        )
        run.backward(first)
        try:
            (told,) = run.told(self._subject.keys, "judged")
        except StrayValue as error:
            return replace(measured, score=None, scores=(), failed=True, text=str(error))
        except GraphError as error:
            return replace(measured, text=f"{measured.text} (no graph: {error})".strip())
        return replace(measured, judged=told.feedback.target.span_id)

    def _feedback(self, run: Run, measured: Evaluation, example: Example) -> Feedback:
        (told,) = run.told(self._subject.keys, self._plan.objective.metric)
        attributes = {"example": example.key, "candidate": measured.candidate}
        return replace(told.feedback, score=measured.score, attributes=attributes)


def _nobody(_: Run) -> None:
    """Judgements go into the record."""


def _is_asynchronous(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _positions(guide: Guide) -> int:
    """How many of output, expected and input the guide takes."""
    try:
        parameters = inspect.signature(guide).parameters.values()
    except (TypeError, ValueError):
        return 2
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return 3
    taken = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return max(min(len(taken), 3), 1)


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
