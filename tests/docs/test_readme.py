"""What the README says is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

from otel_opto.testing import FakeReleaseServer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


HARNESS = """
search = lambda question, limit: [question] * limit
generate = lambda question, found: f"{question} {len(found)}"
%s
assert answer("why?") == "why? 3", answer("why?")
assert otel_opto._sdk.feedback_events.dropped == 0
input()
"""


def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    with FakeReleaseServer() as server:
        environment = {**os.environ, "OTEL_OPTO_ENDPOINT": server.endpoint, "OTEL_OPTO_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", HARNESS % example]
        application = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        assert server.wait_for_declaration("retriever.top_k").default.integer == 3
        application.communicate(b"\n", timeout=60)
    assert application.returncode == 0


def test_every_command_that_it_names_exists() -> None:
    from collector.cli import parser

    named = set(re.findall(r"^otel-opto ([a-z]+)", "\n".join(blocks("sh")), re.MULTILINE))
    assert named >= {"collector", "studies", "releases", "graph"}
    usage = parser().format_help()
    assert [name for name in named if not re.search(rf"^ +{name}\b", usage, re.MULTILINE)] == []


def test_every_file_that_the_documents_link_to_is_there() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    missing = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert missing == []


def test_every_path_in_the_architecture_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:collector|otel_opto|tests|proto)/[\w/.]*)`", text))
    assert len(paths) > 15
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    decisions = [path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")]
    assert [name for name in decisions if name not in index] == []
