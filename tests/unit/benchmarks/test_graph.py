"""The benchmark measures what it says: whole graphs, every node of them in the minimal subgraph."""

import pytest

from benchmarks.graph.ours import judged, measured, requests_of
from benchmarks.graph.shapes import SHAPES
from collector.core.graph import EdgeOrigin
from collector.graph.builder import build
from collector.otlp.decode import spans_of


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("size", [10, 30])
def test_the_graph_is_the_shape(name: str, size: int) -> None:
    shape = SHAPES[name](size)
    spans = [span for request in requests_of(shape) for span in spans_of(request)]
    graph = build(spans[0].context.trace_id, spans, {}, {})
    stated = [edge for edge in graph.edges if edge.origin is EdgeOrigin.LINK]
    assert len(stated) == sum(map(len, (*shape.uses, *shape.sources, shape.joined)))
    assert judged(shape) in graph.by_id()
    assert measured(name, size, 1).subgraph > 0


def test_the_rows_of_a_layered_graph_are_ten_wide_with_two_sources_each() -> None:
    shape = SHAPES["layered"](30)
    assert shape.sources[9] == ()
    assert shape.sources[10] == (0, 1)
    assert shape.sources[29] == (19, 10)
    assert shape.joined == tuple(range(20, 30))
