"""The problem instance of OptoPrime: minimal subgraphs, feedback and history as one text within a budget.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.1. Differences: steps and variables have
names that are the same in every run and process; one program that ran many times is shown once, with several runs
beneath; values are cut to a budget; recorded content cannot end the block it stands in.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from collector.core.errors import OptimizerError
from collector.core.graph import TraceFeedback
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Direction
from collector.optimizer.program import Program
from collector.optimizer.prompts import prompt
from collector.optimizer.quoting import fitted, inert, quoted, words

_WIDTHS = (1_600, 800, 400, 200, 100)
"""Characters of one recorded value, tried in turn until everything fits."""

_VARIABLE_WIDTHS = 10
"""A variable's own value may be that many times as long: it is what the model has to rewrite."""

_WORTH_A_REFERENCE = 80
"""Characters from which on a repeated value is referred to."""

_BEST, _LATEST, _REJECTED = 3, 6, 3
_CODE_SHARE, _HISTORY_SHARE = 0.3, 0.2


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be shown: characters of the whole text, and how many runs."""

    chars: int
    runs: int


def problem(request: OptimizationRequest, budget: Budget) -> str:
    """Objective, program, variables, judged runs and history.

    Values get shorter until the text fits; if that is not enough, lines in the middle of the program, of the runs and
    of the history are left out, and the text says how many.

    Raises:
        OptimizerError: permanent; objective and variables alone do not fit.
    """
    shown = _chosen_runs(request, budget.runs)
    keys = frozenset(spec.key for spec in request.parameters)
    programs = [Program(item.graph, keys) for item in request.batch]
    for width in _WIDTHS:
        text = _Parts(request, programs, shown, width).whole()
        if len(text) <= budget.chars:
            return text
    return _Parts(request, programs, shown, _WIDTHS[-1]).squeezed(budget.chars)


def _chosen_runs(request: OptimizationRequest, count: int) -> Sequence[int]:
    """Positions in the batch: the worst-judged runs, and last the best one."""
    sign = 1 if request.study.direction is Direction.MAXIMIZE else -1
    order = sorted(range(len(request.batch)), key=lambda at: sign * (request.batch[at].feedback.score or 0.0))
    return order if len(order) <= count else [*order[: max(count - 1, 1)], *order[-1:]][:count]


class _Parts:
    """The sections as lines, every value cut to one width."""

    def __init__(
        self, request: OptimizationRequest, programs: Sequence[Program], shown: Sequence[int], width: int
    ) -> None:
        self._objective = objective(request)
        self._variables = variables(request, width * _VARIABLE_WIDTHS)
        self._keys = ", ".join(spec.key for spec in request.parameters)
        self._code = code(programs)
        self._summary = summary(request.batch)
        self._runs = [run(request.batch[at], programs[at], width) for at in shown]
        self._history = history(request, width)

    def whole(self) -> str:
        return self._filled(self._code, list(chain.from_iterable(self._runs)), self._history)

    def squeezed(self, chars: int) -> str:
        left = chars - len(self._filled([], [], []))
        if left < 0:
            raise OptimizerError(
                f"option max_prompt_chars: objective and variables alone take {-left} characters too many; raise it, "
                "or name fewer parameters in the study",
                permanent=True,
            )
        code_text = fitted(self._code, int(left * _CODE_SHARE))
        history_text = fitted(self._history, int(left * _HISTORY_SHARE))
        each = (left - len(code_text) - len(history_text)) // max(len(self._runs), 1)
        runs = [line for lines in self._runs for line in _squeezed_run(lines, each)]
        return self._filled([code_text], runs, [history_text])

    def _filled(self, code_lines: Sequence[str], runs: Sequence[str], history_lines: Sequence[str]) -> str:
        return prompt(
            "optoprime_problem",
            objective=self._objective,
            code="\n".join(code_lines),
            variables="\n".join(self._variables),
            keys=self._keys,
            summary=self._summary,
            runs="\n".join(runs),
            history="\n".join(history_lines),
        )


def _squeezed_run(lines: Sequence[str], chars: int) -> Sequence[str]:
    """The marks around a run stay whatever is left out between them."""
    opening, *between, closing = lines
    room = chars - len(opening) - len(closing) - 3
    return [opening, fitted(between, room), closing] if room > 0 else []


def objective(request: OptimizationRequest) -> str:
    """What is wanted, in words."""
    study = request.study
    direction = "higher is better" if study.direction is Direction.MAXIMIZE else "lower is better"
    wanted = study.instruction or "Improve the output in accordance with the feedback."
    return f"{wanted}\nScore: {study.metric}, {direction}."


def variables(request: OptimizationRequest, width: int) -> Sequence[str]:
    """One line per parameter: value, what is allowed, what it is for, and its developer's own variants."""
    lines = []
    for spec in request.parameters:
        purpose = f" -- {words(spec.description, width)}" if spec.description else ""
        if spec.constraint.candidates:
            purpose += f"; for example {quoted(spec.constraint.candidates, width)}"
        value = quoted(request.current[spec.key], width)
        lines.append(f"{spec.key} = {value} ({words(spec.describe_allowed(), width)}){purpose}")
    return lines


def code(programs: Sequence[Program]) -> Sequence[str]:
    """The program that most runs share, then the next two, each with how many runs took that way."""
    shapes = Counter(tuple(program.lines()) for program in programs)
    if not shapes:
        return ["(no run was recorded)"]
    if len(shapes) == 1:
        return next(iter(shapes))
    lines: list[str] = []
    for shape, times in shapes.most_common(3):
        lines += [f"({times} of {len(programs)} runs)", *shape]
    return lines


def summary(batch: Sequence[TraceFeedback]) -> str:
    """How the whole batch went."""
    scores = [item.feedback.score for item in batch if item.feedback.score is not None]
    if not scores:
        return "(no run was judged)"
    failed = sum(1 for item in batch if item.graph.exceptions)
    errors = f", {failed} with an exception" if failed else ""
    mean = sum(scores) / len(scores)
    return f"{len(batch)} runs, mean score {mean:.4g}, from {min(scores):.4g} to {max(scores):.4g}{errors}. Of these:"


def run(item: TraceFeedback, program: Program, width: int) -> Sequence[str]:
    """One judged run between its marks: what went in, what each step gave, what was said of the output."""
    lines = [f"setting {program.names[node.id]} = {quoted(node.value, width)}" for node in program.settings]
    lines += [f"input {program.names[node.id]} = {quoted(node.value, width)}" for node in program.inputs]
    lines += _results(item, program, width)
    for record in item.graph.exceptions:
        where = program.names.get(f"span:{record.span_id}", "?")
        lines.append(f"exception in {where}: {words(record.type, width)}: {quoted(record.message, width)}")
    feedback = item.feedback
    said = [quoted(text, width) for text in (feedback.label, feedback.text) if text]
    score = "none" if feedback.score is None else f"{feedback.score:.4g}"
    lines.append(", ".join([f"feedback: score {score}", *said]))
    return ["<run>", *map(inert, lines), "</run>"]


def _results(item: TraceFeedback, program: Program, width: int) -> Iterator[str]:
    """A caller often returns what it was given: a long value is written out once."""
    outputs = {output.node for output in item.graph.outputs}
    written: dict[str, str] = {}
    for node in program.steps:
        if node.value is None:
            continue
        name, value = program.names[node.id], quoted(node.value, width)
        first = written.setdefault(value, name)
        shown = value if first == name or len(value) < _WORTH_A_REFERENCE else f"(the same as {first})"
        yield f"{'output' if node.id in outputs else 'step'} {name} = {shown}"


def history(request: OptimizationRequest, width: int) -> Sequence[str]:
    """The best and the latest trials with their scores, then the proposals that were not allowed."""
    sign = -1 if request.study.direction is Direction.MAXIMIZE else 1
    scored = {trial.number: trial.score for trial in request.trials if trial.score is not None}
    best = sorted(scored, key=lambda number: sign * scored[number])[:_BEST]
    shown = {*best, *list(scored)[-_LATEST:]}
    lines = [
        f"score {trial.score:.4g}: {_together(trial.values, width)}"
        for trial in request.trials
        if trial.number in shown
    ]
    for rejected in request.rejected[-_REJECTED:]:
        tried = _together(rejected.proposal.values, width)
        lines.append(f"rejected: {tried}: {words('; '.join(rejected.errors), width)}")
    return lines or ["(nothing was tried)"]


def _together(values: Mapping[str, AnyValue], width: int) -> str:
    """Each value cut by itself, so that a long one leaves the others readable."""
    return ", ".join(f"{words(key, 140)} = {quoted(value, width)}" for key, value in values.items())
