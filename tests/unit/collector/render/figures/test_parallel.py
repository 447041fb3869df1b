"""Parallel coordinates as a picture."""

import re
from xml.etree import ElementTree as ET

import pytest

from collector.render.figures.parallel import ParallelLine, parallel_svg

SVG = "{http://www.w3.org/2000/svg}"


def paths(axes: list[str], lines: list[ParallelLine]) -> list[list[tuple[str, float, float]]]:
    root = ET.fromstring(parallel_svg(axes, lines))
    return [
        [(pen, float(x), float(y)) for pen, x, y in re.findall(r"([ML])(\S+) (\S+)", one.get("d", ""))]
        for one in root.iter(f"{SVG}path")
    ]


def test_each_trial_is_a_line_and_the_best_lies_above() -> None:
    best, other = paths(
        ["a", "b"], [ParallelLine({"a": 1, "b": 9}, 0.9, 0, True), ParallelLine({"a": 3, "b": 5}, 0.2, 1, False)]
    )[::-1]
    assert [pen for pen, _, _ in best] == ["M", "L", "L"]
    assert [x for _, x, _ in best] == [x for _, x, _ in other] == sorted(x for _, x, _ in best)
    low, high = best[0][2], other[0][2]
    assert low > high  # the origin is at the top
    assert [y for _, _, y in best] == [low, high, high]
    assert [y for _, _, y in other] == [high, low, low]


def test_thousands_of_trials_are_few_shapes_and_all_of_their_lines() -> None:
    lines = [ParallelLine({"a": number % 97, "b": number % 89}, number, number, number == 5) for number in range(5_000)]
    found = paths(["a", "b"], lines)
    assert sum(pen == "M" for one in found for pen, _, _ in one) == 5_000
    assert len(found) < 200


def test_a_line_has_a_gap_where_a_value_is_missing() -> None:
    whole, gap = paths(
        ["a", "b", "c"],
        [ParallelLine({"a": 1, "b": 2, "c": 3}, 1, 0, False), ParallelLine({"a": 2, "c": 1}, 2, 1, False)],
    )
    assert len(whole) == 4
    assert [pen for pen, _, _ in gap] == ["M", "M", "L"]


@pytest.mark.parametrize("number", [0.0, 1e308, -1e308, 5e-324])
def test_numbers_of_any_size_have_a_place(number: float) -> None:
    lines = [ParallelLine({"<&>": number}, -number, 0, False), ParallelLine({"<&>": -number}, number, 1, True)]
    assert all(40 <= y <= 310 for line in paths(["<&>", "never"], lines) for _, _, y in line)


def test_nothing_is_said() -> None:
    assert "no numeric parameter" in parallel_svg([], [])
