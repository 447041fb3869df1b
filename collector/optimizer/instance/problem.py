"""The problem instance of OptoPrime: minimal subgraphs, feedback and history as one text within a budget.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.1. Differences: steps and variables have
names that are the same in every run and process; one program that ran many times is shown once, with several runs
beneath; values are cut to a budget; recorded content cannot end the block it stands in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.core.study import Direction
from collector.optimizer.instance.compact import Compact, fitted_lines
from collector.optimizer.instance.documentation import documentation
from collector.optimizer.instance.history import history
from collector.optimizer.instance.quoting import fitted, quoted, words
from collector.optimizer.instance.runs import Run, chosen, code, runs_of, summary
from collector.optimizer.prompts import prompt
from otel_opto.spec import MAX_TEXT_LENGTH, ParameterSpec

_WIDTHS = (1_600, 800, 400, 200, 100)
"""Characters of one recorded value, tried in turn until everything fits."""

_FEW = 6
"""Steps: a single run of no more is told at length, which small models read better, unless that is longer by far."""

_WORTH = 0.75
"""Of its length: so short has a short run to be, to be told in short."""

_NEAR_AND_FAR = ((6_400, 6_400), (1_600, 1_600), (1_600, 400), (800, 200), (400, 100), (200, 60), (100, 40))
"""Characters of a value in a run that is told in short, tried in turn."""

_LONG_VARIABLE, _MOST_OF_VARIABLES = 16_000, 2 / 3
_VARIABLE_WIDTHS = 10
"""A variable's own value may be that many times as long: it is what the model has to rewrite."""

IN_SHORT = (
    "Where there is no #Program, a run shows it as it ran: `step(what it took) = what it gave`, one a line; «name» "
    "stands for the value of that name, «name» with … for that text with its fields filled, a … b for the steps from a "
    "to b; further fields of a record that ends with … are null."
)
"""How to read a run that is told in short; a run that is shown alone may be. It belongs to the system prompt."""

_CODE_SHARE, _HISTORY_SHARE = 0.3, 0.2


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be shown: characters of the whole text, and how many runs; and which of those judged alike."""

    chars: int
    runs: int
    draft: int = 0


def problem(request: OptimizationRequest, budget: Budget) -> str:
    """Objective, program, variables, judged runs and history.

    Values get shorter until the text fits; if that is not enough, lines in the middle of the program, of the runs and
    of the history are left out, and the text says how many.

    Raises:
        OptimizerError: permanent; objective and variables alone do not fit.
    """
    runs = runs_of(request)
    shown = chosen(runs, budget.runs, budget.draft)
    if len(shown) == 1:
        short = _in_short(request, runs, shown[0], budget.chars)
        long = len(_Parts(request, runs, shown, _WIDTHS[0]).whole())
        if len(shown[0].program.steps) > _FEW or len(short) < long * _WORTH:
            return short
    for width in _WIDTHS:
        text = _Parts(request, runs, shown, width).whole()
        if len(text) <= budget.chars:
            return text
    return _Parts(request, runs, shown, _WIDTHS[-1]).squeezed(budget.chars)


def _in_short(request: OptimizationRequest, runs: Sequence[Run], run: Run, chars: int) -> str:
    """One long run; first the values far from what matters get shorter, then all, then far steps are left out."""
    for near, far in _NEAR_AND_FAR:
        parts = _Parts(request, runs, (), near, _LONG_VARIABLE)
        lines = Compact(run, near, far).lines()
        text = parts.filled(parts.documented, ["<run>", *(line.text for line in lines), "</run>"], parts.history)
        if len(text) <= chars:
            return text
    history_text = fitted(parts.history, int(chars * _HISTORY_SHARE))
    left = chars - len(parts.filled(parts.documented, ["<run>", "</run>"], [history_text])) - 1
    text = parts.filled(parts.documented, ["<run>", *fitted_lines(lines, left), "</run>"], [history_text])
    if len(text) <= chars:
        return text
    roomy = _Parts(request, runs, (run,), _WIDTHS[-1], _LONG_VARIABLE)
    return (roomy if roomy.fits(chars) else _Parts(request, runs, (run,), _WIDTHS[-1])).squeezed(chars)


class _Parts:
    """The sections as lines, every value cut to one width."""

    def __init__(
        self, request: OptimizationRequest, runs: Sequence[Run], shown: Sequence[Run], width: int, variable: int = 0
    ) -> None:
        self._objective = objective(request)
        self._variables = variables(request, variable or width * _VARIABLE_WIDTHS)
        self._documented = documentation(runs, width)
        self._code = [*code(runs), *self._documented]
        self._summary = summary(runs)
        self._runs = [run.lines(width) for run in shown]
        self.history = history(request, width)

    @property
    def documented(self) -> Sequence[str]:
        """In place of the program where the run itself shows it; the system prompt says how."""
        return self._documented

    def whole(self) -> str:
        return self.filled(self._code, list(chain.from_iterable(self._runs)), self.history)

    def fits(self, chars: int) -> bool:
        """Whether objective and variables leave a third of the room."""
        return len(self.filled([], [], [])) <= chars * _MOST_OF_VARIABLES

    def squeezed(self, chars: int) -> str:
        left = chars - len(self.filled([], [], []))
        if left < 0:
            raise OptimizerError(
                f"option max_prompt_chars: objective and variables alone take {-left} characters too many; raise it, "
                "or name fewer parameters in the study",
                permanent=True,
            )
        code_text = fitted(self._code, int(left * _CODE_SHARE))
        history_text = fitted(self.history, int(left * _HISTORY_SHARE))
        each = (left - len(code_text) - len(history_text)) // max(len(self._runs), 1)
        runs = [line for lines in self._runs for line in _squeezed_run(lines, each)]
        return self.filled([code_text], runs, [history_text])

    def filled(self, code_lines: Sequence[str], runs: Sequence[str], history_lines: Sequence[str]) -> str:
        return prompt(
            "optoprime_problem",
            objective=self._objective,
            code="".join(f"{line}\n" for line in ["#Program", *code_lines, ""]) if any(code_lines) else "",
            variables="\n".join(self._variables),
            summary=self._summary,
            runs="\n".join(runs),
            history="".join(f"{line}\n" for line in ["#Tried", *history_lines, ""]) if any(history_lines) else "",
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
        lines.append(f"{spec.key} = {value} ({words(allowed(spec), width)}){purpose}")
    return lines


def allowed(spec: ParameterSpec) -> str:
    """What is allowed, without the length that any text may have."""
    said = spec.describe_allowed()
    return said if spec.constraint.max_length else said.replace(f" of at most {MAX_TEXT_LENGTH} characters", "")
