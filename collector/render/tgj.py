"""A graph as Trace-Graph JSON (TGJ 1.0), which OpenTrace reads as nodes that its optimizers work on.

The rules are those of OpenTrace's reader, `opto/trace/io/tgj_ingest.py` (github.com/AgentOpt/OpenTrace): ids and names
share one table, so each is there once; a reference must point backwards; a name with ``:`` would be changed; a
description begins with the operator in brackets; and Trace refuses to go back through a node that has one source twice.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from collector.core.canonical import canonical_order
from collector.core.graph import Edge, ExceptionRecord, Node, NodeId, NodeKind, TraceGraph
from collector.core.inflow import inflow
from collector.core.naming import numbered
from collector.render.document import plain
from collector.render.words import short, version_words

_NAME_CHARS = 60
_DESCRIPTION_COLUMNS = 200
_Record: TypeAlias = dict[str, object]


def tgj_document(graph: TraceGraph) -> dict[str, object]:
    """The whole graph, sources first, named alike in every run of one program; final outputs are its exports.

    ``meta.node`` holds a node's id in our own JSON. ``feedback`` is ours: readers that do not know it pass it over.
    """
    ordered = canonical_order(graph)
    names = dict(zip((node.id for node in ordered), numbered(_name(node.name) for node in ordered), strict=True))
    records = _Records(graph, names)
    outputs = {output.node for output in graph.outputs}
    tops = [node for node in ordered if node.id in outputs]
    return {
        "tgj": "1.0",
        "run_id": graph.trace_id,
        "agent_id": tops[0].service if tops else "",
        "graph_id": names[tops[0].id] if tops else "",
        "scope": "",
        "nodes": [records.of(node) for node in ordered],
        "exports": {f"{graph.trace_id}:{names[node.id]}": {"ref": names[node.id]} for node in tops},
        "feedback": _feedback(graph, names, [names[node.id] for node in tops]),
    }


class _Records:
    """One record for each node."""

    def __init__(self, graph: TraceGraph, names: Mapping[NodeId, str]) -> None:
        self._names = names
        self._into = inflow(graph.edges)
        self._parameters = {parameter.node: parameter for parameter in graph.parameters}
        self._exceptions = {record.span_id: record for record in reversed(graph.exceptions)}

    def of(self, node: Node) -> _Record:
        name = self._names[node.id]
        common: _Record = {"id": name, "name": name, "meta": {"node": node.id, "span_id": node.span_id}}
        if node.kind is NodeKind.PARAMETER:
            return {**common, **self._parameter(node)}
        if node.kind is NodeKind.INPUT:
            return {**common, "kind": "value", "value": plain(node.value), "description": _described("input", node)}
        error = self._exceptions.get(node.span_id or "") if node.value is None else None
        return {**common, **self._operation(node, error)}

    def _parameter(self, node: Node) -> _Record:
        parameter = self._parameters.get(node.id)
        return {
            "kind": "parameter",
            "value": plain(node.value),
            "trainable": parameter is not None and parameter.trainable,
            "description": _described("Parameter", node, version_words(parameter) if parameter else ""),
        }

    def _operation(self, node: Node, error: ExceptionRecord | None) -> _Record:
        told: _Record = {
            "op": _name(node.name),
            "description": _described(_name(node.name), node),
            "inputs": self._inputs(self._into.get(node.id, ())),
        }
        if error is None:
            output = {"name": f"{self._names[node.id]}:out", "value": plain(node.value)}
            return {"kind": "message", **told, "output": output}
        message = f"{error.type}: {error.message}" if error.type else error.message
        return {"kind": "exception", **told, "error": {"type": error.type or "Exception", "message": message}}

    def _inputs(self, edges: Sequence[Edge]) -> dict[str, _Record]:
        """Each source once, under all its arguments."""
        arguments: dict[str, list[str]] = {}
        for edge in sorted(edges, key=lambda edge: (edge.argument, self._names[edge.source])):
            arguments.setdefault(self._names[edge.source], []).append(edge.argument)
        keys = numbered(
            "_and_".join(dict.fromkeys(_name(argument) for argument in given if argument)) or source
            for source, given in arguments.items()
        )
        return {key: {"ref": source} for key, source in zip(keys, arguments, strict=True)}


def _name(name: str) -> str:
    """What can stand in the pseudo-code of Trace's prompts."""
    word = re.sub(r"\W+", "_", name).strip("_")[:_NAME_CHARS]
    return f"_{word}" if word[:1].isdigit() else word or "node"


def _described(operator: str, node: Node, more: str = "") -> str:
    incomplete = "incomplete: something was dropped or cut" if node.incomplete else ""
    service = f"of {node.service}" if node.service else ""
    words = " ".join(filter(None, [node.description or node.name, service, more, incomplete]))
    return f"[{operator}] {short(words, _DESCRIPTION_COLUMNS)}"


def _feedback(graph: TraceGraph, names: Mapping[NodeId, str], tops: Sequence[str]) -> list[_Record]:
    """By the names of the judged nodes; what judges the trace as a whole judges its final output."""
    whole = tops[0] if tops else None
    return [
        {
            "node": names.get(f"span:{one.target.span_id}") if one.target.span_id else whole,
            "name": one.name,
            "score": one.score,
            "label": one.label,
            "text": one.text,
        }
        for one in graph.feedback
    ]
