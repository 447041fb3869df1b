"""``otel_opto.train``: a workflow, a data set, a guide; and a report in the end."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import otel_opto
from collector.core.problem import Objective
from collector.core.protocols import Optimizer as Proposer
from collector.core.record import tree_of
from collector.core.span import AnyValue
from collector.optimizer.registry import OptimizerRegistry
from collector.selection.archive import Fate
from otel_opto.parameter import Parameter
from otel_opto_train.apart import finished
from otel_opto_train.book import words
from otel_opto_train.course import Course
from otel_opto_train.optimizers import recorders
from otel_opto_train.run import Stage
from otel_opto_train.stepping import course_begun
from otel_opto_train.trainer.bench import Bench
from otel_opto_train.trainer.comparing import mean_of
from otel_opto_train.trainer.evaluator import Evaluator
from otel_opto_train.trainer.examples import Dataset, Example, Parts, divided, examples_of
from otel_opto_train.trainer.measuring import Guide, Subject, Workflow
from otel_opto_train.trainer.plan import Numbers, Plan, plan_of
from otel_opto_train.trainer.processes import Processes
from otel_opto_train.trainer.progress import Progress
from otel_opto_train.trainer.record import began, reported
from otel_opto_train.trainer.report import Report, Row
from otel_opto_train.trainer.training import Ending, Sorted, Training, TrainingError


def train(  # noqa: PLR0913 - keywords, each with its own default
    workflow: Workflow,
    dataset: Dataset,
    guide: Guide,
    *,
    optimizer: str = "search",
    options: Mapping[str, AnyValue] | None = None,
    parameters: Sequence[Parameter[Any] | str] | None = None,
    validation: float | Dataset = 0.25,
    test: float | Dataset = 0.25,
    ledger: str | Path | None = None,
    name: str = "training",
    progress: bool | None = None,
    **numbers: Unpack[Numbers],
) -> Report:
    """Trains parameters on a data set, in this process. Nothing is released.

    Args:
        workflow: Gets an example's input and gives its output; a coroutine function will do.
        dataset: Examples, or the path of a JSON Lines file; see `Dataset`.
        guide: Gets output, expected, input, as many of them as it takes; gives a score, a text, or both.
        optimizer: A name from the entry-point group ``otel_opto.optimizers``.
        options: Of the optimizer.
        parameters: Those to train, or their keys; None: all trainable ones that are declared.
        validation: The share of the data that decides which candidate goes on, or data of its own.
        test: The share that is looked at once, at the end, or data of its own.
        ledger: A directory that keeps everything: killed, the same call goes on where it was. None: nothing is kept.
        name: Of the training in that directory.
        progress: Whether a line shows how far it is; None: on a terminal.
        numbers: How much is tried and measured, and what is wanted; see `Numbers`.

    Raises:
        ValueError: the plan, the data set or the optimizer's options are wrong; every fault.
        TrainingError: the baseline fails on every example, or the directory has another training of that name.
        CollectorError: the directory cannot be used, or is full: with room, the same call goes on where it was.
    """
    plan = plan_of(numbers)
    stage = Stage(otel_opto._sdk, recorders)  # noqa: SLF001 - of the process
    course = course_begun(stage, parameters, optimizer, options or {}, plan.settings())
    proposer = OptimizerRegistry().load(optimizer)
    faults = [*plan.faults(), *course.study.faults(), *proposer.check(course.study, course.parameters)]
    if faults:
        raise ValueError("\n".join(faults))
    parts = divided(examples_of(dataset), 0.0 if plan.folds else validation, test, plan.seed)
    if plan.folds > len(parts.train):
        raise ValueError(f"folds: found {plan.folds}, allowed are {len(parts.train)} at most: one for each example")
    keys = tuple(spec.key for spec in course.parameters)
    subject = Subject(workflow, guide, stage.registry.specs(), keys)
    order = Order(name, plan, parts, subject, course, proposer, stage)
    kept = nullcontext(str(ledger)) if ledger is not None else tempfile.TemporaryDirectory(prefix="otel-opto-train-")
    with kept as directory:
        return finished(order.carried_out(Path(directory), progress))


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that a training needs to be carried out."""

    name: str
    plan: Plan
    parts: Parts
    subject: Subject
    course: Course
    proposer: Proposer
    stage: Stage

    async def carried_out(self, directory: Path, shown: bool | None) -> Report:
        """From its beginning, or from where it was, to its end."""
        async with Bench(directory, self.name, self.stage.service) as bench:
            progress = Progress(self.plan.rounds, lambda: words(bench.calls.cost), shown=shown)
            await self._begin(bench)
            with (
                self._processes() as apart,
                ThreadPoolExecutor(self.plan.workers, thread_name_prefix="otel-opto-train") as pool,
            ):
                evaluator = Evaluator(bench, self.stage, self.subject, self.plan, pool, progress.heard, apart)
                training = Training(
                    bench, evaluator, self.proposer, self.subject, self.plan, self.parts, self.course, progress.began
                )
                try:
                    ending = await training.run()
                finally:
                    progress.over()
                report = await self._report(bench, evaluator, ending)
                if not (await bench.record()).reported:
                    await bench.add(reported(report.document()))
                return report

    def _processes(self) -> AbstractContextManager[Processes | None]:
        subject = self.subject
        if not self.plan.processes:
            return nullcontext()
        return Processes(subject.workflow, subject.guide, subject.keys, self.plan)

    async def _begin(self, bench: Bench) -> None:
        said = json.loads(json.dumps(self._said(), sort_keys=True))
        known = await bench.record()
        if not known.began:
            await bench.declare(tuple(self.subject.specs.values()))
            await bench.add(began(said))
        elif other := [key for key in said if known.began.get(key) != said[key]]:
            raise TrainingError(
                f"ledger: it has a training {self.name!r} with other {', '.join(other)}; give the same ones to go on "
                "with it, or another name or directory to begin one"
            )
        elif known.ended and known.ended["budget"] != json.loads(json.dumps(self.plan.budget())):
            raise TrainingError(
                f"ledger: the training {self.name!r} has ended ({known.ended['words']}), and its test part has been "
                "looked at; begin one with another name, and with other data to test on"
            )

    def _said(self) -> Mapping[str, object]:
        study = self.course.study
        return {
            "plan": self.plan.tree(),
            "parameters": [
                {"key": spec.key, "type": spec.type.value, "constraint": tree_of(spec.constraint)}
                for spec in self.course.parameters
            ],
            "values": dict(self.course.attempts[0].values),
            "data": self.parts.fingerprint,
            "optimizer": [study.optimizer, dict(study.optimizer_options)],
        }

    async def _report(self, bench: Bench, evaluator: Evaluator, ending: Ending) -> Report:
        objective, alpha = self.plan.objective, self.plan.alpha
        evaluations = (await bench.record()).evaluations.values()

        async def mean(place: int, part: Sequence[Example]) -> Any:
            found = await evaluator.found(ending.course.attempts[place].values, part)
            return mean_of([one.score for one in found], objective, alpha)

        rows = []
        for place, attempt in enumerate(ending.course.attempts):
            sort = ending.fates.get(place, Sorted(0, Fate.OPEN, "what was in force"))
            train, held = await mean(place, self.parts.train), await mean(place, self.parts.validation)
            rows.append(Row(place, attempt.values, attempt.reasoning, sort.fate, sort.why, train, held))
        tested = (0, ending.best) if ending.shown is not None else ()
        outside = [one for one in evaluations if one.score is not None and not _within(one.score, objective)]
        return Report(
            name=self.name,
            objective=objective,
            rows=tuple(rows),
            best=ending.best,
            shown=ending.shown,
            test={place: await mean(place, self.parts.test) for place in tested},
            why=ending.why,
            cost=await bench.calls.spent(),
            evaluations=len(evaluations),
            failures=sum(one.score is None for one in evaluations),
            clipped=len(outside),
            faults=tuple(dict.fromkeys(one.text for one in evaluations if one.failed)),
            registry=self.stage.registry,
        )


def _within(score: float, objective: Objective) -> bool:
    return objective.lowest <= score <= objective.highest
