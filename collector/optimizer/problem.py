"""The problem instance of OptoPrime: minimal subgraphs, feedback and history as text.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.1. Differences: steps and variables have
names that are the same in every run and process; one program that ran many times is shown once, with several runs
beneath; values are JSON and cut to a budget; recorded content cannot end the section it stands in.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.core.graph import EdgeOrigin, Node, NodeId, NodeKind, TraceFeedback, TraceGraph
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Direction, Study, Trial
from otel_opto.spec import canonical

_VALUE_CHARS = 240
_HISTORY = 6


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be shown: characters in all runs together, and how many runs."""

    runs_chars: int
    runs: int


def objective(study: Study) -> str:
    """What is wanted, in words."""
    direction = "higher is better" if study.direction is Direction.MAXIMIZE else "lower is better"
    wanted = study.instruction or "Improve the output in accordance with the feedback."
    return f"{wanted}\nScore: {study.metric}, {direction}."


def variables(request: OptimizationRequest) -> str:
    """One line per parameter: value, what is allowed, what it is for."""
    lines = []
    for spec in request.parameters:
        words = f" -- {spec.description}" if spec.description else ""
        if spec.constraint.candidates:
            words += f"; for example {_json(list(spec.constraint.candidates), 2 * _VALUE_CHARS)}"
        lines.append(f"{spec.key} = {canonical(request.current[spec.key])} ({spec.describe_allowed()}){words}")
    return "\n".join(lines)


def code(batch: Sequence[TraceFeedback]) -> str:
    """The program that most runs share, and how many runs took another way."""
    programs = Counter("\n".join(_Program(item.graph).lines()) for item in batch)
    if not programs:
        return "(no run was recorded)"
    (most, count), *others = programs.most_common(3)
    text = most if count == len(batch) else f"({count} of {len(batch)} runs)\n{most}"
    return "\n".join([text, *(f"({times} of {len(batch)} runs)\n{program}" for program, times in others)])


def runs(request: OptimizationRequest, budget: Budget) -> str:
    """The worst-judged runs and the best one, as many as the budget allows."""
    scored = sorted(request.batch, key=lambda item: item.feedback.score or 0.0)
    if request.study.direction is Direction.MINIMIZE:
        scored.reverse()
    shown = scored if len(scored) <= budget.runs else [*scored[: budget.runs - 1], scored[-1]]
    texts: list[str] = []
    left = budget.runs_chars
    for item in shown:
        text = _run(item)
        if texts and len(text) > left:
            break
        texts.append(text)
        left -= len(text)
    return "\n".join(texts) or "(no run was recorded)"


def history(request: OptimizationRequest) -> str:
    """The best and the latest trials with their scores, then the proposals that were not allowed."""
    sign = 1 if request.study.direction is Direction.MAXIMIZE else -1
    complete = [trial for trial in request.trials if trial.score is not None]
    best = sorted(complete, key=lambda trial: -sign * (trial.score or 0.0))[: _HISTORY // 2]
    chosen = {trial.number: trial for trial in [*best, *complete[-_HISTORY:]]}
    lines = [f"score {trial.score:.3f}: {_values(trial)}" for _, trial in sorted(chosen.items())]
    lines += [
        f"rejected {_json(dict(rejected.proposal.values), _VALUE_CHARS)}: {'; '.join(rejected.errors)}"
        for rejected in request.rejected[-3:]
    ]
    return "\n".join(lines) or "(nothing was tried)"


def _values(trial: Trial) -> str:
    return _json(dict(trial.values), 4 * _VALUE_CHARS)


def _json(value: AnyValue, width: int) -> str:
    """JSON that cannot end its section: no line break, and no angle bracket as such."""
    text = json.dumps(value, ensure_ascii=False, default=str).replace("<", "\\u003c")
    return text if len(text) <= width else text[: width - 1] + "…"


class _Program:
    """One graph with names instead of ids: the operation's name, numbered where it ran more than once."""

    def __init__(self, graph: TraceGraph) -> None:
        self._graph = graph
        self._sources: defaultdict[NodeId, list[tuple[NodeId, str, EdgeOrigin]]] = defaultdict(list)
        for edge in graph.edges:
            self._sources[edge.target].append((edge.source, edge.argument, edge.origin))
        self.steps = [node for node in graph.topological() if node.kind is NodeKind.OPERATION]
        self._nodes = graph.by_id()
        self.names = self._named(self.steps)

    def _named(self, steps: Sequence[Node]) -> Mapping[NodeId, str]:
        names: dict[NodeId, str] = {}
        times: Counter[str] = Counter()
        for node in steps:
            times[node.name] += 1
            names[node.id] = node.name if times[node.name] == 1 else f"{node.name}_{times[node.name]}"
        return names

    def lines(self) -> list[str]:
        return [f"{self.names[node.id]} = {node.name}({', '.join(self._arguments(node))})" for node in self.steps]

    def _arguments(self, node: Node) -> list[str]:
        shown = []
        for source_id, argument, origin in self._sources[node.id]:
            source = self._nodes[source_id]
            if source.kind is NodeKind.PARAMETER:
                shown.append(f"<{source.name}>")
            elif source.kind is NodeKind.INPUT:
                shown.append(f"{source.name}=input")
            elif origin is not EdgeOrigin.CALL:
                shown.append(f"{argument or 'value'}={self.names[source_id]}")
            else:
                shown.append(self.names[source_id])
        return shown


def _run(item: TraceFeedback) -> str:
    program = _Program(item.graph)
    lines = ["<run>"]
    lines += [
        f"input {node.name} = {_json(node.value, _VALUE_CHARS)}"
        for node in item.graph.nodes
        if node.kind is NodeKind.INPUT
    ]
    lines += [
        f"{program.names[node.id]} = {_json(node.value, _VALUE_CHARS)}"
        for node in program.steps
        if node.value is not None
    ]
    lines += [f"exception {record.type}: {_json(record.message, _VALUE_CHARS)}" for record in item.graph.exceptions]
    said = " ".join(filter(None, [item.feedback.label, item.feedback.text]))
    lines.append(f"feedback: score {item.feedback.score}, {_json(said, 2 * _VALUE_CHARS)}")
    return "\n".join([*lines, "</run>"])
