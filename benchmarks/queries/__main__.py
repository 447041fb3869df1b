"""Prints one table: ``python -m benchmarks.queries [--spans 100000,500000,2500000] [--graphs 10000,40000]``.

A store in this process, 512 spans a request, every span of which began at one and the same time: nothing but the order
of their coming tells which traces are the newest. Medians of a few runs, by the clock and in CPU time of this process
and its workers.
"""

import argparse
import asyncio
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from benchmarks.ingest.payload import NEEDLE, template, trace_id
from collector.api.drawing import Drawing, drawing
from collector.assembly.assembly import Assembly
from collector.core.page import PageRequest
from collector.core.study import Reach
from collector.core.telemetry import TraceQuery
from collector.otlp.request import read_traces
from collector.process.allocator import collect_seldom
from collector.storage.file_store import FileStore
from collector.workers.workers import Workers

_BATCH, _SERVICES = 512, 5
_START = 1_700_000_000 * 10**9
_ROUNDS = 3
_PATIENT = 300.0


class _Clock:
    def now_unix_nano(self) -> int:
        return time.time_ns()


async def main() -> None:
    """Fills a store step by step, and asks."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=__doc__)
    options.add_argument("--spans", default="100000,500000,2500000")
    options.add_argument("--graphs", default="10000,20000,40000")
    given = options.parse_args()
    collect_seldom()
    sys.stdout.write("| spans | query | answer | ms | CPU ms |\n| ---: | --- | --- | ---: | ---: |\n")
    with tempfile.TemporaryDirectory() as directory:
        await _searches(Path(directory), [int(size) for size in given.spans.split(",")])
    for size in map(int, given.graphs.split(",")):
        with tempfile.TemporaryDirectory() as directory:
            await _graphs(Path(directory), size)


async def _searches(directory: Path, sizes: Sequence[int]) -> None:
    store = FileStore(directory, _Clock(), search_seconds=_PATIENT)
    await store.start()
    templates = [template(_BATCH, seed) for seed in range(_SERVICES)]
    done = 0
    for size in sizes:
        for number in range(done, size // _BATCH):
            made = templates[number % _SERVICES]
            body = bytearray(made.stamped(number, _START))
            for offset, _ in made.times:
                body[offset : offset + 8] = _START.to_bytes(8, "little")
            await store.log.append(read_traces(bytes(body), time.time_ns()).request)
        done = size // _BATCH
        for name, ask in _asked(store, done):
            await _row(size, name, ask)
        for path in (directory / "segments").glob("*.calls"):
            path.unlink()
        for name in ("dependencies, counted for the first time", "dependencies, looked up"):
            await _row(
                size, name, lambda: store.search.dependencies(0, 2**63 - 1), rounds=1 if "first" in name else _ROUNDS
            )
    await store.stop()


def _asked(store: FileStore, requests: int) -> list[tuple[str, Callable[[], Awaitable[Sequence[object]]]]]:
    absent = TraceQuery(attributes={NEEDLE: "nowhere"}, limit=20)
    return [
        (
            "20 traces of a service, all of one time",
            lambda: store.search.find(TraceQuery(service="service-1", limit=20)),
        ),
        ("1,500 traces, all of one time", lambda: store.search.find(TraceQuery(limit=1_500))),
        ("20 traces with an attribute that no span has", lambda: store.search.find(absent)),
        ("a trace of 10 spans by id", lambda: store.log.trace(trace_id(requests // 2, 3))),
        ("the list of the last 100 traces", lambda: _listed(store)),
    ]


async def _graphs(directory: Path, size: int) -> None:
    store, workers = FileStore(directory, _Clock()), Workers()
    await store.start()
    wanted = os.urandom(16)
    for number in range(0, size, 2_000):
        await store.log.append(read_traces(_foreign(wanted, number, min(2_000, size - number)), time.time_ns()).request)
    assembly = Assembly(store, _no_release, workers)
    for form in ("json", "svg"):
        await _row(
            size, f"graph as {form}", lambda form=form: assembly.made(wanted.hex(), Reach.TRACE, drawing(Drawing(form)))
        )  # type: ignore[misc]
    await workers.stop()
    await store.stop()


async def _no_release(_: int) -> None:
    return None


def _foreign(wanted: bytes, first: int, count: int) -> bytes:
    """Spans of other conventions than ours, all under one parent."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(first, first + count):
        start = _START + number * 1_000
        said = {
            "gen_ai.prompt": f"what is {number}",
            "input.value": f"in {number}",
            "output.value": f"out {number}",
        }
        spans.add(
            trace_id=wanted,
            span_id=(number + 1).to_bytes(8, "big"),
            parent_span_id=(1).to_bytes(8, "big") if number else b"",
            name="op",
            kind=1,
            start_time_unix_nano=start,
            end_time_unix_nano=start + 500,
            attributes=[KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in said.items()],
        )
    return request.SerializeToString()


async def _listed(store: FileStore) -> Sequence[object]:
    return (await store.search.traces(PageRequest(100))).items


async def _row(size: int, name: str, ask: Callable[[], Awaitable[Sequence[object]]], rounds: int = _ROUNDS) -> None:
    times, cpu, answer = [], [], ""
    for _ in range(rounds):
        before, begun = _cpu(), time.perf_counter()
        found = await ask()
        times.append((time.perf_counter() - begun) * 1e3)
        cpu.append((_cpu() - before) * 1e3)
        answer = f"{len(found):,} bytes" if isinstance(found, bytes) else f"{len(found):,}"
    row = [f"{size:,}", name, answer, f"{statistics.median(times):,.1f}", f"{statistics.median(cpu):,.1f}"]
    sys.stdout.write(f"| {' | '.join(row)} |\n")
    sys.stdout.flush()


def _cpu() -> float:
    """Seconds of this process and of its workers, which are there while it waits."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = 0.0
    task = Path("/proc/self/task").glob("*/children")
    ticks = os.sysconf("SC_CLK_TCK")
    for pid in " ".join(path.read_text() for path in task).split():
        with_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        children += (int(with_name[11]) + int(with_name[12])) / ticks
    return own.ru_utime + own.ru_stime + children


if __name__ == "__main__":
    if shutil.disk_usage(tempfile.gettempdir()).free < 8 * 2**30:
        sys.stderr.write("2,500,000 spans take 2.5 GB of disk\n")
    asyncio.run(main())
