"""Scores by release: bars for the terminal, a picture for everywhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 360, 60, 20, 44, 46


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """The score of one release; `best` marks the one that came into force."""

    release: int
    score: float
    best: bool


def score_bars(points: Sequence[ScorePoint], width: int) -> str:
    """One line per release, the longest bar `width` characters; ★ marks the best. Negative scores have no bar."""
    top = max((point.score for point in points), default=0.0)
    unit = width / top if top > 0 else 0.0
    lines = []
    for point in points:
        bar = "█" * round(max(point.score, 0.0) * unit)
        lines.append(f"{point.release:>5}  {point.score:>8.3f}  {bar}{' ★' if point.best else ''}")
    return "\n".join(lines)


def score_chart_svg(points: Sequence[ScorePoint], title: str) -> str:
    """Dots for the releases, a step line for the best so far; a standalone SVG."""
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", width=str(_WIDTH))
    root.set("font-family", "system-ui, sans-serif")
    ET.SubElement(root, "rect", width="100%", height="100%", fill="white")
    _text(root, _LEFT, 24, title, size=15, anchor="start")
    if points:
        _plot(root, points)
    return ET.tostring(root, encoding="unicode")


def _plot(root: ET.Element, points: Sequence[ScorePoint]) -> None:
    low, high = _bounds([point.score for point in points])
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(points) - 1, 1)

    def x(index: int) -> float:
        return _LEFT + index * step

    def y(score: float) -> float:
        return _TOP + (high - score) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    for quarter in range(5):
        score = low + (high - low) * quarter / 4
        line = ET.SubElement(root, "line", x1=str(_LEFT), x2=str(_WIDTH - _RIGHT), y1=f"{y(score):.1f}")
        line.set("y2", f"{y(score):.1f}")
        line.set("stroke", "#e1e6eb")
        _text(root, _LEFT - 8, y(score) + 4, f"{score:.2f}", anchor="end")
    best = points[0].score
    path: list[str] = []
    for index, point in enumerate(points):
        before, best = best, max(best, point.score)
        path.append(f"{'L' if path else 'M'}{x(index):.1f} {y(before):.1f} L{x(index):.1f} {y(best):.1f}")
    ET.SubElement(root, "path", {"d": " ".join(path), "fill": "none", "stroke": "#2f6db5", "stroke-width": "2"})
    every = max(len(points) // 12, 1)
    for index, point in enumerate(points):
        colour = "#c98a00" if point.best else "#8a96a3"
        dot = {
            "cx": f"{x(index):.1f}",
            "cy": f"{y(point.score):.1f}",
            "r": "6" if point.best else "3.5",
            "fill": colour,
        }
        circle = ET.SubElement(root, "circle", dot)
        ET.SubElement(circle, "title").text = f"release {point.release}: {point.score:.3f}"
        if index % every == 0:
            _text(root, x(index), _HEIGHT - _BOTTOM + 18, str(point.release))
    _text(root, (_LEFT + _WIDTH) / 2, _HEIGHT - 8, "release (line: best so far, large dot: in force)")


def _bounds(scores: Sequence[float]) -> tuple[float, float]:
    low, high = min(scores), max(scores)
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _text(root: ET.Element, x: float, y: float, words: str, *, size: int = 11, anchor: str = "middle") -> None:
    text = ET.SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": "#4a5663", "font-size": str(size)})
    text.set("text-anchor", anchor)
    text.text = words
