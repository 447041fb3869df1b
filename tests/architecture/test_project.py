"""Promises of the project as a whole."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_sdk_depends_on_opentelemetry_grpc_and_protobuf_only() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=!~ ;\[]", requirement)[0] for requirement in project["dependencies"]}
    assert names == {"opentelemetry-sdk", "opentelemetry-exporter-otlp", "grpcio", "protobuf"}


def test_the_sdk_imports_nothing_of_the_collector_and_its_extras() -> None:
    script = (
        "import sys, otel_opto\n"
        "heavy = {'collector', 'pydantic', 'starlette', 'uvicorn', 'optuna', 'openai', 'yaml', 'uvloop'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_text_names_a_place_on_somebodys_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    private = re.compile(r"/(?:home|root|Users|work)/[A-Za-z0-9_.]+")
    found = [
        name
        for name in listed.splitlines()
        if (ROOT / name).is_file() and private.search((ROOT / name).read_text(encoding="utf-8", errors="ignore"))
    ]
    assert found == []
