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

from collector.core.graph import EdgeOrigin
from collector.core.span import Resource, Span, SpanContext
from collector.graph.builder import build
from collector.graph.edges.contents import Contents
from collector.graph.spans.trace import traced

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT = f"{2**63:016x}"
SERVICE = Resource({"service.name": "shop"})
WORDS = [
    first + middle + last
    for first in ("ba", "ko", "ri", "mu", "te", "sol", "ven", "tra")
    for middle in ("lo", "ni", "sa", "ter", "qui", "dor")
    for last in ("", "n", "s", "tion", "ment", "ra", "lia", "x", "ty", "ck")
]
ROUNDS = 5

Texts = Iterator[tuple[str, str]]


def text_of(chance: random.Random, length: int) -> str:
    """Words up to a length in characters."""
    words: list[str] = []
    while length > 0:
        words.append(chance.choice(WORDS))
        length -= len(words[-1]) + 1
    return " ".join(words)


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


def measured(shape: str, count: int, length: int) -> tuple[float, float, int]:
    """CPU milliseconds of content inference alone and of the whole graph, medians; and the edges that were found."""
    spans = spans_of(shape, count, length)
    trace = traced(spans)
    inference = [_timed(lambda: sum(map(len, Contents(trace).finds.values()))) for _ in range(ROUNDS)]
    whole = [_timed(lambda: len(build(TRACE, spans, {}, {}).edges)) for _ in range(ROUNDS)]
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
            inference, whole, edges = measured(shape, count, length)
            _row((shape, f"{count:,}", f"{length:,}", f"{inference:,.0f}", f"{whole:,.0f}", edges))


if __name__ == "__main__":
    main()
