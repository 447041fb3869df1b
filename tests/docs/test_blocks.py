"""The Python of a page runs, from its first block to its last, as one program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BEFORE = """
import otel_opto
from otel_opto.testing import Rehearsal, SpanCapture

running = Rehearsal(otel_opto._sdk, SpanCapture.of_process()).running()
rehearsal = running.__enter__()
"""
AFTER = """
assert otel_opto._sdk.feedback_events.dropped == 0
running.__exit__(None, None, None)
"""
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "page", ["code.md", "feedback.md", "from-trace.md", "openfeature.md", "parameters.md", "selection.md", "train.md"]
)
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    program = tmp_path / "page.py"
    program.write_text("\n".join((BEFORE, *blocks, AFTER)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
