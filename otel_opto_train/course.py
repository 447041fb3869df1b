"""How an optimization stands: what was tried and measured, what is best, and what an optimizer is told of it.

Immutable: each step gives another one. It knows neither how runs take place nor what judges them.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.core.calls import CallBook
from collector.core.graph import TraceFeedback
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest
from collector.core.study import Cost, Direction, Proposal, RejectedProposal, Remarks, Study, Trial
from otel_opto.spec import ParameterSpec, ParameterValue, content_hash

_FREE, _NOTHING_SAID = Cost(), Remarks()
_MOST_SHOWN_RUNS = 64
"""Of the best values' judged runs so many are kept for the next request."""


def key_of(values: Mapping[str, ParameterValue]) -> str:
    """What a candidate is known by: the hash of its content."""
    return content_hash(values.items())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run.

    Attributes:
        key: Of the values that it ran with.
        score: None where it failed, or was judged in words only.
        failed: Whether it failed, which is neither good nor bad.
        told: Its feedback with the minimal subgraphs.
    """

    key: str
    score: float | None
    failed: bool
    told: tuple[TraceFeedback, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Values that were tried, with everything that was measured of them, whenever that was.

    Attributes:
        values: Of the parameters that are trained.
        reasoning: Why, in the optimizer's words.
        cost: Of finding them.
        scores: Of its runs.
        failures: Runs without a score because they failed.
        words: Runs that were judged in words only.
        remarks: What was said of its worst and its best run last.
    """

    values: Mapping[str, ParameterValue]
    reasoning: str = ""
    cost: Cost = _FREE
    scores: tuple[float, ...] = ()
    failures: int = 0
    words: int = 0
    remarks: Remarks = _NOTHING_SAID

    @property
    def key(self) -> str:
        """See `key_of`."""
        return key_of(self.values)

    @property
    def mean(self) -> float | None:
        """Of its scores; None without any."""
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def runs(self) -> int:
        """How many have been judged."""
        return len(self.scores) + self.failures + self.words

    def with_outcomes(self, outcomes: Sequence[Outcome], direction: Direction) -> "Attempt":
        """It and some more runs with the same values."""
        scores = [one.score for one in outcomes if one.score is not None]
        failures = sum(one.failed for one in outcomes if one.score is None)
        return replace(
            self,
            scores=(*self.scores, *scores),
            failures=self.failures + failures,
            words=self.words + len(outcomes) - len(scores) - failures,
            remarks=_remarks(outcomes, direction) or self.remarks,
        )


Rule = Callable[[Attempt, Attempt, Direction], bool]
"""Whether the second attempt takes the place of the first, which was the best so far."""


def better(best: Attempt, new: Attempt, direction: Direction) -> bool:
    """The rule by default: it has a better mean, and does not fail more often; words alone are taken on trust."""
    if new.runs == new.failures:
        return False
    if best.mean is None or new.mean is None:
        return True
    fails_more = new.failures / new.runs > best.failures / best.runs
    return direction.better(new.mean, best.mean) and not fails_more


def always(_best: Attempt, _new: Attempt, _direction: Direction) -> bool:
    """The rule of Trace: what was suggested last stays."""
    return True


@dataclass(frozen=True, slots=True)
class Course:
    """The attempts of an optimization.

    Attributes:
        study: Objective, optimizer, options, seed; the same that a collector's study has.
        parameters: What is trained.
        attempts: In order; the first one is what was in force before.
        best: The place of the best one.
        now: The place of the one that runs take place with.
        batch: Judged runs of the best one, the latest.
        rejected: What failed validation.
    """

    study: Study
    parameters: tuple[ParameterSpec, ...]
    attempts: tuple[Attempt, ...]
    best: int = 0
    now: int = 0
    batch: tuple[TraceFeedback, ...] = ()
    rejected: tuple[RejectedProposal, ...] = ()

    def judged(self, outcomes: Sequence[Outcome], rule: Rule) -> "Course":
        """Takes in what became of runs, and decides whether the values in force are the best ones.

        Where they are not, those that are come into force again. Measurements are pooled by values.

        Raises:
            ValueError: a run had values that were never tried here.
        """
        by_key: dict[str, list[Outcome]] = {}
        for one in outcomes:
            by_key.setdefault(one.key, []).append(one)
        places = {attempt.key: place for place, attempt in enumerate(self.attempts)}
        if not by_key.keys() <= places.keys():
            raise ValueError("a judged run had values that this optimizer never tried; judge runs of its own trace()")
        attempts = list(self.attempts)
        for key, found in by_key.items():
            attempts[places[key]] = attempts[places[key]].with_outcomes(found, self.study.direction)
        best = self.best
        measured = self.now != best and attempts[self.now].key in by_key
        if measured and rule(attempts[best], attempts[self.now], self.study.direction):
            best = self.now
        fresh = [told for one in by_key.get(attempts[best].key, ()) for told in one.told]
        batch = tuple(fresh) if best != self.best else (*self.batch, *fresh)
        now = best if measured else self.now
        return replace(self, attempts=tuple(attempts), best=best, now=now, batch=batch[-_MOST_SHOWN_RUNS:])

    def request(self, calls: CallBook | None = None) -> OptimizationRequest:
        """What the optimizer is told; the same as a collector would tell it."""
        trials = tuple(
            Trial(
                place, place, one.values, one.reasoning, one.cost, one.mean, one.runs,
                given_up="" if one.mean is not None or one.words else "every run failed",
            )
            for place, one in enumerate(self.attempts)
            if one.runs
        )  # fmt: skip
        return OptimizationRequest(
            study=self.study,
            parameters=self.parameters,
            current=self.attempts[self.best].values,
            batch=self.batch,
            trials=trials,
            rejected=self.rejected,
            remarks={trial.number: self.attempts[trial.number].remarks for trial in trials},
            calls=calls,
        )

    def proposed(self, proposal: Proposal) -> tuple["Course", tuple[str, ...]]:
        """The proposal in force, or why it is not: what does not fit, and what was tried, is refused and kept."""
        values, faults = validated(proposal.values, self.parameters)
        faults = (*faults, *proposal.faults)
        whole = {**self.attempts[self.best].values, **values}
        known = next((place for place, one in enumerate(self.attempts) if one.key == key_of(whole)), None)
        if not faults and known is not None:
            faults = (f"these values were tried already, as number {known}",)
        if faults:
            refused = RejectedProposal(proposal, faults, len(self.attempts))
            return replace(self, rejected=(*self.rejected, refused)), faults
        attempt = Attempt(whole, proposal.reasoning, proposal.cost)
        return replace(self, attempts=(*self.attempts, attempt), now=len(self.attempts)), ()

    def restored(self, place: int) -> "Course":
        """An attempt in force, as the best one.

        Raises:
            IndexError: there is none of that number.
        """
        if not 0 <= place < len(self.attempts):
            raise IndexError(f"attempt: found {place}, allowed are 0 to {len(self.attempts) - 1}")
        batch = self.batch if place == self.best else ()
        return replace(self, best=place, now=place, batch=batch)


def _remarks(outcomes: Sequence[Outcome], direction: Direction) -> Remarks | None:
    """What was said of the run with the worst score, and of the best; what failed is the worst."""
    sign = 1 if direction is Direction.MAXIMIZE else -1
    said = [
        (float("-inf") if one.score is None else sign * one.score, told.feedback.text)
        for one in outcomes
        for told in one.told
        if told.feedback.text
    ]
    if not said:
        return None
    return Remarks(min(said, key=lambda one: one[0])[1], max(said, key=lambda one: one[0])[1])
