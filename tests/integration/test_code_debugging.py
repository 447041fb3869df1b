"""The example of code debugging through the ordinary API, with scripted answers: plumbing, not wits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_openai import ScriptedOpenAI, suggesting
from tests.integration.running import RunningCollector, eventually

ROOT = Path(__file__).parents[2]
KEY = "durations.seconds"
FORBIDDEN = "def seconds(text):\n    import os\n    return os.system(text)\n"
BROKEN = """def seconds(text):
    units = {"s": 1, "m": 60, "h": 3600}
    total = 0
    for number, unit in re.findall("([0-9]+)([a-z]?)", text):
        total += int(number) * units[unit]
    return total
"""
MENDED = "import re\n\n\n" + BROKEN.replace('"h": 3600', '"h": 3600, "d": 86400, "": 1')
STUDY: dict[str, Any] = {
    "name": "debug", "service": "debugging", "metric": "passed", "optimizer": "optoprime", "batch_size": 7,
    "max_trials": 2, "seed": 1, "exploration": {"share": 1.0, "feedback_delay_seconds": 1.0},
}  # fmt: skip


def test_a_function_is_mended_by_what_the_interpreter_says(collector: RunningCollector, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.code_debugging", "--endpoint", collector.grpc]
    command += ["--cache-dir", str(tmp_path / "cache"), "--seconds", "240"]
    with ScriptedOpenAI([suggesting(**{KEY: text}) for text in (FORBIDDEN, BROKEN, MENDED)]) as model:
        options = {"model": "m", "base_url": model.base_url, "response_format": "text"}
        program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            eventually(lambda: KEY in json.dumps(collector.client.get("/v1/services/debugging/parameters")), 60)
            collector.client.post("/v1/studies", {**STUDY, "optimizer_options": options})
            said, errors = program.communicate(timeout=240)
        finally:
            if program.poll() is None:
                program.kill()
                program.communicate()
        assert program.returncode == 0, (said, errors)
        asked = [sent["messages"][-1]["content"] for sent in model.requests]

    said_of_releases = [line.partition(": ")[2] for line in said.splitlines() if line.startswith("release")]
    assert said_of_releases[0] == "3 of 7 tests pass"
    assert "0 of 7 tests pass" in said_of_releases
    assert said_of_releases[-1] == "7 of 7 tests pass"
    assert said.endswith(f"{MENDED}\n")
    assert '   4 |     for number, unit in re.findall("([0-9]+)([a-z]?)", text):    <--- NameError' in errors

    first, refused, second = asked[:3]
    assert "exception in seconds: KeyError: \"'d'\" at line" in first
    assert "line 2: import of 'os'; allowed: re" in refused
    assert "raised NameError: name 're' is not defined, at line 4: for number, unit in" in second
    trials = collector.client.get("/v1/studies/debug")["trials"]
    assert [trial["values"].get(KEY, "") for trial in trials[1:3]] == [BROKEN, MENDED]
    # A window may close in the middle of a run, whose other tests then count in the next one.
    assert trials[0]["score"] == pytest.approx(3 / 7, abs=0.1)
    assert trials[1]["score"] == pytest.approx(0.0, abs=0.1)

    diff = [sys.executable, "-m", "collector", "releases", "diff", "1", "2", "--collector", collector.api]
    shown = subprocess.run(diff, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"\n{KEY}:\n--- before\n+++ after\n" in shown
    assert "\n-    number, unit = text[:-1], text[-1]\n" in shown
    assert "\n+    total = 0\n" in shown
