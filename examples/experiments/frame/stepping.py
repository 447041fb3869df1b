"""The loop of all experiments that go step by step: `otel_opto.Optimizer` with trace, backward, step."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

import otel_opto
from collector.core.errors import OptimizerError
from examples.experiments.frame.experiment import Tried

Judged = tuple[float | None, str]
"""A score, None where it failed, and words."""


def stepped(optimizer: otel_opto.Optimizer, judged: Callable[[], Judged], calls: int) -> Generator[Tried, None, None]:
    """Tries the start and as many candidates as there are calls.

    A call that gives nothing new is one of them all the same: it has taken what every other one takes.

    Args:
        optimizer: At its beginning.
        judged: Runs the program within `Optimizer.trace`, says with `Run.backward` what it was like, and gives the
            candidate's score and the words for it.
        calls: See `examples.experiments.frame.experiment.Setting`.
    """
    fresh, said, taken_in = True, "", False
    for call in range(calls + 1):
        if fresh:
            values = dict(optimizer.values)
            score, words = judged()
            yield Tried(values, score, words)
        else:
            yield Tried({}, None, f"nothing new: {said}")
        if call == calls:
            return
        if taken_in:
            judged()  # a step that refused everything has used the feedback up
        try:
            step = optimizer.step()
        except OptimizerError as error:
            if error.permanent:
                raise
            fresh, said, taken_in = False, str(error), False
            continue
        if step.finished:
            return
        taken_in = not step.changed
        fresh, said = not taken_in, "; ".join(fault for one in step.refused for fault in one.errors)


def until(solved: float, candidates: Generator[Tried, None, None]) -> Iterator[Tried]:
    """The candidates up to the first one that cannot be bettered: what comes after it would only cost.

    Args:
        solved: The score of such a one.
        candidates: Of a method; it is closed where it stops.
    """
    with closing(candidates):
        for tried in candidates:
            yield tried
            if tried.score == solved:
                return
