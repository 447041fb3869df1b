"""One text and what came of it, in few words: what a model can be asked that loses its way in a whole problem.

The whole problem (`collector.optimizer.instance.problem`) has an objective, the program, every variable and what was
tried, and small models answer it with what they were shown. Here stands one variable, and of each run what the steps
that use it took and gave, the output, and the feedback. Asked for afresh, not even its value stands there: what a model
does not see it cannot repeat. That is the instruction induction of Honovich et al. (ACL 2023), which Zhou et al. (APE,
ICLR 2023) use to make candidates.
"""

from collections.abc import Iterator, Sequence

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.optimizer.instance.quoting import inert, quoted
from collector.optimizer.instance.runs import Run, chosen, runs_of
from otel_opto.spec import ParameterSpec

RUNS = 2
"""As many as are shown at most: more, and the answer repeats them."""

_WIDTHS = (800, 400, 200, 100)
"""Characters of a recorded value, tried in turn until everything fits."""


def one_text(request: OptimizationRequest, spec: ParameterSpec, draft: int, chars: int) -> str:
    """The current value of one variable and its worst-judged runs; what does not fit is cut, then runs are left out.

    Args:
        request: Its batch holds the runs.
        spec: The variable; a text or code.
        draft: Each sees other runs among those that were judged alike.
        chars: Room for what is shown; the value stays whole.

    Raises:
        OptimizerError: permanent; the value does not fit.
    """
    worst = chosen(runs_of(request), RUNS + 1, draft)[-RUNS:]
    now = value_now(str(request.current[spec.key]), spec.constraint.placeholders)
    return _fitted(now, worst, spec.key, chars)


def afresh(request: OptimizationRequest, spec: ParameterSpec, draft: int, chars: int) -> str:
    """What is wanted of one text, and of runs the best and the worst, without its value. See `one_text`."""
    wanted = request.study.instruction or spec.description
    lines = [f"Wanted: {inert(wanted)}"] if wanted else []
    lines += [kept] if (kept := _kept(spec.constraint.placeholders)) else []
    head = "".join(f"{line}\n\n" for line in lines)
    return _fitted(head, chosen(runs_of(request), RUNS + 1, draft), spec.key, chars)


def _fitted(head: str, runs: Sequence[Run], key: str, chars: int) -> str:
    """The last ones are those that stay longest."""
    for count, width in [*((len(runs), width) for width in _WIDTHS), (1, _WIDTHS[-1]), (0, 0)]:
        text = head + "\n".join(_told(run, key, width) for run in runs[len(runs) - count :])
        if len(text) <= chars:
            return text
    raise OptimizerError(
        f"option max_prompt_chars: {key} alone takes {len(text) - chars} characters too many; raise it",
        permanent=True,
    )


def value_now(now: str, placeholders: Sequence[str] = ()) -> str:
    """What comes before the runs."""
    return "".join(f"{part}\n\n" for part in (f"Text now:\n{now}", _kept(placeholders)) if part)


def _kept(placeholders: Sequence[str]) -> str:
    names = " and ".join(f"{{{name}}}" for name in placeholders)
    return f"It has to have {names} in it." if names else ""


def _told(run: Run, key: str, width: int) -> str:
    """Between its marks."""
    return "\n".join(["<run>", *map(inert, _lines(run, key, width)), "</run>"])


def _lines(run: Run, key: str, width: int) -> Iterator[str]:
    """What the steps that use the variable took and gave; the output; what was said of it. Each value once."""
    nodes, names = run.graph.by_id(), run.program.names
    into = {node.id: run.edges_into(node.id) for node in run.program.steps}
    own = {variable for variable in run.variables if nodes[variable].name == key}
    using = [node for node in run.program.steps if any(edge.source in own for edge in into[node.id])]
    taken = {edge.source for node in using for edge in into[node.id]} - run.variables
    sources = [node for node in run.graph.nodes if node.id in taken] or run.program.inputs
    yield from (f"input {names[node.id]} = {quoted(node.value, width)}" for node in sources)
    outputs = [nodes[output.node] for output in run.graph.outputs if output.node in nodes]
    written = {quoted(node.value, width): "output" for node in outputs}
    for node in using:
        written.setdefault(quoted(node.value, width), f"step {names[node.id]}")
    yield from (f"{name} = {value}" for value, name in reversed(written.items()))
    yield from run.said_lines(width)
