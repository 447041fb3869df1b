"""Parts of a whole as a picture."""

from xml.etree import ElementTree as ET

from collector.render.figures.bars import bars_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_parts_are_large_the_largest_first() -> None:
    root = ET.fromstring(bars_svg({"small": 0.25, "<b>large</b>": 0.75}, "tune", "nothing"))
    groups = [group for group in root.iter(f"{SVG}g") if group.get("class") == "bar"]
    assert [group.findtext(f"{SVG}title") for group in groups] == ["<b>large</b>: 75.0%", "small: 25.0%"]
    large, small = (float([*group.iter(f"{SVG}rect")][1].get("width", "")) for group in groups)
    assert large == 3 * small


def test_of_many_the_largest_are_shown() -> None:
    root = ET.fromstring(bars_svg({f"p{number}": number / 1000 for number in range(40)}, "tune", "nothing"))
    shown = [group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g") if group.get("class") == "bar"]
    assert len(shown) == 24
    assert shown[0] == "p39: 3.9%"


def test_why_there_is_nothing_is_said() -> None:
    assert "too few trials" in bars_svg({}, "tune", "too few trials")
