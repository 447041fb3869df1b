"""Parallel coordinates: an axis for each number, a line through them for each trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.render.canvas import AMBER, BLUE, GREY, Canvas, bundled
from collector.render.slices import bounds, place
from collector.render.words import short

_AXIS_GAP, _HEIGHT, _SIDE, _TOP, _BOTTOM = 130.0, 260.0, 75.0, 48.0, 34.0
_MOST = 12
_EMPTY_WIDTH, _EMPTY_HEIGHT = 480.0, 60.0


@dataclass(frozen=True, slots=True)
class ParallelLine:
    """One trial.

    Attributes:
        values: By axis; where one is missing its line has a gap.
        best: Marks the best of the study.
    """

    values: Mapping[str, float]
    score: float
    trial: int
    best: bool


def parallel_svg(axes: Sequence[str], lines: Sequence[ParallelLine]) -> str:
    """A standalone SVG: the first 12 axes from left to right, then the score; the best trial lies above all others."""
    shown = axes[:_MOST]
    if not shown or not lines:
        canvas = Canvas(_EMPTY_WIDTH, _EMPTY_HEIGHT)
        canvas.text(16, 36, "no numeric parameter has been tried yet", fill=GREY)
        return canvas.svg()
    canvas = Canvas(2 * _SIDE + _AXIS_GAP * len(shown), _TOP + _HEIGHT + _BOTTOM)
    ranges = [bounds([line.values[key] for line in lines if key in line.values] or [0.0]) for key in shown]
    scores = bounds([line.score for line in lines])

    def through(line: ParallelLine) -> str:
        heights = [
            place(line.values[key], *ends) if key in line.values else None
            for key, ends in zip(shown, ranges, strict=True)
        ]
        return _through([*heights, place(line.score, *scores)])

    for some in bundled([line for line in lines if not line.best]):
        canvas.group("trial", _title(some))
        canvas.path(" ".join(map(through, some)), stroke=BLUE, stroke_width=1.0, stroke_opacity=0.35)
    for line in lines:
        if line.best:
            canvas.group("trial", _title((line,)))
            canvas.path(through(line), stroke=AMBER, stroke_width=3.0)
    for number, (key, (low, high)) in enumerate(zip((*shown, "score"), (*ranges, scores), strict=True)):
        _axis(canvas, _SIDE + number * _AXIS_GAP, key, low, high)
    return canvas.svg()


def _title(lines: Sequence[ParallelLine]) -> str:
    """What is said under the pointer; of many at once nothing."""
    return f"trial {lines[0].trial}: score {lines[0].score:.4g}" if len(lines) == 1 else ""


def _axis(canvas: Canvas, x: float, key: str, low: float, high: float) -> None:
    canvas.group("axis", key)
    canvas.line(x, _TOP, x, _TOP + _HEIGHT, stroke=GREY)
    canvas.text(x, _TOP - 24, short(key, 19), font_weight=600, text_anchor="middle")
    canvas.text(x, _TOP - 8, f"{high:.4g}", font_size=10, fill=GREY, text_anchor="middle")
    canvas.text(x, _TOP + _HEIGHT + 16, f"{low:.4g}", font_size=10, fill=GREY, text_anchor="middle")


def _through(heights: Sequence[float | None]) -> str:
    """The path over the axes, each height a part of 1 from below."""
    steps, pen = [], "M"
    for number, height in enumerate(heights):
        if height is None:
            pen = "M"
            continue
        steps.append(f"{pen}{_SIDE + number * _AXIS_GAP:.1f} {_TOP + (1 - height) * _HEIGHT:.1f}")
        pen = "L"
    return " ".join(steps)
