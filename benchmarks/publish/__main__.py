"""How soon a rollback is with everybody who watches: ``python -m benchmarks.publish [--watchers N]``.

A collector in a process of its own, watchers with a connection each in other processes, all on this machine. What is
measured begins when a person calls and ends when a watcher has the message. Prints a Markdown table.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.publish.server import Server
from benchmarks.publish.watchers import Watchers

_SERVICE = "shop"
_PROCESSES = 2
_CONNECT_SECONDS, _RECEIVE_SECONDS = 180.0, 60.0
_UNREAD_RELEASES = 30
_LONG_TEXT = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Push:
    """One rollback: milliseconds, and how many of the watchers got it."""

    got: int
    answered: float
    first: float
    median: float
    p99: float
    last: float
    cpu: float


def push(server: Server, watchers: Watchers, release: int = 1) -> Push:
    """Rolls back and waits until everybody has it."""
    cpu, begun = server.cpu_seconds(), time.monotonic()
    number = server.api.post(f"/v1/releases/{release}/rollback", {})["number"]
    answered = time.monotonic()
    times = [(at - begun) * 1e3 for at in watchers.received(number, _RECEIVE_SECONDS)]
    if not times:
        raise SystemExit(f"nobody received release {number}")
    p99 = times[int(len(times) * 0.99)]
    spent = (server.cpu_seconds() - cpu) * 1e3
    return Push(len(times), (answered - begun) * 1e3, times[0], statistics.median(times), p99, times[-1], spent)


def pushes(server: Server, watchers: Watchers, rounds: int, name: str) -> None:
    """A row: the medians of several."""
    found = [push(server, watchers) for _ in range(rounds)]
    middle = [
        statistics.median(getattr(one, field) for one in found)
        for field in ("answered", "first", "median", "p99", "last", "cpu")
    ]
    got = min(one.got for one in found)
    best = min(one.p99 for one in found)
    row = f"{got:,} of {watchers.count:,} | " + " | ".join(f"{value:,.0f}" for value in (*middle, best))
    sys.stdout.write(f"| {name} | {row} |\n")
    sys.stdout.flush()


def unread(server: Server, watchers: Watchers, count: int, rounds: int) -> str:
    """Many long releases while some do not read: what the collector holds, and how the others fare."""
    with watching(server, count, 1) as slow:
        text = "x" * _LONG_TEXT
        parameter = {"key": "text", "type": "text", "default": text}
        server.api.put(f"/v1/services/{_SERVICE}/parameters", {"parameters": [*_numbers(), parameter]})
        long = server.api.post(f"/v1/services/{_SERVICE}/releases", {"values": {"text": text + "y"}})["number"]
        push(server, watchers, long)
        slow.received(long, _RECEIVE_SECONDS)
        with slow.stopped():
            before = server.resident_mib()
            for _ in range(_UNREAD_RELEASES):
                last = server.api.post(f"/v1/releases/{long}/rollback", {})["number"]
            watchers.received(last, _RECEIVE_SECONDS)
            after = server.resident_mib()
            pushes(server, watchers, rounds, f"while {count} do not read")
            last = server.api.post("/v1/releases/1/rollback", {})["number"]
        got = len(slow.received(last, _RECEIVE_SECONDS))
    return (
        f"{_UNREAD_RELEASES} releases of {_LONG_TEXT // 1024} KiB while {count} watchers did not read: the collector's "
        f"memory went from {before:.0f} to {after:.0f} MiB; the last one reached {got} of them when they read again.\n"
    )


def storm(server: Server, watchers: Watchers) -> str:
    """Kills the collector, brings it back, and waits for everybody."""
    server.kill()
    begun = time.monotonic()
    server.start()
    ready = time.monotonic()
    cpu = server.cpu_seconds()
    live = watchers.connected(_CONNECT_SECONDS)
    back = time.monotonic()
    return (
        f"SIGKILL: ready again after {ready - begun:.1f} s, {live:,} of {watchers.count:,} watchers back "
        f"{back - ready:.1f} s later (each waits 0.2 to 1.2 s before it tries), {server.cpu_seconds() - cpu:.1f} s "
        f"of CPU, {server.resident_mib():.0f} MiB.\n"
    )


@contextmanager
def watching(server: Server, count: int, processes: int) -> Iterator[Watchers]:
    """Watchers that are all connected."""
    watchers = Watchers(server.grpc, _SERVICE, count, processes)
    try:
        live = watchers.connected(_CONNECT_SECONDS)
        if live < count:
            raise SystemExit(f"{live} of {count} watchers could connect")
        yield watchers
    finally:
        watchers.end()


def _numbers() -> list[dict[str, object]]:
    return [
        {"key": f"k{number}", "type": "float", "default": 0.5, "minimum": 0.0, "maximum": 1.0} for number in range(10)
    ]


def main() -> None:
    """Starts, measures, prints, and ends what it started."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.publish", description=__doc__)
    options.add_argument("--watchers", type=int, default=1_000)
    options.add_argument("--rounds", type=int, default=9, help="rollbacks a row")
    options.add_argument("--unread", type=int, default=90, help="watchers that do not read; 0 leaves them out")
    options.add_argument("--no-storm", action="store_true", help="leave out the restart")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch) / "data", given.watchers + given.unread + 64)
        try:
            measure(server, given)
        finally:
            server.stop()


def measure(server: Server, given: argparse.Namespace) -> None:
    """All rows."""
    server.api.put(f"/v1/services/{_SERVICE}/parameters", {"parameters": _numbers()})
    server.api.post(f"/v1/services/{_SERVICE}/releases", {"values": {"k0": 0.25}})
    idle, words = server.resident_mib(), []
    sys.stdout.write(
        "| rollback | received | answered ms | first ms | p50 ms | p99 ms | last ms | CPU ms | best p99 ms |\n"
    )
    sys.stdout.write("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
    with watching(server, given.watchers, _PROCESSES) as watchers:
        words.append(f"{given.watchers:,} watchers: {server.resident_mib() - idle:.0f} MiB.\n")
        push(server, watchers)
        pushes(server, watchers, given.rounds, "to all")
        if not given.no_storm:
            words.append(storm(server, watchers))
            pushes(server, watchers, given.rounds, "after a restart")
        if given.unread:
            words.append(unread(server, watchers, given.unread, given.rounds))
    sys.stdout.write("\n" + "".join(words))


if __name__ == "__main__":
    main()
