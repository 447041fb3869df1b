"""Two services beside a real collector: what is learnt of feedback that neither of them ever sees."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]

LATE = """
import tempfile, time
from pathlib import Path
from collector.cli.client import ApiClient
from examples.experiments.two_services.edge import Judge, ask
from examples.experiments.two_services.processes import collector, pair
from examples.experiments.two_services.serving import Caller
from examples.retrieval_qa.corpus import load_questions

with tempfile.TemporaryDirectory() as place, collector(Path(place)) as running:
    client = ApiClient(running.api)
    with pair("t", running.otlp, Path(place)) as services:
        front = Caller(services.address)
        with Judge(client, 1.0) as judge:
            asked = [ask(front, question) for question in list(load_questions().values())[:3]]
            for one in asked:
                judge.later(one)
            assert judge.sent == 0, "it comes late"
            deadline = time.monotonic() + 240
            while judge.sent < 3 and judge.error is None and time.monotonic() < deadline:
                time.sleep(0.05)
        front.close()
    assert judge.error is None, judge.error
    while time.monotonic() < deadline:
        traces = {one.handle.split("-")[1] for one in asked}
        graphs = [client.get(f"/v1/traces/{trace}/graph") for trace in traces]
        services = [{node.get("service") for node in graph["nodes"]} for graph in graphs]
        heard = [graph["feedback"] for graph in graphs]
        if all(heard) and all({"finder-t", "answerer-t"} <= some for some in services):
            break
        time.sleep(0.1)
    else:
        raise SystemExit(f"{services} {heard}")
print("one trace in both, judged")
"""


def test_a_trace_goes_through_both_and_is_judged_when_it_is_over() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LATE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "one trace in both, judged\n"), done.stderr
