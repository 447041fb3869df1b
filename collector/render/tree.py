"""A graph as a tree in the terminal: who called whom, and under each operation what went in and what came out."""

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind, TraceGraph
from collector.core.printable import printable
from collector.render.reason import reason_of
from collector.render.words import columns, cut, short, version_words

_T = TypeVar("_T")
_DEEPEST_SHARE = 3
"""Nesting takes at most this part (one in …) of the width; deeper operations say how deep they are instead."""

_LINES_OF_FEEDBACK = 4


def text_tree(graph: TraceGraph, width: int = 110) -> str:
    """Operations nested by call in order of time, with their dataflow, output, feedback and faults; gaps at the end.

    ◆ parameter = value @where it comes from · → input · ← what came from which operation, how that is known and why ·
    = output · ★ feedback · ✗ exception. No line is wider than `width` columns, except where an id needs more.
    """
    return "\n".join(_Tree(graph, width).lines()) + "\n"


class _Tree:
    """One drawing."""

    def __init__(self, graph: TraceGraph, width: int) -> None:
        self._graph = graph
        self._width = width
        self._nodes: Mapping[str, Node] = graph.by_id()
        self._into = _grouped((edge.target, edge) for edge in graph.edges)
        self._parameters = {parameter.node: parameter for parameter in graph.parameters}
        self._feedback = _grouped((one.target.span_id, one) for one in graph.feedback)
        self._exceptions = _grouped((one.span_id, one) for one in graph.exceptions)
        operations = [node for node in graph.nodes if node.kind is NodeKind.OPERATION]
        self._several_services = len({node.service for node in operations}) > 1

    def lines(self) -> Iterator[str]:
        release = "" if self._graph.release is None else f"  release {self._graph.release}"
        yield f"trace {printable(self._graph.trace_id)}{release}"
        called = {edge.source for edge in self._graph.edges if edge.origin is EdgeOrigin.CALL}
        tops = [node for node in self._graph.nodes if node.kind is NodeKind.OPERATION and node.id not in called]
        for top in tops:
            yield from self._operation(top)
        for feedback in self._feedback[""]:
            yield from self._judgement(feedback, "")
        if self._graph.gaps:
            yield "gaps"
            for gap in self._graph.gaps:
                yield printable(f"  ! {gap.kind} at {gap.span_id}: {gap.detail}")

    def _operation(self, top: Node) -> Iterator[str]:
        # An explicit stack: traces can be deeper than Python's recursion limit.
        stack = [(top, "", "", 0)]
        while stack:
            node, branch, below, depth = stack.pop()
            calls = [self._nodes[edge.source] for edge in self._into[node.id] if edge.origin is EdgeOrigin.CALL]
            yield self._heading(branch, node)
            guide = f"{below}{'│' if calls else ' '}   "
            for line in self._details(node):
                yield cut(f"{guide}{line}", self._width)
            for feedback in self._feedback[node.span_id or ""]:
                yield from self._judgement(feedback, guide)
            stack += reversed([self._child(call, below, depth + 1, last=call is calls[-1]) for call in calls])

    def _child(self, node: Node, below: str, depth: int, *, last: bool) -> tuple[Node, str, str, int]:
        """The node, what stands before its name and before the lines under it, and its depth."""
        if columns(below) * _DEEPEST_SHARE > self._width:
            return node, f"{below}{depth}› ", below, depth
        return node, f"{below}{'└' if last else '├'}─ ", f"{below}{' ' if last else '│'}  ", depth

    def _heading(self, branch: str, node: Node) -> str:
        service = f"  [{printable(node.service)}]" if self._several_services and node.service else ""
        incomplete = "  incomplete: something was dropped or cut" if node.incomplete else ""
        tail = f"  {node.span_id}{service}{incomplete}"
        return f"{branch}{short(node.name, max(self._width - columns(branch + tail), 12))}{tail}"

    def _details(self, node: Node) -> Iterator[str]:
        for edge in self._into[node.id]:
            if edge.origin is not EdgeOrigin.CALL:
                yield self._inflow(edge, self._nodes[edge.source])
        if node.value is not None:
            yield f"= {short(node.value, self._width)}"
        for record in self._exceptions[node.span_id or ""]:
            handled = ", handled" if record.handled else ""
            yield f"✗ {printable(record.type) or 'error'}{handled}: {short(record.message, self._width)}"

    def _inflow(self, edge: Edge, source: Node) -> str:
        if source.kind is NodeKind.PARAMETER:
            where = f"  {version_words(self._parameters[source.id])}" if source.id in self._parameters else ""
            value = "?" if source.value is None else short(source.value, self._width // 2)
            return f"◆ {printable(source.name)} = {value}{where}{_said(edge)}"
        if source.kind is NodeKind.INPUT:
            return f"→ {printable(source.name)}: {short(source.value, self._width)}{_said(edge)}"
        sure = "" if edge.confidence == 1 else f", {edge.confidence:.0%}"
        argument = f"{printable(edge.argument)} " if edge.argument else ""
        rule = f", {edge.rule}" if edge.rule else ""
        known = f"{edge.origin.value}{rule}{sure}: {printable(reason_of(edge, source))}"
        return f"← {argument}from {printable(source.name)} ({known})"

    def _judgement(self, feedback: Feedback, guide: str) -> Iterator[str]:
        """Its text in full, over as many lines as it takes up to `_LINES_OF_FEEDBACK`."""
        score = "" if feedback.score is None else f"{feedback.score:.4g}"
        source = f"({feedback.source})" if feedback.source else ""
        words = " ".join(filter(None, [feedback.name, score, feedback.label, source, feedback.text]))
        room = max(self._width - columns(guide) - 2, 20)
        lines = textwrap.wrap(
            short(words, room * _LINES_OF_FEEDBACK), room, max_lines=_LINES_OF_FEEDBACK, placeholder=" …"
        )
        for number, line in enumerate(lines):
            yield f"{guide}{'  ' if number else '★ '}{line}"


def _said(edge: Edge) -> str:
    """Of what is stated only a reason of its own is worth a word."""
    return f"  ({printable(edge.reason)})" if edge.reason else ""


def _grouped(pairs: Iterable[tuple[str, _T]]) -> defaultdict[str, list[_T]]:
    groups: defaultdict[str, list[_T]] = defaultdict(list)
    for key, item in pairs:
        groups[key].append(item)
    return groups
