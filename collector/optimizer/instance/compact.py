"""A long run in short: each step on one line with what it took and what it gave, what is alike said once.

What is near a variable, the judged output and where something failed stays whole; what is far off is cut first. A step
that uses a variable is never left out.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.core.graph import Edge, Node, NodeId
from collector.optimizer.instance.quoting import identifier, inert
from collector.optimizer.instance.references import References
from collector.optimizer.instance.runs import Run

_ALIKE = 4
"""So many steps in a row that do the same are told together."""

_IN_A_ROW = 3
"""Results of so many steps in a row are named by the first and the last one."""

_NEAR = 1
"""Steps from a variable, the output or a fault that count as near."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a run. `distance`: how far what it tells is from a variable, the output or a fault."""

    text: str
    distance: int


class Compact:
    """One run.

    Args:
        run: With its program.
        near: Characters of a value near to what matters.
        far: Of others.
    """

    def __init__(self, run: Run, near: int, far: int) -> None:
        self._run, self._near, self._far = run, near, far
        self._program = run.program
        self._references = References()
        self._nodes = run.graph.by_id()
        for node_id in sorted(run.variables):
            self._references.remember(self._program.names[node_id], self._nodes[node_id].value)
            self._references.fill(self._program.names[node_id], self._nodes[node_id].value)
        self._distances = _distances(run)
        self._inputs: dict[str, list[Node]] = {}
        for node in self._program.inputs:
            self._inputs.setdefault(f"span:{node.span_id}", []).append(node)
        self._place = {node.id: number for number, node in enumerate(self._program.steps)}

    def lines(self) -> Sequence[Line]:
        """Settings, steps in their order, exceptions, feedback; without the marks of the run."""
        names = self._program.names
        found = [
            Line(f"setting {names[node.id]} = {self._written(names[node.id], node)}", 1)
            for node in self._program.settings
        ]
        for group in self._groups():
            distance = min(self._distance(node) for node in group)
            found.append(Line(self._one(group[0]) if len(group) == 1 else self._several(group), distance))
        *said, feedback = self._run.said_lines(self._near)
        return [Line(inert(line.text), line.distance) for line in [*found, *(Line(one, 0) for one in said)]] + [
            Line(inert(feedback), 0)
        ]

    def _distance(self, node: Node) -> int:
        """0 for what may not be left out."""
        if any(edge.source in self._run.variables for edge in self._run.edges_into(node.id)):
            return 0
        return self._distances.get(node.id, 99)

    def _groups(self) -> Sequence[Sequence[Node]]:
        outputs = {output.node for output in self._run.graph.outputs}
        groups: list[list[Node]] = []
        before: object = None
        for node in self._program.steps:
            alike = None if node.id in outputs or node.id in self._inputs else self._manner(node)
            if alike is not None and alike == before:
                groups[-1].append(node)
            else:
                groups.append([node])
            before = alike
        return [part for group in groups for part in ([group] if len(group) >= _ALIKE else [[one] for one in group])]

    def _manner(self, node: Node) -> object:
        """What a step does, the steps that it takes from by how far they are before it."""
        taken = []
        for edge in self._run.edges_into(node.id):
            place = self._place.get(edge.source)
            taken.append((edge.argument, edge.source if place is None else self._place[node.id] - place))
        return node.name, tuple(sorted(taken, key=repr))

    def _one(self, node: Node) -> str:
        name = self._program.names[node.id]
        given = "" if node.value is None else f" = {self._written(name, node)}"
        mark = "output " if any(output.node == node.id for output in self._run.graph.outputs) else ""
        return f"{mark}{name}({', '.join(self._arguments(node))}){given}"

    def _several(self, group: Sequence[Node]) -> str:
        names = self._program.names
        edges = sorted(self._run.edges_into(group[0].id), key=lambda edge: edge.argument or "~")
        taken = [self._relative(edge) for edge in edges]
        values = [self._written(names[node.id], node) if node.value is not None else "-" for node in group]
        given = "" if all(node.value is None for node in group) else f" = {', '.join(values)}"
        return f"{names[group[0].id]} … {names[group[-1].id]}, each ({', '.join(taken)}){given}"

    def _relative(self, edge: Edge) -> str:
        place = self._place.get(edge.source)
        if place is None:
            said = self._program.names[edge.source]
        else:
            back = self._place[edge.target] - place
            said = "the step before" if back == 1 else f"the step {back} before"
        return f"{identifier(edge.argument)}={said}" if edge.argument else said

    def _arguments(self, node: Node) -> Sequence[str]:
        """Variables, then inputs with their values and what these come from, then other results, each once."""
        names = self._program.names
        edges = sorted(self._run.edges_into(node.id), key=self._order)
        own = self._inputs.get(node.id, ())
        found = [f"{identifier(one.name)}={self._written(names[one.id], one, node.id)}" for one in own]
        shown = "".join(found)
        ids, places = {one.id for one in own}, {identifier(one.name): number for number, one in enumerate(own)}
        variables, results = [], []
        for edge in edges:
            name = names[edge.source]
            if edge.source in ids:
                continue
            argument = identifier(edge.argument) if edge.argument else ""
            if edge.source not in self._place:
                variables.append(f"{argument}={name}" if argument and argument != name else name)
            elif not self._shows(shown, edge.source):
                results.append((argument, edge.source))
        others = []
        for argument, joined in self._joined(results):
            if argument in places:
                found[places[argument]] += f" from {joined}"
            else:
                others.append(f"{argument}={joined}" if argument else joined)
        return [*dict.fromkeys(variables), *found, *others]

    def _joined(self, results: Sequence[tuple[str, NodeId]]) -> Sequence[tuple[str, str]]:
        """``a+b`` for results that one argument took; a result that went in as several arguments once."""
        named: dict[str, list[NodeId]] = {}
        for argument, source in results:
            named.setdefault(argument, []).append(source)
        seen: set[NodeId] = set()
        found = []
        for argument, some in named.items():
            new = [source for source in dict.fromkeys(some) if argument or source not in seen]
            seen.update(some)
            if new:
                found.append((argument, ("+" if argument else ", ").join(self._ranges(new))))
        return found

    def _ranges(self, sources: Sequence[NodeId]) -> Sequence[str]:
        """``first … last`` for steps whose lines follow each other."""
        found: list[list[NodeId]] = []
        for source in sources:
            if found and self._place[source] == self._place[found[-1][-1]] + 1:
                found[-1].append(source)
            else:
                found.append([source])
        names = [[self._program.names[source] for source in run] for run in found]
        return [part for run in names for part in ([f"{run[0]} … {run[-1]}"] if len(run) >= _IN_A_ROW else run)]

    def _shows(self, shown: str, source: NodeId) -> bool:
        """Whether a result stands in what is written of the inputs already, under its own name or its maker's."""
        known = [self._program.names[source], self._references.name_of(self._nodes[source].value)]
        return any(f"«{name}" in shown for name in known if name)

    def _order(self, edge: Edge) -> tuple[str, int, str]:
        return (edge.argument or "~", self._place.get(edge.source, -1), self._program.names[edge.source])

    def _written(self, name: str, node: Node, step: NodeId = "") -> str:
        near = self._distances.get(step or node.id, 99) <= _NEAR
        return self._references.written(name, node.value, self._near if near else self._far)


def _distances(run: Run) -> Mapping[NodeId, int]:
    """Edges between each node and the nearest variable, output or fault, whichever way they run."""
    beside: dict[NodeId, list[NodeId]] = {}
    for edge in run.graph.edges:
        beside.setdefault(edge.source, []).append(edge.target)
        beside.setdefault(edge.target, []).append(edge.source)
    faults = {run.graph.operation(one.span_id) for one in run.graph.exceptions}
    first = [*run.variables, *(output.node for output in run.graph.outputs), *faults]
    distances = dict.fromkeys(first, 0)
    left = deque(first)
    while left:
        node_id = left.popleft()
        for other in beside.get(node_id, ()):
            if other not in distances:
                distances[other] = distances[node_id] + 1
                left.append(other)
    return distances


def fitted_lines(lines: Sequence[Line], chars: int) -> Sequence[str]:
    """The lines, or the nearest ones that fit, in their order; what is left out is said where it was.

    Lines that tell of a variable, the output or a fault stay, whatever they take.
    """
    kept = {number for number, line in enumerate(lines) if line.distance == 0}
    left = chars - sum(len(lines[number].text) + 1 for number in kept)
    for number in sorted(set(range(len(lines))) - kept, key=lambda number: (lines[number].distance, number)):
        if len(lines[number].text) + 1 <= left - 40:
            kept.add(number)
            left -= len(lines[number].text) + 1
    found: list[str] = []
    gone = 0
    for number, line in enumerate(lines):
        if number in kept:
            found += [f"… {gone} steps left out …"] * bool(gone) + [line.text]
            gone = 0
        else:
            gone += 1
    return found
