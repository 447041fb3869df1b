"""What it costs to show a layered graph, as one table: ``python -m benchmarks.graph.pictures``."""

import statistics
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.graph.ours import requests_of
from benchmarks.graph.shapes import layered
from collector.core.graph import TraceGraph
from collector.graph.builder import build
from collector.otlp.decode import spans_of
from collector.render.document import graph_document
from collector.render.dot import graphviz
from collector.render.layout import lay_out
from collector.render.svg import graph_svg
from collector.render.tgj import tgj_document
from collector.render.tree import text_tree

_FORMS: Sequence[tuple[str, Callable[[TraceGraph], object]]] = (
    ("layout of all", lay_out),
    ("SVG", graph_svg),
    ("text tree", text_tree),
    ("DOT", graphviz),
    ("JSON", graph_document),
    ("TGJ", tgj_document),
)
_ROUNDS = 5


def main() -> None:
    """CPU milliseconds, medians."""
    _row(["operations", *(f"{name} ms" for name, _ in _FORMS)])
    _row(["---:"] * (len(_FORMS) + 1))
    for size in (10, 100, 1_000, 10_000):
        spans = [span for request in requests_of(layered(size)) for span in spans_of(request)]
        graph = build(spans[0].context.trace_id, spans, {}, {})
        _row([f"{size:,}", *(f"{_milliseconds(form, graph):,.1f}" for _, form in _FORMS)])


def _milliseconds(form: Callable[[TraceGraph], object], graph: TraceGraph) -> float:
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.process_time_ns()
        form(graph)
        rounds.append((time.process_time_ns() - begun) / 1e6)
    return statistics.median(rounds)


def _row(cells: Sequence[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
