"""Solving a problem whose oracle is a function: the loop that experiments and tests stand on."""

import math
from dataclasses import replace

from collector.core.problem import Problem
from collector.core.protocols import Optimizer
from collector.core.study import Study
from otel_opto_train.book import Book
from otel_opto_train.course import Attempt, Course, Outcome, Rule, better


async def solved(
    problem: Problem, optimizer: Optimizer, study: Study, steps: int, *, runs: int = 1, rule: Rule = better
) -> Course:
    """Asks the oracle and the optimizer in turn.

    Args:
        problem: What is to be solved; its parameters begin at their defaults.
        optimizer: Makes proposals.
        study: Names the optimizer's options and the seed; metric, direction and instruction are the problem's.
        steps: Proposals that are tried after the defaults, at most.
        runs: Of the oracle for each.
        rule: Whether what was tried takes the place of the best so far.

    Raises:
        ValueError: a score of the oracle is not finite.
    """
    values = {spec.key: spec.default for spec in problem.parameters}
    course = Course(_of(problem, study), problem.parameters, (Attempt(values, "defaults"),))
    book = Book()
    for step in range(steps + 1):
        course = course.judged([await _asked(problem, course.attempts[course.now]) for _ in range(runs)], rule)
        if step == steps:
            break
        for proposal in await optimizer.propose(course.request(book)):
            course, faults = course.proposed(proposal)
            if not faults:
                break
        else:
            break
    return course


async def _asked(problem: Problem, attempt: Attempt) -> Outcome:
    told = await problem.oracle(attempt.values)
    score = told.feedback.score
    if score is not None and not math.isfinite(score):
        raise ValueError(
            f"oracle: score: found {score} of {dict(attempt.values)!r:.200}, allowed are finite numbers, or None"
        )
    return Outcome(attempt.key, score, failed=score is None and bool(told.graph.exceptions), told=(told,))


def _of(problem: Problem, study: Study) -> Study:
    wanted = problem.objective
    return replace(study, metric=wanted.metric, direction=wanted.direction, instruction=wanted.instruction)
