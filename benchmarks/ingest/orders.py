"""Whether the order in which an encoder writes fields makes a span dearer.

    python -m benchmarks.ingest.orders [--rounds 40] [--spans 512]

One process, the orders interleaved, CPU time of the process, medians over rounds. Prints a Markdown table.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.ingest.payload import template
from collector.otlp.request import read_traces
from collector.process.allocator import keep_freed_memory
from collector.storage.file_store import FileStore
from tests.encodings import falling, value_first

ORDERS: Mapping[str, Callable[[ExportTraceServiceRequest], bytes]] = {
    "rising, key first (SDKs)": lambda request: request.SerializeToString(),
    "rising, value first": value_first,
    "falling, value first (OpenTelemetry Collector)": falling,
}
_REQUESTS = 8


class _Clock:
    def now_unix_nano(self) -> int:
        return time.time_ns()


async def measure(spans: int, rounds: int, directory: Path) -> Mapping[tuple[str, str], Sequence[float]]:
    """CPU µs per span, of each round, by order and by what was done."""
    store = FileStore(directory, _Clock())
    await store.start()
    requests = [
        ExportTraceServiceRequest.FromString(template(spans, seed).stamped(seed, time.time_ns()))
        for seed in range(_REQUESTS)
    ]
    bodies = {name: [encoded(request) for request in requests] for name, encoded in ORDERS.items()}
    found: dict[tuple[str, str], list[float]] = {(name, what): [] for name in ORDERS for what in ("read", "keep")}
    for _ in range(rounds):
        for name in ORDERS:
            for what, doing in (("read", _read), ("keep", _keep)):
                begun = time.process_time()
                await doing(store, bodies[name])
                found[name, what].append((time.process_time() - begun) / _REQUESTS / spans * 1e6)
    await store.stop()
    return found


async def _read(_: FileStore, bodies: Sequence[bytes]) -> None:
    for body in bodies:
        read_traces(body, 1)


async def _keep(store: FileStore, bodies: Sequence[bytes]) -> None:
    appended: list[Awaitable[None]] = [store.log.append(read_traces(body, 1).request) for body in bodies]
    await asyncio.gather(*appended)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--spans", type=int, default=512, help="of one request")
    given = parser.parse_args()
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as scratch:
        found = asyncio.run(measure(given.spans, given.rounds, Path(scratch)))
    first = next(iter(ORDERS))
    write = sys.stdout.write
    write("| order of fields | read, CPU µs/span | ratio | read and keep, CPU µs/span | ratio |\n")
    write("| --- | --- | --- | --- | --- |\n")
    for name in ORDERS:
        cells = []
        for what in ("read", "keep"):
            pairs = zip(found[name, what], found[first, what], strict=True)
            ratio = statistics.median(one / other for one, other in pairs)
            cells.append(f"{statistics.median(found[name, what]):.2f} | {ratio:.2f}")
        write(f"| {name} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
