"""``python -m examples.experiments.two_services.guarded …``: ``otel-opto …`` that ends when its standard input does.

So it does not outlive whoever started it, even if that one is killed.
"""

import os
import signal
import sys
import threading

from collector.cli import main


def _watch() -> None:
    while os.read(0, 1):  # not by sys.stdin: an interpreter that ends would wait for its lock
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_watch, daemon=True).start()
    sys.exit(main(sys.argv[1:]))
