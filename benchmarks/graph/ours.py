"""Our side: OTLP bytes to spans, spans to the graph, the graph to the minimal subgraph. One process per case."""

import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from benchmarks.graph.shapes import SHAPES, Shape
from collector.core.graph import TraceGraph
from collector.core.span import Span as DecodedSpan
from collector.graph.builder import build
from collector.graph.subgraph import minimal_subgraph
from collector.otlp.decode import spans_of
from collector.process.allocator import collect_seldom

T = TypeVar("T")
_TRACE = "0af7651916cd43dd8448eb211c80319c"
_START, _STEP = 1_700_000_000_000_000_000, 1_000
_REQUEST_SPANS = 512
"""As many as a batch span processor exports at once."""


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU milliseconds, and bytes of the Python heap per span."""

    decode: float
    build: float
    subgraph: float
    kept: float
    peak: float


def requests_of(shape: Shape) -> list[bytes]:
    """The run as an application with our attributes and span links exports it, the root last."""
    size = len(shape.uses)
    spans = [_operation(shape, number) for number in range(size)]
    spans.append(_span(size, "run", 0, size + 1, {"opto.output": '"done"'}, shape.joined))
    spans[-1].parent_span_id = b""
    return [_request(spans[at : at + _REQUEST_SPANS]) for at in range(0, len(spans), _REQUEST_SPANS)]


def judged(shape: Shape) -> str:
    """The node id of the output."""
    size = len(shape.uses)
    return f"span:{_span_id(size if shape.joined else size - 1).hex()}"


def _span_id(number: int) -> bytes:
    return (number + 1).to_bytes(8, "big")


def _operation(shape: Shape, number: int) -> Span:
    values = {f"opto.param.p{key}.value": f'"prompt {key}"' for key in shape.uses[number]}
    values["opto.output"] = f'"answer {number}"'
    return _span(number, "step", number, number + 1, values, shape.sources[number], parent=len(shape.uses))


def _span(
    number: int, name: str, start: int, end: int, values: dict[str, str], sources: tuple[int, ...], parent: int = 0
) -> Span:
    span = Span(
        trace_id=bytes.fromhex(_TRACE),
        span_id=_span_id(number),
        parent_span_id=_span_id(parent),
        name=name,
        start_time_unix_nano=_START + start * _STEP,
        end_time_unix_nano=_START + end * _STEP,
        attributes=[KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()],
    )
    for place, source in enumerate(sources):
        argument = KeyValue(key="opto.arg", value=AnyValue(string_value=f"x{place}"))
        span.links.add(trace_id=span.trace_id, span_id=_span_id(source), attributes=[argument])
    return span


def _request(spans: list[Span]) -> bytes:
    service = KeyValue(key="service.name", value=AnyValue(string_value="shop"))
    resource = ResourceSpans(resource=Resource(attributes=[service]), scope_spans=[ScopeSpans(spans=spans)])
    return ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()


def measured(name: str, size: int, rounds: int) -> Costs:
    """Medians over the rounds; memory in a round of its own, because measuring it takes time."""
    shape = SHAPES[name](size)
    requests, output = requests_of(shape), judged(shape)
    times: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        decode, spans = _timed(partial(_decoded, requests))
        assemble, graph = _timed(partial(build, _TRACE, spans, {}, {}))
        reduce, subgraph = _timed(partial(minimal_subgraph, graph, output))
        if len(subgraph.nodes) != shape.nodes:
            raise AssertionError(f"{name} {size}: {len(subgraph.nodes)} nodes, {shape.nodes} were expected")
        times.append((decode, assemble, reduce))
    spans = _decoded(requests)
    kept, peak = _memory(lambda: minimal_subgraph(build(_TRACE, spans, {}, {}), output))
    decode, assemble, reduce = (statistics.median(column) for column in zip(*times, strict=True))
    return Costs(decode, assemble, reduce, kept / size, peak / size)


def _decoded(requests: list[bytes]) -> list[DecodedSpan]:
    return [span for request in requests for span in spans_of(request)]


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    begun = time.process_time_ns()
    result = work()
    return (time.process_time_ns() - begun) / 1e6, result


def _memory(work: Callable[[], TraceGraph]) -> tuple[int, int]:
    gc.collect()
    tracemalloc.start()
    result = work()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (kept if result.nodes else 0), peak


if __name__ == "__main__":
    collect_seldom()  # as the collector does
    costs = measured(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    json.dump({name: getattr(costs, name) for name in Costs.__slots__}, sys.stdout)
