"""Tasks of Celery, with a directory for a broker. ``python queued.py K`` asks until two workers have read that."""

import json
import os
import sys
import time
from pathlib import Path

from celery import Celery

import otel_opto

FOLDER = Path(os.environ["QUEUE"])
app = Celery("queued", broker="filesystem://", backend=f"file://{FOLDER / 'results'}")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(FOLDER / "in"),
        "data_folder_out": str(FOLDER / "in"),
        "control_folder": str(FOLDER / "control"),
    },
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
)
k = otel_opto.parameter("k", default=0)
if __name__ != "__main__":
    otel_opto.configure(service_name="forked", endpoint=os.environ["COLLECTOR"], wait_seconds=20.0)


@app.task(name="answer")
def answer() -> dict[str, int]:
    with otel_opto.start_node("task"):
        time.sleep(0.05)
        return {"pid": os.getpid(), "k": k.value}


if __name__ == "__main__":
    wanted, seen, deadline = int(sys.argv[1]), set[int](), time.monotonic() + 60.0
    while len(seen) < 2 and time.monotonic() < deadline:
        for one in [app.send_task("answer") for _ in range(4)]:
            found = one.get(timeout=60)
            if found["k"] == wanted:
                seen.add(found["pid"])
    sys.stdout.write(json.dumps(sorted(seen)))
