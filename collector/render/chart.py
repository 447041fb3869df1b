"""Scores by release: bars for the terminal, a picture for everywhere else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from collector.core.study import Direction
from collector.render.canvas import AMBER, BLUE, GREEN, GREY, GRID, Canvas, bundled
from collector.render.words import columns, short

_WIDTH, _HEIGHT = 760.0, 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 24.0, 52.0, 64.0
_PLAIN = "#8a96a3"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LARGEST, _SMALLEST = 1e300, 1e-290
"""Scores beyond them are drawn as if they were them: differences and quotients must be numbers too."""

_EQUAL = 1e-9
"""Scores that differ by less than this part of their size stand at one height."""


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """The score of one release; `best` marks the one that came into force.

    Attributes:
        interval: Where its true score lies, as far as is known; None: nothing is.
        units: How many were scored; None: not counted.
    """

    release: int
    score: float
    best: bool
    interval: tuple[float, float] | None = None
    units: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreLevel:
    """A score to compare with, such as that on held-out data before or after."""

    label: str
    score: float


def score_bars(points: Sequence[ScorePoint], width: int, noun: str = "release") -> str:
    """One line per release, or whatever `noun` says they are, the longest bar `width` columns; ★ marks the best.

    Bars start at 0, or at the lowest score if that is below 0, and end to an eighth of a column.
    """
    scores = [_bounded(point.score) for point in points]
    low, high = min([0.0, *scores]), max([0.0, *scores])
    span = high - low or 1.0
    digits = max((len(str(point.release)) for point in points), default=0)
    written = [_figure(point.score) for point in points]
    room = max(map(len, written), default=0)
    lines = []
    for point, score, figure in zip(points, scores, written, strict=True):
        bar, mark = _bar((score - low) / span * width), " ★" if point.best else ""
        lines.append(f"{noun} {point.release:>{digits}}  {figure:>{room}}  {bar}{mark}".rstrip())
    return "\n".join(lines)


def _bar(length: float) -> str:
    whole, eighths = divmod(round(length * 8), 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def _figure(score: float) -> str:
    return f"{score:.3f}" if score == 0 or 0.001 <= abs(score) < 100_000 else f"{score:.3g}"


def _bounded(score: float) -> float:
    return max(-_LARGEST, min(score, _LARGEST))


def score_chart_svg(
    points: Sequence[ScorePoint],
    title: str,
    *,
    direction: Direction = Direction.MAXIMIZE,
    levels: Sequence[ScoreLevel] = (),
    nouns: tuple[str, str] = ("release", "came into force"),
) -> str:
    """A dot for each release in the order given, a step line for the best so far; a standalone SVG.

    Args:
        points: At equal distances: the numbers of a study's releases may have gaps.
        title: Above the picture.
        direction: Which scores are better.
        levels: Dashed lines from side to side, with their labels at the right.
        nouns: What has the scores, and what became of the best one.
    """
    canvas = Canvas(_WIDTH, _HEIGHT)
    canvas.text(_LEFT, 28, short(title, 80), font_size=15, font_weight=600)
    if not points:
        canvas.text(_WIDTH / 2, _HEIGHT / 2, f"no {nouns[0]} has its score yet", text_anchor="middle", fill=GREY)
        return canvas.svg()
    chart = _Chart(canvas, points, levels, nouns)
    chart.scales()
    chart.levels(levels)
    chart.best_so_far(points, direction)
    chart.dots(points)
    chart.legend()
    return canvas.svg()


class _Chart:
    """The plane in which scores become places."""

    def __init__(
        self, canvas: Canvas, points: Sequence[ScorePoint], levels: Sequence[ScoreLevel], nouns: tuple[str, str]
    ) -> None:
        self._canvas = canvas
        self._noun, self._chosen = nouns
        self._points = points
        ends = [end for point in points for end in point.interval or ()]
        self._ticks = _ticks([point.score for point in points] + [level.score for level in levels] + ends)
        labels = [_level_words(level) for level in levels]
        self._right = _WIDTH - _RIGHT - 7 * max(map(columns, labels), default=0)
        self._step = (self._right - _LEFT) / len(points)

    def _x(self, index: int) -> float:
        return _LEFT + (index + 0.5) * self._step

    def _y(self, score: float) -> float:
        low, high = self._ticks[0], self._ticks[-1]
        return _TOP + (high - _bounded(score)) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def scales(self) -> None:
        """Score on the left, releases below; as many numbers as fit."""
        for tick in self._ticks:
            self._canvas.line(_LEFT, self._y(tick), self._right, self._y(tick), stroke=GRID)
            self._canvas.text(_LEFT - 8, self._y(tick) + 4, f"{tick:.4g}", text_anchor="end", font_size=11, fill=GREY)
        every = math.ceil(28 / self._step)
        for index in range(0, len(self._points), every):
            number = str(self._points[index].release)
            self._canvas.text(
                self._x(index), _HEIGHT - _BOTTOM + 20, number, text_anchor="middle", font_size=11, fill=GREY
            )

    def levels(self, levels: Sequence[ScoreLevel]) -> None:
        """The labels stand right of their lines, further down where two lines are near each other."""
        label_y = 0.0
        for level in sorted(levels, key=lambda level: -level.score):
            y = self._y(level.score)
            label_y = max(y + 4, label_y + 14)
            self._canvas.line(_LEFT, y, self._right, y, stroke=GREEN, stroke_dasharray="6 5", stroke_width=1.3)
            self._canvas.text(self._right + 8, label_y, _level_words(level), font_size=11, fill=GREEN)

    def best_so_far(self, points: Sequence[ScorePoint], direction: Direction) -> None:
        """Level from release to release, up (or down) at the releases that are better than all before."""
        best = points[0].score
        steps = [f"M{self._x(0):.1f} {self._y(best):.1f}"]
        for index, point in enumerate(points):
            steps.append(f"H{self._x(index):.1f}")
            if direction.better(point.score, best):
                best = point.score
                steps.append(f"V{self._y(best):.1f}")
        steps.append(f"H{self._right:.1f}")
        self._canvas.path(" ".join(steps), stroke=BLUE, stroke_width=2, stroke_linejoin="round")

    def dots(self, points: Sequence[ScorePoint]) -> None:
        """The one in force is larger; the title under the pointer has the figures, of many in one shape none."""
        for some in bundled(list(enumerate(points))):
            if len(some) == 1:
                self._dot(*some[0])
                continue
            ordinary = [(index, point) for index, point in some if not point.best]
            self._canvas.group("release")
            through = " ".join(filter(None, (self._whisker(*one) for one in ordinary)))
            if through:
                self._canvas.path(through, stroke=_PLAIN, stroke_width=1.5)
            self._canvas.dots([(self._x(index), self._y(point.score)) for index, point in ordinary], 4.0, _PLAIN, 1.0)
            for index, point in some:
                if point.best:
                    self._dot(index, point)

    def _dot(self, index: int, point: ScorePoint) -> None:
        self._canvas.group("release", self._said(point))
        colour, radius = (AMBER, 7.0) if point.best else (_PLAIN, 4.0)
        x, y = self._x(index), self._y(point.score)
        if point.interval is not None:
            low, high = point.interval
            self._canvas.line(x, self._y(low), x, self._y(high), stroke=colour, stroke_width=1.5)
        self._canvas.circle(x, y, radius, fill=colour, stroke="white", stroke_width=1.5)

    def _whisker(self, index: int, point: ScorePoint) -> str:
        """The path of an interval; empty without one."""
        if point.interval is None:
            return ""
        low, high = point.interval
        return f"M{self._x(index):.1f} {self._y(low):.1f}V{self._y(high):.1f}"

    def _said(self, point: ScorePoint) -> str:
        words = [f"{self._noun} {point.release}: {_figure(point.score)}"]
        if point.interval is not None:
            words.append(f"{_figure(point.interval[0])} to {_figure(point.interval[1])}")
        if point.units is not None:
            words.append(f"n = {point.units:,}")
        return ", ".join([*words, *([self._chosen] if point.best else [])])

    def legend(self) -> None:
        """What the marks mean."""
        y = _HEIGHT - 16
        self._canvas.group("legend")
        self._canvas.circle(_LEFT + 5, y - 4, 4, fill=_PLAIN)
        self._canvas.text(_LEFT + 16, y, f"score of a {self._noun}", font_size=11, fill=GREY)
        self._canvas.line(_LEFT + 150, y - 4, _LEFT + 174, y - 4, stroke=BLUE, stroke_width=2)
        self._canvas.text(_LEFT + 181, y, "best so far", font_size=11, fill=GREY)
        self._canvas.circle(_LEFT + 275, y - 4, 7, fill=AMBER)
        self._canvas.text(_LEFT + 288, y, self._chosen, font_size=11, fill=GREY)
        self._canvas.text(self._right, y, f"{self._noun} →", font_size=11, fill=GREY, text_anchor="end")


def _level_words(level: ScoreLevel) -> str:
    return f"{short(level.label, 30)} {_figure(level.score)}"


def _ticks(scores: Sequence[float]) -> list[float]:
    """Round numbers from below the lowest score to above the highest, three at least."""
    low, high = _bounded(min(scores)), _bounded(max(scores))
    size = max(abs(low), abs(high))
    if high - low <= max(size * _EQUAL, _SMALLEST):
        margin = size / 2 if size > _SMALLEST else 0.5
        low, high = low - margin, high + margin
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next((factor for factor in (1, 2, 5) if factor * power >= rough), 10)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]
