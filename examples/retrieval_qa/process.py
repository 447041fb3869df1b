"""The process: serves until SIGTERM or SIGINT, then sends what is left of its telemetry."""

import argparse
import json
import logging
import signal
import sys
import threading
from pathlib import Path

from . import telemetry
from .application import Application
from .corpus import load_corpus, load_questions
from .server import Server


def main() -> None:
    """Prints one JSON line with its address once it answers."""
    parser = argparse.ArgumentParser(prog="python -m retrieval_qa", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--endpoint", default="http://127.0.0.1:4317", help="OTLP/gRPC, and releases")
    parser.add_argument("--cache-dir", type=Path, help="keeps the last release")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level="INFO")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sent = telemetry.set_up(arguments.endpoint, arguments.cache_dir)
    server = Server(arguments.host, arguments.port, Application(load_corpus(), load_questions()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.server_address[:2]
    sys.stdout.write(json.dumps({"http": f"{host!s}:{port}"}) + "\n")
    sys.stdout.flush()
    stopping.wait()
    server.shutdown()
    server.server_close()
    sent.shut_down()
