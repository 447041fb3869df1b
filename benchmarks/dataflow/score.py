"""Counts what a graph has of the truth.

- flow: a true edge whose value stands in both spans is found where an edge that is no call, or a path of such edges
  through nodes without a span, joins the families of the two spans.
- hard: the other true edges between spans that do not contain each other.
- back: a value that returns to an ancestor's output reaches it by edges inside of that.
- false: an edge, not a call, that the truth rules out.
- precision: of the edges that are no calls, those that true edges explain, families included.
- parameters: the text (a template's literal parts) stands in a parameter that is used in the family of a span that the
  truth names. extra: parameters that match nothing.
- final: the first output contains the true one, or is contained in it.
- across: a true edge between traces, in the graph of all of them together.
- exceptions: one is recorded in the family of the true span.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from benchmarks.dataflow.family import Tree
from collector.core.graph import EdgeOrigin, NodeKind, TraceGraph
from collector.core.span import AnyValue

Truth = Mapping[str, Any]
Pairs = set[tuple[str, str]]

IN_BOTH = "value in both spans"

FLOWS = frozenset((EdgeOrigin.LINK, EdgeOrigin.CONTENT, EdgeOrigin.SEQUENCE))
"""The origins of edges by which a value went from one operation to another."""


def score(truth: Truth, graph: TraceGraph, tree: Tree) -> tuple[Counter[str], list[str]]:
    """The counts of one trace, and in words what is missing or wrong."""
    counts: Counter[str] = Counter()
    notes: list[str] = []
    every = span_edges(graph)
    flows = {(source, target) for source, target, origin in every if origin in FLOWS}
    notes += _edges(truth, flows, {(source, target) for source, target, _ in every}, tree, counts)
    notes += _precision(truth, flows, tree, counts)
    notes += _parameters(truth, graph, tree, counts)
    notes += _ending(truth, graph, tree, counts)
    return counts, notes


def across(truth: Truth, graph: TraceGraph, tree: Tree) -> tuple[Counter[str], list[str]]:
    """The counts of the edges that lead into one trace from others, in a graph of all traces."""
    counts: Counter[str] = Counter()
    notes: list[str] = []
    flows = {(source, target) for source, target, origin in span_edges(graph) if origin in FLOWS}
    for edge in truth.get("cross_trace_edges") or ():
        source, target = edge["producer_span_id"], edge["consumer_span_id"]
        sources, targets = tree.family(source, target), tree.family(target, source)
        hit = any(one in sources and other in targets for one, other in flows)
        counts["across"] += 1
        counts["across found"] += hit
        if not hit:
            notes.append(f"across missed: {edge['producer_span']} -> {edge['consumer_span']} ({edge['via']})")
    return counts, notes


def span_edges(graph: TraceGraph) -> set[tuple[str, str, EdgeOrigin]]:
    """Edges between spans; of a path through other nodes the origin is a call's if any edge on it is one."""
    spans = {node.id: node.span_id for node in graph.nodes if node.kind is NodeKind.OPERATION and node.span_id}
    following = defaultdict(list)
    for edge in graph.edges:
        following[edge.source].append(edge)
    found: set[tuple[str, str, EdgeOrigin]] = set()
    for start, span_id in spans.items():
        todo: list[tuple[str, EdgeOrigin | None]] = [(start, None)]
        seen = {start}
        while todo:
            node, before = todo.pop()
            for edge in following[node]:
                call = EdgeOrigin.CALL in (before, edge.origin)
                origin = EdgeOrigin.CALL if call else (before or edge.origin)
                if edge.target in spans and spans[edge.target] != span_id:
                    found.add((span_id, spans[edge.target], origin))
                elif edge.target not in seen:
                    seen.add(edge.target)
                    todo.append((edge.target, origin))
    return found


def _edges(truth: Truth, flows: Pairs, every: Pairs, tree: Tree, counts: Counter[str]) -> Iterator[str]:
    for edge in truth["edges"]:
        source, target = edge["producer_span_id"], edge["consumer_span_id"]
        seen = edge["observable"] == IN_BOTH
        if edge["kind"] == "flow":
            sources, targets = tree.family(source, target), tree.family(target, source)
            hit = any(one in sources and other in targets for one, other in flows)
            key = "flow" if seen else "hard"
        else:
            inside = tree.below(target) | {target} if edge["kind"] == "return" else tree.below(source) | {source}
            hit = target in reach([source], every, inside)
            hit = hit or (edge["kind"] == "call" and bool({(source, target), (target, source)} & every))
            key = ("back" if edge["kind"] == "return" else "call") if seen else "unseen"
        counts[key] += 1
        counts[f"{key} found"] += hit
        if not hit and key in ("flow", "hard"):
            yield f"{key} missed: {edge['producer_span']} -> {edge['consumer_span']} ({edge['via']})"
    for edge in truth.get("non_edges", ()):
        said = (edge["producer_span_id"], edge["consumer_span_id"]) in flows
        counts["ruled out"] += 1
        counts["false"] += said
        if said:
            yield f"false: {edge['producer_span']} -> {edge['consumer_span']} ({edge['why']})"


def reach(start: Iterable[str], edges: Pairs, inside: set[str]) -> set[str]:
    """What can be reached without leaving a set of spans."""
    following = defaultdict(list)
    for source, target in edges:
        following[source].append(target)
    found: set[str] = set()
    todo = list(start)
    while todo:
        for target in following[todo.pop()]:
            if target in inside and target not in found:
                found.add(target)
                todo.append(target)
    return found


def _precision(truth: Truth, flows: Pairs, tree: Tree, counts: Counter[str]) -> Iterator[str]:
    true = _true(truth)
    for source, target in sorted(flows):
        if source not in tree.names or target not in tree.names or tree.nested(source, target):
            continue
        right = _explained(source, target, true, tree)
        counts["said"] += 1
        counts["right"] += right
        if not right:
            yield f"unexplained: {tree.names[source]} -> {tree.names[target]}"


def explained(truth: Truth, source: str, target: str, tree: Tree) -> bool:
    """Whether true edges lead from the one to the other, families included."""
    return _explained(source, target, _true(truth), tree)


def _true(truth: Truth) -> Mapping[str, set[str]]:
    true = defaultdict(set)
    for edge in (*truth["edges"], *truth.get("llm_flow_on_the_wire", ())):
        true[edge["producer_span_id"]].add(edge["consumer_span_id"])
    return true


def _explained(source: str, target: str, true: Mapping[str, set[str]], tree: Tree) -> bool:
    goal = tree.family(target, source)
    todo, seen = [source], {source}
    while todo:
        for one in tree.family(todo.pop(), target):
            for other in true.get(one, ()):
                if other in goal:
                    return True
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
    return False


def _parameters(truth: Truth, graph: TraceGraph, tree: Tree, counts: Counter[str]) -> Iterator[str]:
    matched: set[str] = set()
    for parameter in truth["parameters"]:
        if not parameter.get("text") or not any(use["found_in"] for use in parameter["used_by"]):
            continue
        spans = [use["span_id"] for use in parameter["used_by"] if use.get("span_id")]
        wanted = {member for span_id in spans for member in tree.family(span_id, "")}
        parts = literal_parts(str(parameter["text"]))
        hit = next(
            (
                one
                for one in graph.parameters
                if wanted.intersection(one.used_by) and all(part in bare(one.text or "") for part in parts)
            ),
            None,
        )
        counts["parameter"] += 1
        if hit is None:
            yield f"parameter: {parameter['name']}"
            continue
        counts["parameter found"] += 1
        matched.add(hit.node)
        if parameter.get("trainable") is not None:
            counts["trainable"] += 1
            counts["trainable found"] += hit.trainable == parameter["trainable"]
    counts["extra"] += len(graph.parameters) - len(matched)


def _ending(truth: Truth, graph: TraceGraph, tree: Tree, counts: Counter[str]) -> Iterator[str]:
    if truth.get("final_output") and truth.get("final_observable") is not False:
        wanted = bare(truth["final_output"])
        got = bare(graph.outputs[0].value) if graph.outputs else ""
        hit = bool(got) and (wanted in got or (len(got) > 7 and got in wanted))
        counts["final"] += 1
        counts["final found"] += hit
        if not hit:
            yield f"final output: {wanted[:60]}, not {got[:60]}"
    if truth.get("exception") and truth.get("exception_span_id"):
        family = tree.family(truth["exception_span_id"], "")
        hit = any(record.span_id in family for record in graph.exceptions)
        counts["exception"] += 1
        counts["exception found"] += hit
        if not hit:
            yield f"exception at {truth['exception_span']}"


def bare(value: AnyValue) -> str:
    """Without white space, quotes and JSON's escapes, those of white space included."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    try:
        inner = json.loads(text)
    except ValueError:
        inner = None
    return re.sub(r"\\[nrt]|[\s\"'\\]+", "", inner if isinstance(inner, str) else text)


def literal_parts(text: str) -> list[str]:
    """What stands between the fields of a template, the text itself if there is nothing."""
    parts = [bare(part) for part in re.split(r"\{%.*?%\}|\{\{.*?\}\}|\{\w*\}", text)]
    return [part for part in parts if len(part) > 3] or [bare(text)]
