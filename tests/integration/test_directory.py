"""A data directory under a running collector: looked through, copied away under load, brought back, and damaged."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.cli.client import Refused
from collector.counters import Counter
from tests import samples
from tests.integration.running import RunningCollector, eventually
from tests.integration.test_kill import SPANS, Sender


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "collector", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    with RunningCollector(tmp_path / "data") as running:
        sender = Sender(running, 1, "http")
        sender.start()
        eventually(lambda: len(sender.traces) > 30)
        before = list(sender.traces)
        made = command("backup", tmp_path / "backup", "--data-dir", tmp_path / "data")
        looked = command("doctor", "--data-dir", tmp_path / "data")
        refused = command("repair", "--data-dir", tmp_path / "data")
        running.kill()
        sender.join()
    assert (made.returncode, made.stderr) == (0, "")
    assert (looked.returncode, looked.stderr) == (0, ""), looked.stdout
    assert "a collector runs on it" in looked.stdout
    assert refused.returncode == 2
    assert "in use by another collector" in refused.stderr
    assert command("doctor", "--data-dir", tmp_path / "backup").returncode == 0
    assert command("restore", tmp_path / "backup", tmp_path / "restored").returncode == 0
    assert command("restore", tmp_path / "backup", tmp_path / "restored").returncode == 2
    with RunningCollector(tmp_path / "restored") as running:
        for trace in before:
            found = running.client.get(f"/api/traces/{samples.trace_id(trace)}")
            assert len(found["data"][0]["spans"]) == SPANS


def test_a_collector_starts_on_a_damaged_directory_and_says_it(tmp_path: Path) -> None:
    with RunningCollector(tmp_path / "data") as running:
        sender = Sender(running, 1, "http")
        sender.start()
        eventually(lambda: len(sender.traces) > 30)
        running.kill()
        sender.join()
    for name, share in (("segments/00000001.otlp", 0.4), ("otel-opto.sqlite3", 0.0)):
        path = tmp_path / "data" / name
        content = bytearray(path.read_bytes())
        content[int(len(content) * share) + 5] ^= 0xFF
        path.write_bytes(content)
    started = time.monotonic()
    with RunningCollector(tmp_path / "data") as running:
        assert time.monotonic() - started < 20
        counters = running.client.get("/v1/stats")["counters"]
        assert counters[Counter.STORAGE_DAMAGED_STRETCHES] >= 1
        readable = len(running.client.get("/v1/traces", limit=1000)["traces"])
        assert readable >= len(sender.traces) - 1
    assert command("repair", "--data-dir", tmp_path / "data").returncode == 0
    looked = command("doctor", "--data-dir", tmp_path / "data", "--json")
    assert looked.returncode == 1
    assert '"file": "00000001.otlp"' in looked.stdout


def test_a_damaged_study_is_left_out_of_the_list_and_that_is_said(tmp_path: Path) -> None:
    with RunningCollector(tmp_path / "data") as running:
        for name in ("one", "two"):
            study = {"name": name, "service": f"service-{name}", "metric": "quality", "optimizer": "search"}
            running.client.post("/v1/studies", study)
    connection = sqlite3.connect(tmp_path / "data" / "otel-opto.sqlite3")
    connection.execute("UPDATE ledger SET data = '{}' WHERE stream = 'study/one' AND version = 1")
    connection.commit()
    connection.close()
    with RunningCollector(tmp_path / "data") as running:
        listed = running.client.get("/v1/studies")
        assert [study["name"] for study in listed["studies"]] == ["two"]
        assert "study/one" in listed["message"]
        with pytest.raises(Refused, match="study/one"):
            running.client.get("/v1/studies/one")
