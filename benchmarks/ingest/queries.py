"""What a query costs as the store grows, over HTTP, while nothing is ingested."""

import http.client
import random
import statistics
import sys
import time
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.ingest.payload import NEEDLE, NEEDLE_VALUES, OPERATIONS, SERVICES, trace_id
from benchmarks.ingest.peers import Peer, load, recipes, running

_BATCH, _CALLS = 512, 200
_SLOW_CALLS = 20


def measure_queries(sizes: Sequence[int], scratch: Path) -> None:
    """Fills one collector step by step and prints a table row for each size and query."""
    write = sys.stdout.write
    write("\n| spans stored | query | p50 ms | p99 ms |\n| --- | --- | --- | --- |\n")
    (ours,) = (recipe for recipe in recipes(None) if recipe.name == "otel-opto")
    with running(ours, scratch / "queries") as peer:
        done = 0
        for size in sizes:
            requests = size // _BATCH
            seen = load(peer, "http", requests=requests - done, first=done, spans=_BATCH, seconds=600)
            speed = seen["acknowledged_spans"] / seen["seconds"]
            write(f"| {size:,} | ingest of what is new: {speed:,.0f} spans/s | | |\n")
            done = requests
            for name, path, calls in _queries(done, random.Random(7)):
                times = sorted(_timed(peer, path) for _ in range(calls))
                p99 = times[int(len(times) * 0.99)]
                write(f"| {size:,} | {name} | {statistics.median(times):.2f} | {p99:.2f} |\n")
        write(f"\nPeak resident memory: {peer.peak_rss_bytes() / 2**20:.0f} MiB.\n")


def _queries(requests: int, made: random.Random) -> list[tuple[str, Callable[[], str], int]]:
    hour = 3_600 * 1_000_000

    def trace() -> str:
        return f"/api/traces/{trace_id(made.randrange(requests), made.randrange(_BATCH // 10))}"

    def search() -> str:
        end = time.time_ns() // 1_000 - made.randrange(10**6)
        named = {
            "service": f"service-{made.randrange(SERVICES)}",
            "operation": f"operation-{made.randrange(OPERATIONS)}",
        }
        return "/api/traces?" + urllib.parse.urlencode({**named, "start": end - hour, "end": end, "limit": 20})

    def attribute() -> str:
        wanted = f"{NEEDLE}:order-{made.randrange(NEEDLE_VALUES)}"
        query = {"service": f"service-{made.randrange(SERVICES)}", "tag": wanted, "limit": 20}
        return "/api/traces?" + urllib.parse.urlencode(query)

    def missing() -> str:
        query = {"service": "service-1", "tag": f"{NEEDLE}:nowhere-{made.random()}", "limit": 20}
        return "/api/traces?" + urllib.parse.urlencode(query)

    return [
        ("trace by id, 10 spans", trace, _CALLS),
        ("service, operation and time, 20 traces", search, _CALLS),
        ("an attribute that few spans have, 20 traces", attribute, _SLOW_CALLS),
        ("an attribute that no span has", missing, _SLOW_CALLS),
    ]


def _timed(peer: Peer, path: Callable[[], str]) -> float:
    """Milliseconds of one call on a connection that is there."""
    connection = http.client.HTTPConnection(peer.addresses["api"], timeout=60)
    connection.connect()
    asked = path()
    begun = time.perf_counter()
    connection.request("GET", asked)
    answer = connection.getresponse()
    answer.read()
    taken = time.perf_counter() - begun
    if answer.status != 200:
        raise RuntimeError(f"{asked}: HTTP {answer.status}")
    connection.close()
    return taken * 1e3
