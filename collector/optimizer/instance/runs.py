"""The judged runs of a batch as one view: what they share is said once, what differs run by run.

The order of the runs depends on what happened in them, not on ids, clocks or the order in which feedback came in.
"""

import math
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from itertools import islice, zip_longest

from collector.core.graph import Edge, ExceptionRecord, NodeId, NodeKind, TraceFeedback
from collector.core.protocols import OptimizationRequest
from collector.core.study import Direction
from collector.optimizer.instance.program import Program
from collector.optimizer.instance.quoting import inert, quoted, words
from otel_opto.code.listing import RELEASED

_WORTH_A_REFERENCE = 80
"""Characters from which on a repeated value is referred to."""

_RARE = 0.3
"""A word tells sorts of feedback apart that stands in more than so much of it, and is missing in as much."""

_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+), in [^\n]*\n[^\S\n]+(?P<said>\S[^\n]*)')
_TOLD_AS_CHANGE = 2
"""A program is told by its difference where that is so many times shorter."""

_TELLING_WIDTH = 4_000
"""Characters of each value that decide which of two runs with one score comes first."""


class Run:
    """One judged run and the program that ran."""

    def __init__(self, item: TraceFeedback, program: Program) -> None:
        self.feedback = item.feedback
        self.program = program
        self.graph = item.graph

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """All that can be said of the run."""
        return (*self.program.lines(), *self.lines(_TELLING_WIDTH))

    @cached_property
    def said(self) -> frozenset[str]:
        """The words of the feedback that are its own, and not those of an output that it quotes."""
        output = " ".join(quoted(output.value, _TELLING_WIDTH) for output in self.graph.outputs)
        return _words(f"{self.feedback.label} {self.feedback.text}") - _words(output)

    @cached_property
    def variables(self) -> frozenset[NodeId]:
        """The nodes of parameters that may change."""
        settings = {node.id for node in self.program.settings}
        return frozenset(
            node.id for node in self.graph.nodes if node.kind is NodeKind.PARAMETER and node.id not in settings
        )

    def edges_into(self, node_id: NodeId) -> Sequence[Edge]:
        """What a node takes."""
        return self.program.into.get(node_id, ())

    def leading_to_variables(self) -> frozenset[NodeId]:
        """The variables, and every node that something of a variable went into."""
        found = set(self.variables)
        for node in self.graph.topological():
            if any(edge.source in found for edge in self.edges_into(node.id)):
                found.add(node.id)
        return frozenset(found)

    def step(self, node_id: NodeId, width: int) -> Sequence[str]:
        """One step by itself: its line, what it took, what it gave."""
        nodes, names = self.graph.by_id(), self.program.names
        taken = [(edge, nodes[edge.source]) for edge in self.edges_into(node_id)]
        return [
            self.program.line(nodes[node_id]),
            *(f"{names[edge.source]} = {quoted(node.value, width)}" for edge, node in taken),
            f"result = {quoted(nodes[node_id].value, width)}",
        ]

    @property
    def failed(self) -> bool:
        """There was an exception, handled or not."""
        return bool(self.graph.exceptions)

    def lines(self, width: int) -> Sequence[str]:
        """Between its marks: what went in, what each step gave, what was said of the output."""
        names = self.program.names
        lines = [f"setting {names[node.id]} = {quoted(node.value, width)}" for node in self.program.settings]
        lines += [f"input {names[node.id]} = {quoted(node.value, width)}" for node in self.program.inputs]
        lines += [*self._results(width), *self.said_lines(width)]
        return ["<run>", *map(inert, lines), "</run>"]

    def said_lines(self, width: int) -> Sequence[str]:
        """Exceptions, then the feedback."""
        said = [quoted(text, width) for text in (self.feedback.label, self.feedback.text) if text]
        score = "none" if self.feedback.score is None else f"{self.feedback.score:.4g}"
        return [*self._exceptions(width), ", ".join([f"feedback: score {score}", *said])]

    def _results(self, width: int) -> Iterator[str]:
        """A caller often returns what it was given: a long value is written out once."""
        outputs = {output.node for output in self.graph.outputs}
        written: dict[str, str] = {}
        for node in self.program.steps:
            if node.value is None:
                continue
            name, value = self.program.names[node.id], quoted(node.value, width)
            first = written.setdefault(value, name)
            shown = value if first == name or len(value) < _WORTH_A_REFERENCE else f"(the same as {first})"
            yield f"{'output' if node.id in outputs else 'step'} {name} = {shown}"

    def _exceptions(self, width: int) -> Sequence[str]:
        """In the order of the steps."""
        place = {node.span_id: number for number, node in enumerate(self.program.steps)}
        records = sorted(self.graph.exceptions, key=lambda one: (place.get(one.span_id, -1), one.type, one.message))
        return [
            f"exception in {self.program.names.get(f'span:{one.span_id}', '?')}: "
            f"{words(one.type, width)}: {quoted(one.message, width)}{_where(one, width)}"
            for one in records
        ]


def _where(record: ExceptionRecord, width: int) -> str:
    """The line that failed, where the stack shows it (Python's does): of released code, else of the program's own."""
    position = record.position
    frames = list(_FRAME.finditer(record.stacktrace))
    released = [frame for frame in frames if RELEASED.fullmatch(frame["file"])]
    own = [
        frame for frame in frames if position and (frame["file"], int(frame["line"])) == (position.file, position.line)
    ]
    found = (released or own)[-1:]
    return "".join(f" at line {frame['line']}: {quoted(frame['said'].strip(), width)}" for frame in found)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def runs_of(request: OptimizationRequest) -> Sequence[Run]:
    """The runs of the batch, the worst-judged first."""
    keys = frozenset(spec.key for spec in request.parameters)
    sign = 1 if request.study.direction is Direction.MAXIMIZE else -1
    runs = [Run(item, Program(item.graph, keys)) for item in request.batch]
    return sorted(runs, key=lambda run: (sign * (run.feedback.score or 0.0), run.identity))


def chosen(runs: Sequence[Run], count: int, draft: int = 0) -> Sequence[Run]:
    """The worst-judged of them, and first the best one: what has to change is read last.

    Of runs that were judged alike those are taken whose feedback differs most, other ones for each draft.
    """
    if len(runs) <= count:
        return [*runs[-1:], *runs[-2::-1]]
    worst = max(count - 1, 1)
    bar = runs[worst - 1].feedback.score
    below = [run for run in runs[:worst] if run.feedback.score != bar]
    sorts = _sorts([run for run in runs[:-1] if run.feedback.score == bar])
    taken = list(islice(_in_turn(sorts, draft), worst - len(below)))
    best = [runs[-1]] if count > 1 else []
    return [*best, *taken, *below[::-1]]


def _in_turn(sorts: Sequence[Sequence[Run]], draft: int) -> Iterator[Run]:
    """One of each sort, the next of each, …; each draft begins elsewhere."""
    turned = [deque(group) for group in sorts]
    for group in turned:
        group.rotate(-draft)
    return (run for turn in zip_longest(*turned) for run in turn if run is not None)


def _sorts(runs: Sequence[Run]) -> Sequence[Sequence[Run]]:
    """The runs by sort of feedback, the most common one first.

    Sorts differ in words that stand in a part of all feedback only.
    """
    words = [run.said for run in runs]
    often = Counter(word for some in words for word in some)
    telling = {word for word, times in often.items() if len(runs) * _RARE <= times <= len(runs) * (1 - _RARE)}
    sorts: dict[tuple[str, ...], list[Run]] = {}
    for run, some in zip(runs, words, strict=True):
        sorts.setdefault(tuple(sorted(some & telling)), []).append(run)
    return [group for _, group in sorted(sorts.items(), key=lambda item: (-len(item[1]), item[0]))]


def code(runs: Sequence[Run]) -> Sequence[str]:
    """The program that most runs share, then the next two, each with how many runs took that way.

    One that is much like the first is told by its difference.
    """
    shapes = Counter(tuple(run.program.lines()) for run in runs)
    if not shapes:
        return ["(no run was recorded)"]
    if len(shapes) == 1:
        return next(iter(shapes))
    lines: list[str] = []
    first: Sequence[str] = ()
    for shape, times in sorted(shapes.items(), key=lambda item: (-item[1], item[0]))[:3]:
        changed = _changes(first, shape)
        alike = first and len(changed) * _TOLD_AS_CHANGE <= len(shape)
        lines += [
            f"({times} of {len(runs)} runs{', the same but for' if alike else ''})",
            *(changed if alike else shape),
        ]
        first = first or shape
    return lines


def _changes(before: Sequence[str], after: Sequence[str]) -> Sequence[str]:
    """The lines that one has and the other has not."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        line
        for tag, i, j, k, m in matcher.get_opcodes()
        if tag != "equal"
        for line in [*(f"without {gone}" for gone in before[i:j]), *(f"with {new}" for new in after[k:m])]
    ]


def summary(runs: Sequence[Run]) -> str:
    """How the whole batch went."""
    scores = [run.feedback.score for run in runs if run.feedback.score is not None]
    if not scores:
        return "(no run was judged)"
    failed = sum(run.failed for run in runs)
    errors = f", {failed} with an exception" if failed else ""
    if len(scores) == 1:
        return f"1 run{errors}:"
    mean = math.fsum(scores) / len(scores)
    return f"{len(runs)} runs, mean score {mean:.4g}, from {min(scores):.4g} to {max(scores):.4g}{errors}. Of these:"
