"""A study as pictures, and the figures behind each as data."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from collector.api.study_documents import score_interval
from collector.core.errors import InvalidRequest
from collector.core.study import StudyRecord, Trial
from collector.optimizer.searching.importance import Importance, importance
from collector.render.chart import ScoreLevel, ScorePoint, score_chart_svg
from collector.render.figures.bars import bars_svg
from collector.render.figures.parallel import ParallelLine, parallel_svg
from collector.render.slices import SlicePoint, slices_svg
from otel_opto.spec import ParameterSpec

FORMS: Mapping[str, str] = {"svg": "image/svg+xml", "json": "application/json"}
_MOST_POINTS = 1_000
"""More cannot be told apart in a picture; the first, the last and the best are always there."""

_MOST_KEPT = 100
_MOST_KEYS = 24

Figures = Mapping[str, Any]
Declared = Callable[[str], Awaitable[Sequence[ParameterSpec]]]
"""The parameters of a service."""


class StudyPictures:
    """Draws studies, off the event loop."""

    def __init__(self) -> None:
        self._computing = asyncio.Lock()
        self._kept: OrderedDict[int, Importance] = OrderedDict()

    def checked(self, picture: str, form: str) -> None:
        """Passes what there is.

        Raises:
            InvalidRequest: there is no such picture, or not in this form.
        """
        for name, found, allowed in (("picture", picture, PICTURES), ("format", form, tuple(FORMS))):
            if found not in allowed:
                raise InvalidRequest(f"{name}: found {found[:80]!r}, allowed: {', '.join(allowed)}")

    async def made(self, record: StudyRecord, picture: str, form: str, declared: Declared) -> bytes:
        """A standalone SVG, or its figures as JSON. Raises as `checked`."""
        self.checked(picture, form)
        found = await self._importance(record, declared) if picture == "importance" else None
        return await asyncio.to_thread(_made, record, picture, form, found)

    async def _importance(self, record: StudyRecord, declared: Declared) -> Importance:
        """Computed once for each state of a study, and of one study at a time: it takes a thread for a while."""
        specs = await declared(record.study.service)
        version = await asyncio.to_thread(_version, record, specs)
        async with self._computing:
            if version not in self._kept:
                self._kept[version] = await asyncio.to_thread(importance, record.study, specs, record.trials)
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(version)
            return self._kept[version]


def _version(record: StudyRecord, specs: Sequence[ParameterSpec]) -> int:
    """Another one as soon as something else may come of it."""
    return hash((record.study.name, repr(specs), tuple((trial.number, trial.score) for trial in record.trials)))


_Drawn = Callable[[Figures, StudyRecord], str]


def _made(record: StudyRecord, picture: str, form: str, found: Importance | None) -> bytes:
    figures: Figures
    drawn: _Drawn
    if found is None:
        read, drawn = _PICTURES[picture]
        figures = read(record)
    else:
        figures, drawn = {"parts": found.parts, "trials": found.trials, "message": found.lacking}, _importance_svg
    return (drawn(figures, record) if form == "svg" else json.dumps(figures, ensure_ascii=False)).encode()


def _scores(record: StudyRecord) -> Figures:
    """Columns: complete trials with their scores; `best_so_far` of all trials, also of those that are not listed."""
    study, best = record.study, record.best_trial()
    complete = [trial for trial in record.trials if trial.complete]
    so_far: dict[int, float] = {}
    top: float | None = None
    for trial in complete:
        score = trial.score or 0.0
        top = score if top is None or study.direction.better(score, top) else top
        so_far[trial.number] = top
    shown = _thinned(complete, best)
    ends = [score_interval(study, trial) or (None, None) for trial in shown]
    return {
        "direction": study.direction.value,
        "best": best.number if best else None,
        "control_score": best.control_score if best else None,
        "trials": [trial.number for trial in shown],
        "releases": [trial.release for trial in shown],
        "scores": [trial.score for trial in shown],
        "lowest": [low for low, _ in ends],
        "highest": [high for _, high in ends],
        "units": [trial.feedback_count for trial in shown],
        "controls": [trial.control_score for trial in shown],
        "best_so_far": [so_far[trial.number] for trial in shown],
    }


def _scores_svg(figures: Figures, record: StudyRecord) -> str:
    """By the numbers of releases."""
    columns = (figures[name] for name in ("trials", "releases", "scores", "lowest", "highest", "units"))
    points = [
        ScorePoint(release, score, number == figures["best"], None if low is None else (low, high), units)
        for number, release, score, low, high, units in zip(*columns, strict=True)
    ]
    control = figures["control_score"]
    levels = [ScoreLevel("control", control)] if control is not None else []
    title = f"{record.study.name}: {record.study.metric}"
    return score_chart_svg(points, title, direction=record.study.direction, levels=levels)


def _slices(record: StudyRecord) -> Figures:
    """By each numeric parameter the values, scores and trials; the first 24 by name."""
    best = record.best_trial()
    points = _thinned([trial for trial in record.trials if trial.complete], best)
    return {
        "best": best.number if best else None,
        "parameters": {key: _slice(key, points) for key in _numeric(points)},
    }


def _numeric(points: Sequence[Trial]) -> Sequence[str]:
    """Keys of numeric parameters; the first 24 by name."""
    found = {
        key
        for trial in points
        for key, value in trial.values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return sorted(found)[:_MOST_KEYS]


def _parallel(record: StudyRecord) -> Figures:
    """Columns: trials, scores, and by each numeric parameter its values; null where a trial has none."""
    best = record.best_trial()
    points = _thinned([trial for trial in record.trials if trial.complete], best)
    slices = {key: _slice(key, points) for key in _numeric(points)}
    by_trial = {key: dict(zip(one["trials"], one["values"], strict=True)) for key, one in slices.items()}
    return {
        "best": best.number if best else None,
        "trials": [trial.number for trial in points],
        "scores": [trial.score or 0.0 for trial in points],
        "parameters": {key: [values.get(trial.number) for trial in points] for key, values in by_trial.items()},
    }


def _parallel_svg(figures: Figures, _: StudyRecord) -> str:
    parameters = figures["parameters"]
    lines = [
        ParallelLine(
            {key: values[at] for key, values in parameters.items() if values[at] is not None},
            score,
            number,
            number == figures["best"],
        )
        for at, (number, score) in enumerate(zip(figures["trials"], figures["scores"], strict=True))
    ]
    return parallel_svg(list(parameters), lines)


def _slice(key: str, points: Sequence[Trial]) -> dict[str, list[float]]:
    having = [(trial, trial.values[key]) for trial in points if key in trial.values]
    found = [
        (trial, value) for trial, value in having if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return {
        "values": [value for _, value in found],
        "scores": [trial.score or 0.0 for trial, _ in found],
        "trials": [trial.number for trial, _ in found],
    }


def _slices_svg(figures: Figures, _: StudyRecord) -> str:
    return slices_svg(
        {
            key: [
                SlicePoint(value, score, number, number == figures["best"])
                for value, score, number in zip(one["values"], one["scores"], one["trials"], strict=True)
            ]
            for key, one in figures["parameters"].items()
        }
    )


def _importance_svg(figures: Figures, record: StudyRecord) -> str:
    return bars_svg(figures["parts"], f"{record.study.name}: what its scores depend on", figures["message"])


_PICTURES: Mapping[str, tuple[Callable[[StudyRecord], Figures], _Drawn]] = {
    "scores": (_scores, _scores_svg),
    "slices": (_slices, _slices_svg),
    "parallel": (_parallel, _parallel_svg),
}
PICTURES = (*_PICTURES, "importance")


def _thinned(complete: Sequence[Trial], best: Trial | None) -> Sequence[Trial]:
    """Evenly, where they are too many."""
    every = -(-len(complete) // _MOST_POINTS) or 1
    return [
        trial for place, trial in enumerate(complete) if place % every == 0 or trial is best or trial is complete[-1]
    ]
