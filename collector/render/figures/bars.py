"""Parts of a whole as bars, the largest first."""

from collections.abc import Mapping

from collector.render.canvas import BLUE, GREY, GRID, Canvas
from collector.render.words import short

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 640.0, 26.0, 230.0, 70.0, 44.0
_MOST = 24


def bars_svg(parts: Mapping[str, float], title: str, nothing: str) -> str:
    """A standalone SVG: one bar for each name, as long as its part of 1; beyond 24 it holds the largest.

    Args:
        title: Above the picture.
        nothing: What is said in place of bars where there are none.
    """
    shown = sorted(parts.items(), key=lambda one: -one[1])[:_MOST]
    canvas = Canvas(_WIDTH, _TOP + _ROW * max(len(shown), 1) + 12)
    canvas.text(16, 26, short(title, 80), font_size=15, font_weight=600)
    if not shown:
        canvas.text(16, _TOP + 16, short(nothing, 90), fill=GREY)
    for number, (name, part) in enumerate(shown):
        y, length = _TOP + number * _ROW, max(part, 0.0) * (_WIDTH - _LEFT - _RIGHT)
        canvas.group("bar", f"{name}: {part:.1%}")
        canvas.text(_LEFT - 10, y + 15, short(name, 32), text_anchor="end")
        canvas.rect(_LEFT, y + 2, _WIDTH - _LEFT - _RIGHT, _ROW - 8, fill=GRID)
        canvas.rect(_LEFT, y + 2, length, _ROW - 8, fill=BLUE)
        canvas.text(_WIDTH - _RIGHT + 8, y + 15, f"{part:.1%}")
    return canvas.svg()
