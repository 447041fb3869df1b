"""``python -m benchmarks.page [--spans 1000000] [--trials 10000]``: every page, with much stored.

The server's time is that of a request from outside until the last byte, of a collector in a process of its own, by the
clock and in processor time of that process and its workers; the browser's is Chromium's first contentful paint, with
scripts and styles in its cache as on every page but the first, and the longest task of the page's thread until two
seconds after it; of both, too, the processor time of that thread, which other processes on the machine do not lengthen
by waiting. Medians.
"""

import argparse
import asyncio
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

import collector.ui
from benchmarks.ingest.payload import trace_id
from benchmarks.page.filling import SERVICE, STUDIES, fill
from benchmarks.page.painting import Painted, painter

_SETTLING_SECONDS, _IDLE_MILLIS = 120, 50.0
_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def pages(spans: int) -> Mapping[str, str]:
    """What is opened."""
    trace = trace_id(spans // 512 // 2, 3)
    return {
        "overview": "/",
        "studies": "/studies",
        "study": f"/studies/{STUDIES[0]}",
        "trial": f"/studies/{STUDIES[0]}/trials/7",
        "compare": f"/compare?study={STUDIES[0]}&study={STUDIES[1]}",
        "importance": f"/studies/{STUDIES[0]}/importance",
        "releases": "/releases",
        "rollouts": "/rollouts",
        "traces": "/traces",
        "search by service": f"/traces?service={SERVICE}",
        "trace": f"/traces/{trace}",
        "service": f"/services/{SERVICE}",
        "parameter": f"/services/{SERVICE}/parameters/prompt",
        "doctor": "/doctor",
    }


@contextmanager
def _collector(directory: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "collector", "collector", "--data-dir", str(directory)]
    for option in ("--otlp-grpc", "--otlp-http", "--api", "--jaeger-storage"):
        command += [option, "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["api"], process.pid
        finally:
            process.terminate()


def _cpu(pid: int) -> float:
    """Milliseconds of a process and of its children that are there."""
    children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).split()
    ticks = 0
    for one in (str(pid), *children):
        with_name = Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(with_name[11]) + int(with_name[12])
    return ticks / os.sysconf("SC_CLK_TCK") * 1e3


def _settle(pid: int) -> None:
    """Returns once a collector that has just started is done with what it does behind everything else."""
    for _ in range(_SETTLING_SECONDS):
        before = _cpu(pid)
        time.sleep(1)
        if _cpu(pid) - before < _IDLE_MILLIS:
            return


@dataclass(frozen=True, slots=True)
class _Served:
    """Milliseconds of the first request, of some more, and of the processor for each of these; bytes of an answer."""

    first: float
    times: Sequence[float]
    cpu: float
    size: int


def _server(address: str, pid: int, path: str, rounds: int) -> _Served:
    times, size, before = [], 0, 0.0
    connection = http.client.HTTPConnection(address, timeout=120)
    for number in range(rounds + 1):
        if number == 1:
            before = _cpu(pid)
        begun = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        size = len(answer.read())
        times.append((time.perf_counter() - begun) * 1e3)
        if answer.status != http.client.OK:
            raise SystemExit(f"{path}: {answer.status}")
    connection.close()
    return _Served(times[0], times[1:], (_cpu(pid) - before) / rounds, size)


def _percentile(times: Sequence[float], part: float) -> float:
    return sorted(times)[min(round(part * len(times)), len(times) - 1)]


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--trials", type=int, default=10_000, help="of two studies together")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--paints", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="is filled, and kept; what is filled already is used as it is")
    given = parser.parse_args()
    directory = given.directory or Path(tempfile.mkdtemp(prefix="otel-opto-page-"))
    if not directory.exists() or not any(directory.iterdir()):
        directory.mkdir(exist_ok=True)
        asyncio.run(fill(directory, given.spans, given.trials))
    with _collector(directory) as (address, pid):
        _measure(address, pid, given)
    if given.directory is None:
        shutil.rmtree(directory)


def _measure(address: str, pid: int, given: argparse.Namespace) -> None:
    _settle(pid)
    print(f"{os.cpu_count()} cores, load of the last minute {os.getloadavg()[0]:.1f}\n")
    print("| page | first ms | p50 ms | p99 ms | CPU ms | bytes |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, path in pages(given.spans).items():
        found = _server(address, pid, path, given.rounds)
        clock = f"{found.first:,.0f} | {statistics.median(found.times):,.1f} | {_percentile(found.times, 0.99):,.1f}"
        print(f"| {name} | {clock} | {found.cpu:,.1f} | {found.size:,} |", flush=True)
    if given.paints:
        _painted(address, given)


def _painted(address: str, given: argparse.Namespace) -> None:
    program = os.environ.get("OTEL_OPTO_CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        raise SystemExit("there is no Chromium: scripts/browser, or --paints 0")
    print("\n| page | first paint ms | CPU until then ms | longest task ms | most CPU of a task ms |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with painter(program, f"http://{address}") as paint:
        paint("/studies/" + STUDIES[0])
        for name, path in pages(given.spans).items():
            seen = [paint(path) for _ in range(given.paints)]
            middle = Painted(*(statistics.median(values) for values in zip(*map(astuple, seen), strict=True)))
            figures = (middle.paint, middle.cpu, middle.task, middle.task_cpu)
            print(f"| {name} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |", flush=True)
    static = Path(collector.ui.__file__).parent / "static"
    size = sum(path.stat().st_size for path in static.rglob("*") if path.suffix in (".js", ".css", ".svg"))
    print(f"\nscripts, styles and the icon: {size:,} bytes")


if __name__ == "__main__":
    main()
