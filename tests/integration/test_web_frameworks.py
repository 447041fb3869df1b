"""Requests that enter by somebody's framework and its instrumentation, without a node of ours: one release each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("sampling", ["sampled", "unsampled"])
@pytest.mark.parametrize("framework", ["flask", "django", "fastapi", "grpc", "celery"])
def test_a_request_reads_one_release_wherever_it_goes(framework: str, sampling: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "served.py"), framework, sampling, str(tmp_path)],
        cwd=HERE.parents[1], capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [len(reads) for reads in said["read"]] == [3, 2, 3, 2, 3]
    assert [len(set(reads)) for reads in said["read"]] == [1] * 5, said
    assert said["read"][-1][0] > 1
    if sampling == "sampled":
        assert said["on_spans"] == [[str(reads[0])] for reads in said["read"]]
        assert [reads[0] for reads in said["read"]] == [1, 2, 3, 4, 5]  # what was in force where the request entered
    else:
        assert said["on_spans"] == []
