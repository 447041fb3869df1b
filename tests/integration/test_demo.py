"""``otel-opto demo`` as a person starts it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET


def demo(*arguments: str, browser: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "collector", "demo", *arguments]
    environment = {**os.environ, **({"BROWSER": browser} if browser else {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)


def recording(directory: Path) -> tuple[str, Path]:
    """A browser, as the variable BROWSER names one, and the file with what it was told to open."""
    program, opened = directory / "browser.py", directory / "opened"
    program.write_text(f"import sys; open({str(opened)!r}, 'a').write(sys.argv[1])", encoding="utf-8")
    return f"{sys.executable} {program} %s", opened


def test_the_demo_gets_better_and_says_where_everything_is(tmp_path: Path) -> None:
    browser, opened = recording(tmp_path)
    tmp_path = tmp_path / "data"
    done = demo("--releases", "8", "--seed", "1", "--data-dir", str(tmp_path), "--open", browser=browser)
    assert done.returncode == 0, done.stdout + done.stderr
    (page,) = re.findall(r"\Apage +(http://127\.0\.0\.1:\d+)/ ", done.stdout)
    assert opened.read_text(encoding="utf-8") == page
    before, after = map(float, re.findall(r"It got better: ([\d.]+) → ([\d.]+)", done.stdout)[0])
    assert after > before
    assert done.stdout.count("\nrelease ") >= 9
    assert re.search(r"\b(answer|extractor|ranker|retriever)\.[a-z_]+ .+", done.stdout)  # which one is chance's
    for picture in ("scores.svg", "graph.svg"):
        assert ET.parse(tmp_path / picture).getroot().tag.endswith("svg")
    (command,) = re.findall(r"otel-opto (graph [0-9a-f]{32} --data-dir \S+)", done.stdout)
    graph = subprocess.run(
        [sys.executable, "-m", "collector", *command.split()], capture_output=True, text=True, timeout=60, check=True
    )
    assert all(step in graph.stdout for step in ("analyse_question", "retrieve", "rank", "extract_answer"))
    assert "← ranked from rank (link" in graph.stdout
    assert "★ answer_quality" in graph.stdout


def test_the_demo_survives_a_killed_collector(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "collector", "demo", "--releases", "8", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("release   3"):
                (pid,) = re.findall(r"collector .*\(pid (\d+)\)", "".join(said))
                os.kill(int(pid), signal.SIGKILL)
    text = "".join(said)
    assert process.returncode == 0, text
    assert "died and was started again on what it kept" in text
    assert [int(number) for number in re.findall(r"^release +(\d+) +score", text, re.MULTILINE)] == list(range(1, 10))


def test_the_demo_begins_afresh(tmp_path: Path) -> None:
    (tmp_path / "earlier").touch()
    refused = demo("--data-dir", str(tmp_path))
    assert (refused.returncode, "is not empty; give a new directory" in refused.stderr) == (2, True)


def test_the_demo_needs_a_model_for_optoprime() -> None:
    refused = demo("--optimizer", "optoprime")
    assert (refused.returncode, "--model NAME" in refused.stderr) == (2, True)


def test_a_demo_that_cannot_get_better_says_so(tmp_path: Path) -> None:
    done = demo("--optimizer", "optoprime", "--model", "m", "--option", "base_url=http://127.0.0.1:9/v1",
                "--option", "timeout_seconds=1", "--releases", "1", "--data-dir", str(tmp_path))  # fmt: skip
    assert done.returncode == 1
    assert "did NOT get better" in done.stdout
    assert "failed" in done.stdout
