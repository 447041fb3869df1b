"""The site has every page, once, and no link in it leads nowhere."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE: Any = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def named(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from named(target)


def test_the_navigation_has_every_page_once() -> None:
    pages = list(named(SITE["nav"]))
    assert len(set(pages)) == len(pages)
    assert SITE["not_in_nav"].split() == ["/adr/0*.md"]
    decisions = {f"adr/{path.name}" for path in (DOCS / "adr").glob("0*.md")}
    assert {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - decisions == set(pages)
    tops = [next(iter(entry)) for entry in SITE["nav"]]
    assert tops == ["Quick start", "Instrument", "Run", "Roll out", "Troubleshoot", "Reference"]


def anchors(page: Path) -> set[str]:
    """Of its headings, as the site makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    plain = (
        re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    )
    return {re.sub(r"[-\s]+", "-", one) for one in plain}


def test_every_anchor_that_a_page_links_to_is_a_heading() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {target}#{anchor}"
        for page in DOCS.rglob("*.md")
        for target, anchor in re.findall(r"\]\(([^):#]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
        if anchor not in anchors((page.parent / target) if target else page)
    ]
    assert missing == []


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not here: pip install '.[docs]'")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "troubleshoot.html").is_file()
