"""What is shown: minimal subgraphs of runs, with feedback, in a form that either side can read."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.dataflow.capture import load, names
from benchmarks.graph.ours import judged, requests_of
from benchmarks.graph.shapes import SHAPES
from collector.core.feedback import Feedback
from collector.core.graph import NodeKind, TraceFeedback, TraceGraph
from collector.core.protocols import OptimizationRequest
from collector.core.span import SpanContext
from collector.core.study import Study, Trial
from collector.graph.builder import build
from collector.graph.subgraph import minimal_subgraph
from collector.otlp.decode import spans_of
from otel_opto.spec import ParameterSpec, ParameterType

FEEDBACK = "The answer is too wordy."


@dataclass(frozen=True, slots=True)
class Problem:
    """One judged run."""

    name: str
    graph: TraceGraph

    def request(self) -> OptimizationRequest:
        """For our side."""
        keys = {parameter.key for parameter in self.graph.parameters if parameter.trainable}
        values = {node.name: node for node in self.graph.nodes if node.kind is NodeKind.PARAMETER and node.name in keys}
        specs = tuple(_spec(key, node.value) for key, node in sorted(values.items()))
        current = {spec.key: spec.default for spec in specs}
        output = self.graph.outputs[0].node.removeprefix("span:")
        feedback = Feedback(SpanContext(self.graph.trace_id, output), "quality", 0.0, text=FEEDBACK)
        return OptimizationRequest(
            study=Study("s", "app", "quality", optimizer_options={"model": "m"}),
            parameters=specs,
            current=current,
            batch=(TraceFeedback(feedback, self.graph),),
            trials=(Trial(0, 1, current, score=0.0),),
            rejected=(),
        )

    def plain(self) -> dict[str, Any]:
        """For the other side."""
        return {
            "nodes": [
                {"id": node.id, "kind": node.kind.value, "name": node.name, "value": _plain(node.value)}
                for node in self.graph.topological()
            ],
            "edges": [[edge.source, edge.target, edge.argument] for edge in self.graph.edges],
            "output": self.graph.outputs[0].node,
            "feedback": FEEDBACK,
        }


def _plain(value: object) -> object:
    return json.loads(json.dumps(value, default=str))


def _spec(key: str, value: object) -> ParameterSpec:
    return ParameterSpec(key, ParameterType.TEXT, value if isinstance(value, str) else json.dumps(value, default=str))


def of_shapes(sizes: tuple[int, ...], long_chain: int) -> Iterator[Problem]:
    """The shapes of `benchmarks.graph`, and a chain that is longer: the other side takes minutes for the others."""
    for name, size in [*((name, size) for name in SHAPES for size in sizes), ("chain", long_chain)]:
        shape = SHAPES[name](size)
        spans = [span for body in requests_of(shape) for span in spans_of(body)]
        graph = build(spans[0].context.trace_id, spans, {}, {})
        yield Problem(f"{name} {size:,}", minimal_subgraph(graph, judged(shape)))


def _renamed(graph: TraceGraph) -> TraceGraph:
    """Parameters with keys that may be declared; discoveries as if they were."""

    def key_of(name: str) -> str:
        return re.sub(r"[^A-Za-z0-9._-]", "_", name).strip("._-") or "p"

    nodes = tuple(
        node._replace(name=key_of(node.name)) if node.kind is NodeKind.PARAMETER else node for node in graph.nodes
    )
    declared = (
        replace(one, key=key_of(one.key), trainable=one.trainable or one.discovered, discovered=False)
        for one in graph.parameters
    )
    return replace(graph, nodes=nodes, parameters=tuple(declared))


def of_captures() -> Iterator[Problem]:
    """The recorded workflows in which a trainable parameter leads to an output."""
    for name in names():
        capture = load(name)
        for truth in capture.truth["traces"]:
            trace_id = truth["trace_id"]
            graph = build(trace_id, capture.spans_of(trace_id), {}, {}, (), capture.records_of(trace_id))
            if not graph.outputs:
                continue
            found = _renamed(minimal_subgraph(graph, graph.outputs[-1].node))
            if any(one.trainable and one.node in found.by_id() for one in found.parameters):
                yield Problem(name, replace(found, outputs=graph.outputs[-1:]))
                break
