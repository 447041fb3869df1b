"""A standalone SVG picture: a few shapes, texts that cannot break out of it, one set of colours."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar
from xml.etree import ElementTree as ET

from collector.core.printable import printable

INK: Final = "#16202c"
GREY: Final = "#5b6672"
GRID: Final = "#e6eaee"
BLUE: Final = "#2f6db5"
AMBER: Final = "#c98a00"
RED: Final = "#c0392b"
GREEN: Final = "#2e8b57"

_MOST_SHAPES = 150
"""Of many like ones: what a browser draws within a frame."""

_Item = TypeVar("_Item")


class Canvas:
    """Lengths are pixels, the origin is at the top left; what is drawn later lies above."""

    def __init__(self, width: float, height: float) -> None:
        size = {
            "width": _number(width),
            "height": _number(height),
            "viewBox": f"0 0 {_number(width)} {_number(height)}",
        }
        self._root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size})
        self._root.set("font-family", "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif")
        self._inside = self._root
        self.rect(0, 0, width, height, fill="white")

    def arrowhead(self, name: str, colour: str) -> None:
        """Defines an arrowhead for the end of a path: ``marker_end=f"url(#{name})"``."""
        box = {"viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "7", "markerHeight": "7"}
        marker = ET.SubElement(ET.SubElement(self._root, "defs"), "marker", {"id": name, **box, "orient": "auto"})
        ET.SubElement(marker, "path", {"d": "M0 0.5 L8 4 L0 7.5 z", "fill": colour})

    def group(self, kind: str, title: str = "", link: str = "") -> None:
        """What is drawn next belongs together, in an element of class `kind`; the title is shown under the pointer.

        Where there is a link, all of it leads there.
        """
        leading = {"href": link} if link else {}
        self._inside = ET.SubElement(self._root, "a" if link else "g", {"class": kind, **leading})
        if title:
            ET.SubElement(self._inside, "title").text = "\n".join(map(printable, title.split("\n")))

    def rect(self, x: float, y: float, width: float, height: float, **style: str | float) -> None:
        """Its top left corner is at (x, y)."""
        self._add("rect", {"x": x, "y": y, "width": width, "height": height}, style)

    def circle(self, x: float, y: float, radius: float, **style: str | float) -> None:
        """Its centre is at (x, y)."""
        self._add("circle", {"cx": x, "cy": y, "r": radius}, style)

    def line(self, x1: float, y1: float, x2: float, y2: float, **style: str | float) -> None:
        """A straight one."""
        self._add("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2}, style)

    def path(self, d: str, **style: str | float) -> None:
        """An open one."""
        self._add("path", {"d": d, "fill": "none"}, style)

    def dots(self, places: Iterable[tuple[float, float]], radius: float, colour: str, opacity: float) -> None:
        """Many as one shape: a browser that shows thousands of shapes stands still meanwhile."""
        d = " ".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
        self.path(d, stroke=colour, stroke_opacity=opacity, stroke_width=2 * radius, stroke_linecap="round")

    def text(self, x: float, y: float, words: str, **style: str | float) -> None:
        """Its baseline starts at (x, y), or has its middle or its end there with ``text_anchor``."""
        self._add("text", {"x": x, "y": y}, {"font_size": 12, "fill": INK, **style}).text = printable(words)

    def svg(self) -> str:
        """The picture."""
        return ET.tostring(self._root, encoding="unicode")

    def _add(self, tag: str, place: dict[str, str | float], style: dict[str, str | float]) -> ET.Element:
        """Style names are SVG's, with ``_`` for ``-``."""
        attributes = {**place, **{name.replace("_", "-"): value for name, value in style.items()}}
        return ET.SubElement(self._inside, tag, {name: _number(value) for name, value in attributes.items()})


def bundled(many: Sequence[_Item]) -> Iterator[tuple[_Item, ...]]:
    """Things in their order, one by one where they are few, else several at a time, so that they are 150 at most.

    Shapes that lie upon each other go on to look denser, which they would not if all were one.
    """
    size, left = -(-len(many) // _MOST_SHAPES), iter(many)
    while bundle := tuple(islice(left, size)):
        yield bundle


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
