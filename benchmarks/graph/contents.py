"""What content inference costs: ``python -m benchmarks.graph.contents``.

Operations that each take one text and make one, out of 480 words: many texts have every word in common, which is the
worst case for finding one in another.
"""

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.graph.foreign import ROOT, SERVICE, TRACE, foreign
from benchmarks.graph.words import text_of
from collector.core.graph import EdgeOrigin
from collector.core.span import Span, SpanContext
from collector.graph.builder import build
from collector.graph.edges.contents import Contents
from collector.graph.spans.trace import traced
from collector.process.allocator import collect_seldom

MOST_ROUNDS = 5
ROUNDS_FOR = 20_000
"""So many operations are measured again and again in all, once at least."""

Texts = Iterator[tuple[str, str]]


def unrelated(chance: random.Random, count: int, length: int) -> Texts:
    """Nothing flows."""
    for _ in range(count):
        yield text_of(chance, length), text_of(chance, length)


def chain(chance: random.Random, count: int, length: int) -> Texts:
    """Each text stands inside the next input."""
    made = text_of(chance, length)
    for _ in range(count):
        taken = f"{text_of(chance, length // 8)} {made} {text_of(chance, length // 8)}"
        made = text_of(chance, length)
        yield taken, made


def shared(chance: random.Random, count: int, length: int) -> Texts:
    """All are given the same."""
    taken = text_of(chance, length)
    for _ in range(count):
        yield taken, text_of(chance, length)


SHAPES: dict[str, Callable[[random.Random, int, int], Texts]] = {
    "unrelated": unrelated, "chain": chain, "shared": shared,
}  # fmt: skip


def spans_of(shape: str, count: int, length: int) -> list[Span]:
    """A trace with OpenInference's attributes."""
    spans = [Span(SpanContext(TRACE, ROOT), None, "run", 1, 10 * count + 9, resource=SERVICE)]
    for number, (taken, made) in enumerate(SHAPES[shape](random.Random(1), count, length), 1):
        attributes = {"openinference.span.kind": "CHAIN", "input.value": taken, "output.value": made}
        context, begin = SpanContext(TRACE, f"{number:016x}"), 10 * number + 1
        spans.append(Span(context, ROOT, "step", begin, begin + 8, attributes=attributes, resource=SERVICE))
    return spans


def measured(spans: list[Span]) -> tuple[float, float, int]:
    """CPU milliseconds of content inference alone and of the whole graph, medians; and the edges that were found."""
    trace = traced(spans)
    rounds = range(max(1, min(MOST_ROUNDS, ROUNDS_FOR // len(spans))))
    inference = [_timed(lambda: sum(map(len, Contents(trace).finds.values()))) for _ in rounds]
    whole = [_timed(lambda: len(build(TRACE, spans, {}, {}).edges)) for _ in rounds]
    edges = sum(edge.origin is EdgeOrigin.CONTENT for edge in build(TRACE, spans, {}, {}).edges)
    return statistics.median(inference), statistics.median(whole), edges


def _timed(work: Callable[[], int]) -> float:
    gc.collect()
    begun = time.process_time_ns()
    work()
    return (time.process_time_ns() - begun) / 1e6


def _row(cells: Sequence[object]) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


def main() -> None:
    """Prints the table."""
    _row(("shape", "operations", "characters each way", "content inference ms", "whole graph ms", "content edges"))
    _row(("---", "---:", "---:", "---:", "---:", "---:"))
    for shape in SHAPES:
        for count, length in ((250, 4_000), (1_000, 4_000), (4_000, 4_000), (1_000, 1_000), (1_000, 16_000)):
            _measure(shape, count, f"{length:,}", spans_of(shape, count, length))
    for count in (4_000, 40_000):
        _measure("foreign", count, "200 to 600", foreign(count))


def _measure(shape: str, count: int, length: str, spans: list[Span]) -> None:
    inference, whole, edges = measured(spans)
    _row((shape, f"{count:,}", length, f"{inference:,.0f}", f"{whole:,.0f}", edges))


if __name__ == "__main__":
    collect_seldom()  # as the collector does
    main()
