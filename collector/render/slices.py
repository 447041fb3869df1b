"""Scores by the values of parameters: one small plot for each, so that what matters is seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.render.canvas import AMBER, BLUE, GREY, GRID, Canvas, bundled
from collector.render.words import short

_PLOT_WIDTH, _PLOT_HEIGHT, _GAP = 230.0, 150.0, 30.0
_COLUMNS = 3
_MOST = 24
_LEFT, _TOP = 50.0, 34.0
_EMPTY_WIDTH, _EMPTY_HEIGHT = 480.0, 60.0


@dataclass(frozen=True, slots=True)
class SlicePoint:
    """One trial. `best` marks the best of the study."""

    value: float
    score: float
    trial: int
    best: bool


def slices_svg(slices: Mapping[str, Sequence[SlicePoint]]) -> str:
    """The picture, a standalone SVG: by parameter the scores of its values. Beyond 24 parameters it holds the first."""
    shown = sorted(slices)[:_MOST]
    if not shown:
        canvas = Canvas(_EMPTY_WIDTH, _EMPTY_HEIGHT)
        canvas.text(16, 36, "no numeric parameter has been tried yet", fill=GREY)
        return canvas.svg()
    columns, rows = min(len(shown), _COLUMNS), -(-len(shown) // _COLUMNS)
    canvas = Canvas(_LEFT + columns * (_PLOT_WIDTH + _LEFT), rows * (_PLOT_HEIGHT + _TOP + _GAP) + 8)
    for number, key in enumerate(shown):
        row, column = divmod(number, _COLUMNS)
        left, top = _LEFT + column * (_PLOT_WIDTH + _LEFT), _TOP + row * (_PLOT_HEIGHT + _TOP + _GAP)
        _plot(canvas, left, top, key, slices[key])
    return canvas.svg()


def _plot(canvas: Canvas, left: float, top: float, key: str, points: Sequence[SlicePoint]) -> None:
    values, scores = [point.value for point in points], [point.score for point in points]
    (low, high), (worst, best) = bounds(values), bounds(scores)
    canvas.group("plot")
    canvas.text(left, top - 10, short(key, 34), font_size=12, font_weight=600)
    canvas.rect(left, top, _PLOT_WIDTH, _PLOT_HEIGHT, fill="none", stroke=GRID)
    for score, y in ((best, top + 10), (worst, top + _PLOT_HEIGHT)):
        canvas.text(left - 6, y, f"{score:.3g}", font_size=10, fill=GREY, text_anchor="end")
    canvas.text(left, top + _PLOT_HEIGHT + 14, f"{low:.4g}", font_size=10, fill=GREY)
    canvas.text(left + _PLOT_WIDTH, top + _PLOT_HEIGHT + 14, f"{high:.4g}", font_size=10, fill=GREY, text_anchor="end")

    def at(point: SlicePoint) -> tuple[float, float]:
        x = left + place(point.value, low, high) * _PLOT_WIDTH
        return x, top + (1 - place(point.score, worst, best)) * _PLOT_HEIGHT

    for some in bundled([point for point in points if not point.best]):
        canvas.group("trial", _title(key, some))
        if len(some) == 1:
            canvas.circle(*at(some[0]), 3.0, fill=BLUE, fill_opacity=0.6)
        else:
            canvas.dots(map(at, some), 3.0, BLUE, 0.6)
    for point in points:
        if point.best:
            canvas.group("trial", _title(key, (point,)))
            canvas.circle(*at(point), 6.0, fill=AMBER)


def _title(key: str, points: Sequence[SlicePoint]) -> str:
    """What is said under the pointer; of many at once nothing."""
    if len(points) > 1:
        return ""
    (point,) = points
    return f"trial {point.trial}: {key} = {point.value:g}, score {point.score:.4g}"


def bounds(numbers: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis that has them all; never the same."""
    low, high = min(numbers), max(numbers)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def place(number: float, low: float, high: float) -> float:
    """Between 0 and 1; halves first, so that no difference is beyond all numbers."""
    width = high / 2 - low / 2
    return (number / 2 - low / 2) / width if width else 0.5
