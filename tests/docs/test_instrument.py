"""An application that is traced already needs few lines."""

import difflib
from pathlib import Path

import pytest

APPS = Path(__file__).parents[2] / "examples" / "existing_apps"
AFTER = sorted(APPS.glob("*/after/*.py"))


@pytest.mark.parametrize("after", AFTER, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_at_most_five_lines_change(after: Path) -> None:
    before = after.parent.parent / "before" / after.name
    texts = [path.read_text(encoding="utf-8").splitlines() for path in (before, after)]
    changed = [line for line in difflib.ndiff(*texts) if line.startswith("+ ") and line.strip() != "+"]
    assert 3 <= len(changed) <= 5, changed


def test_the_applications_are_these() -> None:
    assert len(AFTER) == 5


def test_the_parameters_file_on_the_page_is_the_example_s() -> None:
    page = (APPS.parents[1] / "docs" / "instrument.md").read_text(encoding="utf-8")
    assert (APPS.parent / "no_code" / "parameters.yaml").read_text(encoding="utf-8") in page
