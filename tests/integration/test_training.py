"""What was trained in one process goes on in a collector: its traces, its examples, its release."""

from pathlib import Path

import otel_opto
from tests.integration.running import RunningCollector
from tests.unit.otel_opto_train.trainer.test_resume import APP, COMMAND, DATA, run

MORE = ("--rounds", "2", "--test", "0.5")


def test_a_collector_runs_on_the_directory_and_takes_the_release(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "data.jsonl").write_text(DATA, encoding="utf-8")
    first = run(tmp_path, (*COMMAND, *MORE), OTEL_SERVICE_NAME="qa")
    assert (first.returncode, first.stderr) == (0, "")
    with RunningCollector(tmp_path / "kept") as collector:
        found = otel_opto.stored_examples(collector.api, operation="answer", metric="quality", at_least=0.5)
        assert {one.input for one in found} <= {f"q{number}" for number in range(24)}
        assert {one.expected.text for one in found} == {"nearer to 142"}
        changed = {"kept": "other", "data.jsonl": collector.api}
        command = [*(changed.get(one, one) for one in COMMAND), "--operation", "answer", *MORE]
        past = [*command, "--release", "--service", "qa", "--collector", collector.api]
        guide = APP.replace("output - expected", "output - 142")
        (tmp_path / "app.py").write_text(guide, encoding="utf-8")
        second = run(tmp_path, past, OTEL_SERVICE_NAME="qa")
        assert (second.returncode, second.stderr.count("\n")) == (0, 1)
        assert "release 2 of qa has the values and is in force for nobody" in second.stderr
        released = collector.client.get("/v1/releases/2")
        assert released["values"]["shout"] is True
        assert "better by +" in released["reason"]
        assert collector.client.get("/v1/services/qa/assignment")["arms"] == []
