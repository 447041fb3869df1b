"""The processes of the experiment: a collector, and two services for each run."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[3]
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Collector:
    """Where it listens: addresses with their schemes."""

    otlp: str
    api: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two services.

    Attributes:
        finder: The `service.name` of the one behind; so of `answerer`, which users call.
        address: Of the answerer.
    """

    finder: str
    answerer: str
    address: str


@contextlib.contextmanager
def collector(directory: Path) -> Iterator[Collector]:
    """``otel-opto collector`` on free loopback ports."""
    free = ["--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--api", "127.0.0.1:0"]
    guarded = ["-m", "examples.experiments.two_services.guarded", "collector"]
    command = [*guarded, "--data-dir", str(directory / "data"), "--jaeger-storage", "", *free]
    with _started(command, directory / "collector.log", directory) as ready:
        yield Collector(f"http://{ready['otlp_grpc']}", f"http://{ready['api']}")


@contextlib.contextmanager
def pair(name: str, endpoint: str, directory: Path) -> Iterator[Pair]:
    """Both services, connected to the collector; one name is part of both of theirs."""
    module = ["-m", "examples.experiments.two_services.service"]
    finder, answerer = f"finder-{name}", f"answerer-{name}"
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(
            _started([*module, "finder", finder, endpoint], directory / f"{finder}.log", directory / finder)
        )
        command = [*module, "answerer", answerer, endpoint, behind["address"]]
        front = stack.enter_context(_started(command, directory / f"{answerer}.log", directory / answerer))
        yield Pair(finder, answerer, front["address"])


@contextlib.contextmanager
def _started(command: Sequence[str], log: Path, cache: Path) -> Iterator[dict[str, Any]]:
    """A child process that says in one JSON line where it is, and that ends when its standard input does.

    Raises:
        RuntimeError: it ended before that; names its log.
    """
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "OTEL_OPTO_CACHE_DIR": str(cache)}
    with (
        log.open("a", encoding="utf-8") as errors,
        subprocess.Popen(  # noqa: S603 - our own command lines
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{' '.join(command)} ended with {process.wait()} before it was ready; see {log}")
            yield json.loads(line)
        finally:
            process.stdin.close()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
