"""Runs one example and has it judged, in this process."""

import asyncio
import contextvars
import hashlib
import inspect
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from collector.core.errors import GraphError
from collector.core.feedback import Feedback
from otel_opto.spec import ParameterSpec, ParameterValue
from otel_opto_train.judgement import Judgement, Said, failure_of, is_failure, judgement_of
from otel_opto_train.run import Run, Stage, StrayValue
from otel_opto_train.trainer.examples import Example
from otel_opto_train.trainer.plan import Plan
from otel_opto_train.trainer.record import Evaluation

_T = TypeVar("_T")
Workflow = Callable[[Any], Any]
"""Gets an example's input, gives its output; a coroutine function, or one that gives a coroutine, will do."""

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


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of one example with one candidate, and what is kept of it.

    Attributes:
        otlp: The spans of the run, as an OTLP export request.
        feedback: What was said of it.
    """

    evaluation: Evaluation
    otlp: bytes = b""
    feedback: tuple[Feedback, ...] = ()


class Measurer:
    """Measures candidates on examples, without keeping anything.

    Args:
        stage: Where runs take place.
        subject: What is measured.
        plan: How often each output is judged.
        pool: Threads for what is not asynchronous.
        version: Of the code of workflow and guide.
    """

    def __init__(self, stage: Stage, subject: Subject, plan: Plan, pool: ThreadPoolExecutor, version: str) -> None:
        self._stage = stage
        self._subject = subject
        self._plan = plan
        self._pool = pool
        self._positions = _positions(subject.guide)
        self._version = version

    async def run(
        self, values: Mapping[str, ParameterValue], example: Example, candidate: str
    ) -> tuple[Run, Evaluation, Sequence[Judgement]]:
        """Runs the example with these values and has its output judged.

        Args:
            candidate: The content hash by which the values are known.
        """
        begun = time.monotonic()
        run, output = await self._run(values, example)
        seconds = time.monotonic() - begun
        judgements = [failure_of(run.error)] if run.error else await self._judged(output, example)
        return run, Evaluation(candidate, example.key, self._version, None, seconds=seconds), judgements

    def measured(self, begun: Evaluation, run: Run, judgements: Sequence[Judgement], example: Example) -> Measured:
        """What it came to."""
        evaluation = self._measured(begun, run, judgements)
        judged = (self._feedback(run, evaluation, example),) if evaluation.judged else ()
        return Measured(evaluation, run.otlp, judged)

    async def _run(self, values: Mapping[str, ParameterValue], example: Example) -> tuple[Run, Any]:
        workflow, loop = self._subject.workflow, asyncio.get_running_loop()

        def run_it() -> tuple[Run, Any]:
            output = None
            with suppress(GeneratorExit), self._stage.run(values, _nobody, catch=True) as run:
                output = _awaited(workflow(example.input), loop)
                run.output(output)
            return run, output

        if not _is_asynchronous(workflow):
            return await self._in_thread(run_it)
        output = None
        with self._stage.run(values, _nobody, catch=True) as run:
            output = await workflow(example.input)
            run.output(output)
        return run, output

    async def _judged(self, output: Any, example: Example) -> list[Judgement]:
        told = (output, example.expected, example.input)[: self._positions]
        return [await self._sample(told) for _ in range(self._plan.judge_samples)]

    async def _sample(self, told: tuple[Any, ...]) -> Judgement:
        guide, loop = self._subject.guide, asyncio.get_running_loop()

        def judge() -> Judgement:
            try:
                return judgement_of(_awaited(guide(*told), loop))
            except BaseException as error:  # noqa: BLE001 - somebody else's code; it is said in the report
                return _failed(error)

        if not _is_asynchronous(guide):
            return await self._in_thread(judge)
        try:
            return judgement_of(await cast("Awaitable[Said]", guide(*told)))
        except BaseException as error:  # noqa: BLE001 - the same
            return _failed(error)

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


def _failed(error: BaseException) -> Judgement:
    """Of somebody else's guide. Raises the error where it is none of the guide's, see `is_failure`."""
    if not is_failure(error):
        raise error
    failure = failure_of(error)
    return replace(failure, text=f"the guide failed: {failure.text}")


def _awaited(given: Any, loop: asyncio.AbstractEventLoop) -> Any:
    """In a thread: what a function gave; if that is a coroutine, as of ``lambda q: agent(q)``, its result."""
    if not inspect.isawaitable(given):
        return given

    async def result() -> Any:
        return await given

    return asyncio.run_coroutine_threadsafe(result(), loop).result()


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
