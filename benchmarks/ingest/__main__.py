"""What an ingested span costs, ours and others' in the same run, variants interleaved, medians over rounds.

    python -m benchmarks.ingest [--jaeger BINARY] [--rounds 3] [--stored 1000000]

`pip install rotel` for the first peer; `scripts/peers` builds the Jaeger binary. Prints Markdown tables.
"""

import argparse
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ingest.peers import Peer, load, recipes, running
from benchmarks.ingest.queries import measure_queries

SHAPES = (("http", 512, 4), ("http", 512, 16), ("http", 100, 4), ("http", 100, 16), ("http", 512, 1),
          ("grpc", 512, 4), ("grpc", 512, 16), ("grpc", 100, 4), ("grpc", 100, 16))  # fmt: skip
"""Protocol, spans a request, connections."""

_SLOW = ("Jaeger, badger",)
"""Peers that get a fifth of the load, so that a run ends."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One load on one peer."""

    spans: float
    cpu_micros: float
    spans_per_second: float
    p50_ms: float
    p99_ms: float
    disk_bytes: float


def sample(peer: Peer, shape: tuple[str, int, int], spans: int, first: int) -> Sample:
    """One load; CPU is read when everything is stored (we acknowledge nothing before)."""
    protocol, batch, connections = shape
    before, bytes_before = peer.cpu_seconds(), peer.stored_bytes()
    seen = load(peer, protocol, connections=connections, requests=spans // batch, first=first, spans=batch, seconds=60)
    taken = seen["acknowledged_spans"]
    return Sample(
        spans=taken,
        cpu_micros=(peer.cpu_seconds() - before) / taken * 1e6,
        spans_per_second=taken / seen["seconds"],
        p50_ms=seen["p50_ms"],
        p99_ms=seen["p99_ms"],
        disk_bytes=(peer.stored_bytes() - bytes_before) / taken,
    )


def compare(jaeger: Path | None, spans: int, rounds: int, scratch: Path) -> None:
    """The table of shapes and peers."""
    samples: dict[tuple[tuple[str, int, int], str], list[Sample]] = defaultdict(list)
    rss: dict[str, list[int]] = defaultdict(list)
    names = [recipe.name for recipe in recipes(jaeger)]
    for _ in range(rounds):
        for shape in SHAPES:
            for recipe in recipes(jaeger):
                amount = spans // 5 if recipe.name in _SLOW else spans
                with running(recipe, scratch / "peer") as peer:
                    sample(peer, shape, amount // 10, 0)  # connections, caches, the first segment
                    samples[shape, recipe.name].append(sample(peer, shape, amount, 10**6))
                    rss[recipe.name].append(peer.peak_rss_bytes())
    show(samples, names, rss)


def show(
    samples: Mapping[tuple[tuple[str, int, int], str], Sequence[Sample]],
    names: Sequence[str],
    rss: Mapping[str, Sequence[int]],
) -> None:
    """Prints medians and the median of per-round ratios."""
    write = sys.stdout.write
    write(
        "| load | server | acknowledged spans/s | CPU µs/span | ratio to rotel | p50 / p99 ms | bytes/span on disk |\n"
    )
    write("| --- | --- | --- | --- | --- | --- | --- |\n")
    for shape in SHAPES:
        for name in names:
            of = samples[shape, name]
            base = samples.get((shape, "rotel, blackhole"), of)
            ratio = statistics.median(one.cpu_micros / other.cpu_micros for one, other in zip(of, base, strict=True))
            middle = {key: statistics.median(getattr(one, key) for one in of) for key in Sample.__slots__}
            write(
                f"| {shape[0]}, {shape[1]} spans, {shape[2]} connections | {name} | {middle['spans_per_second']:,.0f} |"
                f" {middle['cpu_micros']:.2f} | {ratio:.2f} | {middle['p50_ms']:.1f} / {middle['p99_ms']:.1f} |"
                f" {middle['disk_bytes']:.0f} |\n"
            )
    write("\nPeak resident memory: ")
    write(", ".join(f"{name} {max(rss[name]) / 2**20:.0f} MiB" for name in names) + ".\n")


def main() -> None:
    """Runs everything that can be run here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jaeger", type=Path, help="the Jaeger binary")
    parser.add_argument("--spans", type=int, default=300_000, help="of one load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--stored", type=int, nargs="*", default=[1_000_000], help="sizes at which queries are measured"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if given.rounds:
            compare(given.jaeger, given.spans, given.rounds, Path(scratch))
        if given.stored:
            measure_queries(sorted(given.stored), Path(scratch))


if __name__ == "__main__":
    main()
