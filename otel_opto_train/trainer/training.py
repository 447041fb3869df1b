"""The loop: the optimizer suggests, the training part sorts, the validation part decides, the test part shows.

Everything that costs anything is asked of the record first. A training that was killed is therefore begun anew and
comes, without running anything twice, to where it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.core.errors import BudgetSpent, OptimizerError
from collector.core.feedback import Feedback
from collector.core.graph import TraceFeedback, TraceGraph
from collector.core.protocols import Optimizer
from collector.core.span import SpanContext
from collector.core.study import Direction, Proposal
from collector.selection.archive import Fate
from otel_opto.spec import ParameterValue
from otel_opto_train.course import Course, Outcome
from otel_opto_train.trainer.bench import Bench
from otel_opto_train.trainer.comparing import Compared, Outcomes, compared, outcome_of
from otel_opto_train.trainer.evaluator import Evaluator
from otel_opto_train.trainer.examples import Example, Parts, minibatch
from otel_opto_train.trainer.measuring import Subject
from otel_opto_train.trainer.plan import Plan
from otel_opto_train.trainer.record import Evaluation, ended, proposed

_TRIES = 3
_BASELINE = 0


class TrainingError(RuntimeError):
    """A training cannot go on; the text says why, and what to do."""


@dataclass(slots=True)
class Sorted:
    """What became of a candidate.

    Attributes:
        round: In which it was suggested.
        fate: As far as it is known.
        why: In words.
    """

    round: int
    fate: Fate = Fate.OPEN
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a training ended.

    Attributes:
        course: All candidates; the first one is the baseline.
        best: The place of the one that looked best on the validation part.
        fates: By place.
        shown: The best one beside the baseline on the test part; None where that was not looked at.
        why: Why it ended.
    """

    course: Course
    best: int
    fates: dict[int, Sorted]
    shown: Compared | None
    why: str

    @property
    def better(self) -> bool:
        """Whether the test part shows that the best one is better than the baseline."""
        return self.shown is not None and self.shown.better


@dataclass
class Training:
    """One training.

    Args:
        bench: Where everything is kept.
        evaluator: Measures.
        optimizer: Suggests.
        subject: What is trained.
        plan: How much.
        parts: Of the data set.
        course: At its beginning.
        began: Is told the number of each round as it begins.
    """

    bench: Bench
    evaluator: Evaluator
    optimizer: Optimizer
    subject: Subject
    plan: Plan
    parts: Parts
    course: Course
    began: Callable[[int], None]
    best: int = _BASELINE
    fates: dict[int, Sorted] = field(default_factory=dict)
    _idle: int = 0

    async def run(self) -> Ending:
        """To its end.

        Raises:
            TrainingError: the baseline fails on every example.
        """
        why = ""
        for number in range(self.plan.rounds):
            self.began(number)
            why = await self._round(number) or await self._enough(number)
            if why:
                break
        why = why or f"all {self.plan.rounds} rounds are over"
        shown = await self._shown()
        ending = Ending(self.course, self.best, self.fates, shown, why)
        if not (await self.bench.record()).ended:
            best = self.course.attempts[self.best].values
            await self.bench.add(ended(why, best, ending.better, self.plan.budget()))
        return ending

    def _halves(self, number: int) -> tuple[Sequence[Example], Sequence[Example]]:
        """What a round learns from, and what decides in it."""
        if not self.plan.folds:
            return self.parts.train, self.parts.validation
        whole = (*self.parts.train, *self.parts.validation)
        fold = number % self.plan.folds
        halves: tuple[list[Example], list[Example]] = ([], [])
        for place, example in enumerate(whole):
            halves[place % self.plan.folds == fold].append(example)
        return halves

    async def _round(self, number: int) -> str:
        """Why it is the last one; empty if it is not."""
        train, held = self._halves(number)
        batch = minibatch(train, self.plan.minibatch, number, self.plan.seed)
        await self.evaluator.evaluate([self._values(self.best)], batch)
        if number == 0:
            await self._check_baseline(batch)
        course = await self._as_told(train, batch)
        try:
            proposals = await self._proposals(number, course)
        except BudgetSpent as spent:
            return str(spent)
        except OptimizerError as error:
            return f"the optimizer failed: {error}"
        if not proposals:
            return f"{self.course.study.optimizer} has nothing more to suggest"
        fresh = self._taken_up(number, course, proposals)
        before = self.best
        await self._sort(fresh, batch, held)
        self._idle = 0 if self.best != before else self._idle + 1
        return ""

    async def _enough(self, number: int) -> str:
        if self._idle >= self.plan.patience:
            return f"{self._idle} rounds without a better candidate"
        if self.plan.target is None:
            return ""
        _, held = self._halves(number)
        examples = held or self.parts.train
        await self.evaluator.evaluate([self._values(self.best)], examples)
        found = await self.evaluator.found(self._values(self.best), examples)
        scores = [one.score for one in found if one.score is not None]
        if not scores:
            return ""
        mean = sum(scores) / len(scores)
        direction = self.plan.objective.direction
        reached = mean >= self.plan.target if direction is Direction.MAXIMIZE else mean <= self.plan.target
        return f"the target of {self.plan.target:g} is reached: {mean:.3g} on {len(scores)} examples" if reached else ""

    async def _check_baseline(self, batch: Sequence[Example]) -> None:
        found = await self.evaluator.found(self._values(_BASELINE), batch)
        if found and all(one.score is None for one in found):
            raise TrainingError(
                f"none of the {len(found)} examples of the baseline has a score, so that nothing can be better; the "
                f"first one: {found[0].text}"
            )

    async def _as_told(self, train: Sequence[Example], batch: Sequence[Example]) -> Course:
        """The course as the optimizer is told it: scores of the training part only, the runs of this minibatch."""
        attempts = []
        for place, attempt in enumerate(self.course.attempts):
            found = await self.evaluator.found(self._values(place), train)
            outcomes = [Outcome(attempt.key, one.score, one.failed, (self._words(one),)) for one in found]
            bare = replace(attempt, scores=(), failures=0, words=0)
            attempts.append(bare.with_outcomes(outcomes, self.course.study.direction))
        told = []
        for one in await self.evaluator.found(self._values(self.best), batch):
            tau = await self.bench.told(one, self.plan.objective.metric, self.subject.specs, self.subject.keys)
            told += [tau] if tau is not None else []
        return replace(self.course, attempts=tuple(attempts), best=self.best, now=self.best, batch=tuple(told))

    def _words(self, one: Evaluation) -> TraceFeedback:
        target = SpanContext(one.trace_id, one.judged)
        feedback = Feedback(target, self.plan.objective.metric, one.score, one.label, one.text)
        return TraceFeedback(feedback, TraceGraph(one.trace_id, (), ()))

    async def _proposals(self, number: int, course: Course) -> Sequence[Proposal]:
        known = (await self.bench.record()).proposed.get(number)
        if known is not None:
            return known
        request = course.request(self.bench.calls)
        for attempt in range(1, _TRIES + 1):
            try:
                proposals = await self.optimizer.propose(request)
            except OptimizerError as error:
                if error.permanent or attempt == _TRIES:
                    raise
            else:
                break
        await self.bench.add(proposed(number, proposals))
        return proposals

    def _taken_up(self, number: int, course: Course, proposals: Sequence[Proposal]) -> list[int]:
        fresh = []
        for proposal in proposals:
            course, faults = course.proposed(proposal)
            if not faults:
                fresh.append(course.now)
                self.fates[course.now] = Sorted(number)
        self.course = replace(course, now=self.best, batch=())
        return fresh

    async def _sort(self, fresh: Sequence[int], batch: Sequence[Example], held: Sequence[Example]) -> None:
        """The minibatch says who is worth the validation part, and that who takes the place of the best."""
        await self.evaluator.evaluate([self._values(place) for place in fresh], batch)
        leads = {place: await self._beside(place, self.best, batch) for place in fresh}
        for place, lead in leads.items():
            self._settle(place, Fate.DROPPED, f"training part: {lead.words()}")
        promising = sorted((place for place in fresh if leads[place].gain > 0), key=lambda one: -leads[one].gain)
        deciding = held or batch
        for place in promising[: self.plan.finalists]:
            await self.evaluator.evaluate([self._values(self.best), self._values(place)], deciding)
            lead = await self._beside(place, self.best, deciding)
            said = f"validation part: {lead.words()}" if held else f"training part: {lead.words()}"
            self._settle(place, Fate.OPEN if lead.looks_better else Fate.UNCONFIRMED, said)
            if lead.looks_better:
                self.best = place

    async def _shown(self) -> Compared | None:
        """The test part is looked at once, and only where there is something to show."""
        if self.best == _BASELINE or not self.parts.test:
            return None
        await self.evaluator.evaluate([self._values(_BASELINE), self._values(self.best)], self.parts.test)
        shown = await self._beside(self.best, _BASELINE, self.parts.test)
        self._settle(self.best, Fate.WON if shown.better else Fate.UNCONFIRMED, f"test part: {shown.words()}")
        return shown

    async def _beside(self, place: int, other: int, examples: Sequence[Example]) -> Compared:
        ours, theirs = await self._outcomes(place, examples), await self._outcomes(other, examples)
        return compared(ours, theirs, self.plan.alpha)

    async def _outcomes(self, place: int, examples: Sequence[Example]) -> Outcomes:
        found = await self.evaluator.found(self._values(place), examples)
        return {one.example: outcome_of(one.score, self.plan.objective) for one in found}

    def _values(self, place: int) -> Mapping[str, ParameterValue]:
        return self.course.attempts[place].values

    def _settle(self, place: int, fate: Fate, why: str) -> None:
        self.fates[place].fate, self.fates[place].why = fate, why
