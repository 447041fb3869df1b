"""Scores by value as a picture."""

import math
from xml.etree import ElementTree as ET

import pytest

from collector.render.slices import SlicePoint, slices_svg

SVG = "{http://www.w3.org/2000/svg}"


def circles(slices: dict[str, list[SlicePoint]]) -> list[tuple[float, float]]:
    root = ET.fromstring(slices_svg(slices))
    return [(float(one.get("cx", "nan")), float(one.get("cy", "nan"))) for one in root.iter(f"{SVG}circle")]


def test_each_trial_is_a_point_and_the_best_lies_above() -> None:
    points = [
        SlicePoint(value, score, number, number == 0) for number, (value, score) in enumerate([(1, 0.2), (3, 0.9)])
    ]
    found = circles({"k": points})
    assert len(found) == 2
    assert found[0][0] > found[1][0]  # the second trial, further to the right, is drawn first
    assert found[0][1] < found[1][1]


@pytest.mark.parametrize("number", [0.0, 1e308, -1e308, 5e-324])
def test_numbers_of_any_size_have_a_place(number: float) -> None:
    points = [SlicePoint(number, -number, 1, False), SlicePoint(-number, number, 2, True)]
    assert all(math.isfinite(x) and math.isfinite(y) for x, y in circles({"k": points, "<&>": points}))


def test_thousands_of_trials_are_few_shapes_and_all_of_their_places() -> None:
    points = [SlicePoint(number % 97, number % 89, number, number == 5) for number in range(5_000)]
    root = ET.fromstring(slices_svg({"k": points}))
    paths = [one.get("d", "") for one in root.iter(f"{SVG}path")]
    assert sum(d.count("M") for d in paths) + len(list(root.iter(f"{SVG}circle"))) == 5_000
    assert len(list(root.iter())) < 500
    assert "trial 5: k = 5, score 5" in [one.text for one in root.iter(f"{SVG}title")]


def test_nothing_is_said() -> None:
    assert "no numeric parameter" in slices_svg({})
