"""An application that is set up before it is forked, or after, or both: for gunicorn, and for `multiprocessing`.

COLLECTOR says where that is; ``python forked.py fork|spawn|plain N`` has N children read until each has read 2.
"""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import otel_opto

otel_opto.configure(service_name="forked", endpoint=os.environ["COLLECTOR"], wait_seconds=20.0)
k = otel_opto.parameter("k", default=0)


@otel_opto.node
def answer() -> dict[str, int]:
    otel_opto.feedback(1.0, name="liked", attributes={"pid": str(os.getpid())})
    return {"pid": os.getpid(), "k": k.value}


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer()).encode()]


def post_fork(server: object, worker: object) -> None:
    """What gunicorn calls in each worker, where it is told to."""
    otel_opto.configure(service_name="forked", endpoint=os.environ["COLLECTOR"], wait_seconds=20.0)


def until_two() -> None:
    """Prints what was read first and last."""
    first = found = answer()
    deadline = time.monotonic() + 40.0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while found["k"] != 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        found = answer()
    status = otel_opto.status()
    said = {**found, "first": first["k"], "connected": status.connected, "dropped": status.feedback_dropped}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    how, number = sys.argv[1], int(sys.argv[2])
    if how == "plain":
        pids = []
        for _ in range(number):
            pid = os.fork()
            if pid == 0:
                until_two()
                sys.exit()
            pids.append(pid)
        until_two()
        for pid in pids:
            assert os.waitpid(pid, 0)[1] == 0
    else:
        context: Any = multiprocessing.get_context(how)
        children = [context.Process(target=until_two) for _ in range(number)]
        for child in children:
            child.start()
        until_two()
        for child in children:
            child.join()
            assert child.exitcode == 0
