"""Feedback of an application that has set up tracing and nothing for log events."""

import subprocess
import sys
from pathlib import Path

from tests.integration.running import RunningCollector

ROOT = Path(__file__).parents[2]


def test_without_a_logger_provider_feedback_comes_to_the_collector_by_itself(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "import otel_opto\n"
        "otel_opto.configure(service_name='x', endpoint=sys.argv[1], cache_dir=sys.argv[2], wait_seconds=20)\n"
        "with otel_opto.start_node('request'):\n"
        "    for score in range(5):\n"
        "        otel_opto.feedback(score / 10)\n"
        "while otel_opto.status().feedback_queued:\n"
        "    time.sleep(0.01)\n"
        "status = otel_opto.status()\n"
        "assert (status.feedback_given, status.feedback_sent, status.feedback_dropped) == (5, 5, 0), status\n"
    )
    with RunningCollector(tmp_path / "data") as collector:
        done = subprocess.run(
            [sys.executable, str(script), collector.grpc, str(tmp_path)],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env={"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        scores = [one["score"] for one in collector.client.get("/v1/feedback")["feedback"]]
    assert sorted(scores) == [0.0, 0.1, 0.2, 0.3, 0.4]
