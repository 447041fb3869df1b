"""What steps do, in the words of those who wrote them: docstrings and descriptions, as far as spans state them."""

from collections.abc import Sequence

from collector.core.graph import Node
from collector.optimizer.instance.quoting import identifier, inert, quoted
from collector.optimizer.instance.runs import Run

_MOST = 12
"""Operations: those that use a variable first."""

_WIDTH = 240
"""Characters of one description."""


def documentation(runs: Sequence[Run], width: int) -> Sequence[str]:
    """``step does: "…"`` for each operation that says so, in the order of the steps.

    What stands in a variable's value, as the docstring of code that may change, is not said twice.

    Args:
        runs: Of the batch.
        width: Characters of one description at most.
    """
    said: dict[str, str] = {}
    using: set[str] = set()
    for run in runs:
        written = [" ".join(str(node.value).split()) for node in run.graph.nodes if node.id in run.variables]
        for node in run.program.steps:
            told = " ".join(node.description.split())
            if not told or any(told.rstrip("….") in one for one in written):
                continue
            said.setdefault(identifier(node.name), told)
            if _uses_variable(run, node):
                using.add(identifier(node.name))
    kept = set(sorted(said, key=lambda name: name not in using)[:_MOST])
    return [inert(f"{name} does: {quoted(said[name], min(width, _WIDTH))}") for name in said if name in kept]


def _uses_variable(run: Run, node: Node) -> bool:
    return any(edge.source in run.variables for edge in run.edges_into(node.id))
