"""The page is made of the raw results, and says when it is not."""

import shutil
from pathlib import Path

import pytest

from examples.experiments.frame.page import Page
from examples.experiments.frame.results import Line, Results

ROOT = Path(__file__).parents[4]


def results(folder: Path) -> Results:
    found = Results(folder / "numerical.jsonl")
    for method in ("adam", "random"):
        for seed in (1, 2, 3):
            for call, part in ((0, "train"), (1, "train"), (1, "end")):
                score = None if part == "end" else 1.0 - call * (0.5 if method == "adam" else 0.1)
                found.add(
                    Line(
                        "short", "", method, seed, call, part, score, {"x0": 1.0}, "", 0, 0, 0, 0, (), "", "",
                        "a machine", "2026-01-02",
                    )
                )  # fmt: skip
    return found


def test_the_committed_page_is_what_the_committed_results_say() -> None:
    stale = Page(ROOT / "examples" / "experiments" / "results", ROOT / "docs").stale()
    assert list(stale) == [], "run python -m examples.experiments.page and commit docs/"


def test_a_page_has_tables_with_n_and_intervals_and_what_may_be_concluded(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots are drawn by matplotlib: pip install 'otel-opto[experiments]'")
    results(tmp_path / "results")
    page = Page(tmp_path / "results", tmp_path / "docs")
    assert set(page.stale()) == {"numerical.svg", "experiments.md"}
    assert set(page.write()) == {"numerical.svg", "experiments.md"}
    text = (tmp_path / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert "| adam | 3 | 0.5 (0.5 to 0.5) |" in text
    assert "Not run: `optoprime` (needs model)" in text
    assert "Problems that were not run: sentiment, " in text, "what has no results is on the page, too"
    assert "**What not.**" in text
    assert "a machine; 2026-01-02" in text
    assert page.stale() == []
    drawn = (tmp_path / "docs" / "experiments" / "numerical.svg").read_text(encoding="utf-8")
    assert ">adam</text>" in drawn
    assert page.write() == [], "the same results give the same bytes"


def test_a_new_line_makes_page_and_plot_stale(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots are drawn by matplotlib: pip install 'otel-opto[experiments]'")
    found = results(tmp_path / "results")
    page = Page(tmp_path / "results", tmp_path / "docs")
    page.write()
    shutil.copytree(tmp_path / "docs", tmp_path / "before")
    end = found.lines[-1]
    for part in ("train", "end"):
        found.add(
            Line(
                "short", "", "random", 4, 0, part, 0.2 if part == "train" else None, {}, "", 0, 0, 0, 0, (), "", "",
                end.machine, end.date,
            )
        )  # fmt: skip
    assert set(page.stale()) == {"numerical.svg", "experiments.md"}
