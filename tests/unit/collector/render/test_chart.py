"""Scores by release."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.study import Direction
from collector.render.chart import ScoreLevel, ScorePoint, score_bars, score_chart_svg

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [ScorePoint(1, 0.2, False), ScorePoint(2, 0.8, True), ScorePoint(14, 0.4, False)]
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def circles(picture: str) -> list[ET.Element]:
    groups = [g for g in ET.fromstring(picture).iter(f"{SVG}g") if g.get("class") == "release"]
    return [circle for group in groups for circle in group.iter(f"{SVG}circle")]


def step_line(picture: str) -> str:
    (path,) = ET.fromstring(picture).iter(f"{SVG}path")
    return path.get("d", "")


def test_bars_are_as_long_as_scores_are_high() -> None:
    assert score_bars(POINTS, 40).splitlines() == [
        f"release  1  0.200  {'█' * 10}",
        f"release  2  0.800  {'█' * 40} ★",
        f"release 14  0.400  {'█' * 20}",
    ]


def test_bars_end_to_an_eighth_and_start_below_zero_where_scores_do() -> None:
    points = [ScorePoint(1, -1.0, False), ScorePoint(2, 1.0, False), ScorePoint(3, -0.875, False)]
    assert score_bars(points, 2).splitlines() == [
        "release 1  -1.000", "release 2   1.000  ██", "release 3  -0.875  ▏",
    ]  # fmt: skip
    assert score_bars([], 40) == ""


@given(st.lists(FINITE, max_size=30), st.integers(1, 80))
def test_no_bar_is_longer_than_asked(scores: list[float], width: int) -> None:
    lines = score_bars([ScorePoint(n, score, False) for n, score in enumerate(scores)], width).splitlines()
    assert len(lines) == len(scores)
    assert all(len(re.findall("[▏▎▍▌▋▊▉█]", line)) <= width for line in lines)


def test_the_chart_has_a_dot_for_each_release_higher_for_a_higher_score() -> None:
    found = circles(score_chart_svg(POINTS, "scores"))
    heights = [float(circle.get("cy", "")) for circle in found]
    assert heights[1] < heights[2] < heights[0]
    assert [circle.get("r") for circle in found] == ["4", "7", "4"]


@pytest.mark.parametrize(("direction", "improvements"), [(Direction.MAXIMIZE, 1), (Direction.MINIMIZE, 0)])
def test_the_step_line_follows_the_direction(direction: Direction, improvements: int) -> None:
    assert step_line(score_chart_svg(POINTS, "scores", direction=direction)).count("V") == improvements


def test_levels_are_dashed_lines_whose_labels_do_not_cover_each_other() -> None:
    levels = [ScoreLevel("held out, before", 0.500), ScoreLevel("held out, after", 0.501)]
    root = ET.fromstring(score_chart_svg(POINTS, "scores", levels=levels))
    assert sum(line.get("stroke-dasharray") is not None for line in root.iter(f"{SVG}line")) == 2
    labels = [text for text in root.iter(f"{SVG}text") if (text.text or "").startswith("held out")]
    assert [text.text for text in labels] == ["held out, after 0.501", "held out, before 0.500"]
    assert float(labels[1].get("y", "")) - float(labels[0].get("y", "")) >= 14


def test_without_a_score_the_chart_says_so() -> None:
    texts = [text.text for text in ET.fromstring(score_chart_svg([], "a <title>")).iter(f"{SVG}text")]
    assert texts == ["a <title>", "no release has its score yet"]


def test_many_releases_leave_room_between_their_numbers() -> None:
    points = [ScorePoint(n, n / 200, False) for n in range(200)]
    root = ET.fromstring(score_chart_svg(points, "scores"))
    places = [float(t.get("x", "")) for t in root.iter(f"{SVG}text") if t.get("text-anchor") == "middle"]
    assert all(b - a >= 28 for a, b in pairwise(places))
    assert len(places) > 10


def test_thousands_of_scores_are_few_shapes_and_all_of_their_places() -> None:
    points = [ScorePoint(n, n % 89, n == 5, (n % 89 - 1, n % 89 + 1), 9) for n in range(5_000)]
    root = ET.fromstring(score_chart_svg(points, "scores"))
    drawn = [path.get("d", "") for group in root.iter(f"{SVG}g") for path in group.iter(f"{SVG}path")]
    alone = [
        one for group in root.iter(f"{SVG}g") if group.get("class") == "release" for one in group.iter(f"{SVG}circle")
    ]
    assert sum(path.count("h0") for path in drawn) + len(alone) == 5_000
    assert sum(path.count("V") for path in drawn) + len(alone) == 5_000
    assert "release 5: 5.000, 4.000 to 6.000, n = 9, came into force" in [one.text for one in root.iter(f"{SVG}title")]
    assert len(list(root.iter())) < 700


@given(st.lists(FINITE, min_size=1, max_size=20), st.lists(FINITE, max_size=2))
def test_whatever_the_scores_all_marks_lie_inside_the_picture(scores: list[float], levels: list[float]) -> None:
    points = [ScorePoint(n, score, n == 0) for n, score in enumerate(scores)]
    picture = score_chart_svg(points, "scores", levels=[ScoreLevel("level", level) for level in levels])
    root = ET.fromstring(picture)
    assert len(circles(picture)) == len(points)
    for circle in circles(picture):
        assert 0 < float(circle.get("cx", "")) < float(root.get("width", ""))
        assert 0 < float(circle.get("cy", "")) < float(root.get("height", ""))


def test_an_interval_is_a_line_through_its_dot_with_its_figures() -> None:
    points = [ScorePoint(1, 0.5, False, (0.25, 0.75), 40), ScorePoint(2, 0.6, True)]
    root = ET.fromstring(score_chart_svg(points, "scores"))
    first, second = (group for group in root.iter(f"{SVG}g") if group.get("class") == "release")
    (line,), (dot,) = first.iter(f"{SVG}line"), first.iter(f"{SVG}circle")
    low, high, middle = (float(one or "") for one in (line.get("y1"), line.get("y2"), dot.get("cy")))
    assert high < middle < low
    assert first.findtext(f"{SVG}title") == "release 1: 0.500, 0.250 to 0.750, n = 40"
    assert [*second.iter(f"{SVG}line")] == []
