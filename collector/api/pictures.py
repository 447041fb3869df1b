"""A study as pictures."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from collector.core.errors import InvalidRequest
from collector.core.study import StudyRecord, Trial
from collector.render.chart import ScoreLevel, ScorePoint, score_chart_svg
from collector.render.slices import SlicePoint, slices_svg

_MOST_POINTS = 1_000
"""More cannot be told apart in a picture; the first, the last and the best are always there."""


def study_picture(name: str) -> Callable[[StudyRecord], Awaitable[str]]:
    """Draws a standalone SVG, off the event loop.

    Raises:
        InvalidRequest: there is no such picture.
    """
    draw = _PICTURES.get(name)
    if draw is None:
        raise InvalidRequest(f"picture: found {name[:80]!r}, allowed: {', '.join(_PICTURES)}")

    async def drawn(record: StudyRecord) -> str:
        return await asyncio.to_thread(draw, record)

    return drawn


def _scores(record: StudyRecord) -> str:
    """By the numbers of releases."""
    best, points = record.best_trial(), _scored(record)
    said = [ScorePoint(trial.release, trial.score or 0.0, best=trial is best) for trial in points]
    levels = [ScoreLevel("control", best.control_score)] if best and best.control_score is not None else []
    title = f"{record.study.name}: {record.study.metric}"
    return score_chart_svg(said, title, direction=record.study.direction, levels=levels)


def _slices(record: StudyRecord) -> str:
    """By the values of each numeric parameter."""
    points = _scored(record)
    best = record.best_trial()
    slices: dict[str, list[SlicePoint]] = {}
    for trial in points:
        for key, value in trial.values.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                slices.setdefault(key, []).append(SlicePoint(value, trial.score or 0.0, trial.number, trial is best))
    return slices_svg(slices)


_PICTURES: Mapping[str, Callable[[StudyRecord], str]] = {"scores": _scores, "slices": _slices}


def _scored(record: StudyRecord) -> Sequence[Trial]:
    """The complete trials, evenly thinned out where they are too many."""
    best = record.best_trial()
    complete = [trial for trial in record.trials if trial.complete]
    every = -(-len(complete) // _MOST_POINTS) or 1
    return [
        trial for place, trial in enumerate(complete) if place % every == 0 or trial is best or trial is complete[-1]
    ]
