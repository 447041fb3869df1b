"""A graph as a tree in the terminal: who called whom, and under each operation what flowed into it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind, TraceGraph
from collector.render.words import short


def text_tree(graph: TraceGraph, width: int = 110) -> str:
    """Operations nested by call, in order of time; ◆ parameter, → input, ← dataflow, = output, ★ feedback, ✗ fault."""
    return "\n".join(_Tree(graph, width).lines()) + "\n"


class _Tree:
    def __init__(self, graph: TraceGraph, width: int) -> None:
        self._graph = graph
        self._width = width
        self._nodes: Mapping[str, Node] = graph.by_id()
        self._into: defaultdict[str, list[Edge]] = defaultdict(list)
        for edge in graph.edges:
            self._into[edge.target].append(edge)
        self._called = {edge.source for edge in graph.edges if edge.origin is EdgeOrigin.CALL}

    def lines(self) -> Iterator[str]:
        release = f", release {self._graph.release}" if self._graph.release is not None else ""
        yield f"trace {self._graph.trace_id}{release}"
        # An explicit stack: traces can be deeper than Python's recursion limit.
        tops = [
            node.id for node in self._graph.nodes if node.kind is NodeKind.OPERATION and node.id not in self._called
        ]
        stack = [(node_id, 0) for node_id in reversed(tops)]
        while stack:
            node_id, depth = stack.pop()
            yield from self._operation(self._nodes[node_id], depth)
            children = [edge.source for edge in self._into[node_id] if edge.origin is EdgeOrigin.CALL]
            stack += [(child, depth + 1) for child in reversed(children)]
        if self._graph.gaps:
            yield "gaps"
            yield from (f"  {gap.kind} at {gap.span_id}: {gap.detail}" for gap in self._graph.gaps)

    def _operation(self, node: Node, depth: int) -> Iterator[str]:
        indent = "  " * min(depth, 30)
        marks = " (incomplete)" if node.incomplete else ""
        yield f"{indent}● {node.name}  {node.span_id}{marks}"
        for line in self._details(node):
            yield self._cut(f"{indent}    {line}")

    def _details(self, node: Node) -> Iterator[str]:
        for edge in self._into[node.id]:
            source = self._nodes[edge.source]
            if source.kind is NodeKind.PARAMETER:
                yield f"◆ {source.name} = {short(source.value, self._width)}  @{source.id.rpartition('@')[2]}"
            elif source.kind is NodeKind.INPUT:
                yield f"→ {source.name}: {short(source.value, self._width)}"
            elif edge.origin is not EdgeOrigin.CALL:
                sure = "" if edge.confidence == 1 else f", {edge.confidence:.0%}"
                yield f"← {edge.argument or 'something'} from {source.name} ({edge.origin.value}{sure})"
        if node.value is not None:
            yield f"= {short(node.value, self._width)}"
        yield from self._judgements(node)

    def _judgements(self, node: Node) -> Iterator[str]:
        for feedback in self._graph.feedback:
            if feedback.target.span_id == node.span_id:
                score = "" if feedback.score is None else f" {feedback.score:.3g}"
                said = " ".join(filter(None, [feedback.label, short(feedback.text, self._width)]))
                yield f"★ {feedback.name}{score} {said}"
        for record in self._graph.exceptions:
            if record.span_id == node.span_id:
                yield f"✗ {record.type}: {short(record.message, self._width)}{' (handled)' if record.handled else ''}"

    def _cut(self, line: str) -> str:
        return line if len(line) <= self._width else line[: self._width - 1] + "…"
