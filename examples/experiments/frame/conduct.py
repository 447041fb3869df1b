"""Runs an experiment: every method on every problem with every seed; what is there is not done again."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.core.errors import OptimizerError
from examples.experiments.frame.experiment import Experiment, Form, Method, Setting, Tried
from examples.experiments.frame.results import Line, Results, shortened
from examples.experiments.frame.wire import Spent, Wire


@dataclass(frozen=True, slots=True)
class Conduct:
    """How it is run.

    Attributes:
        form: How long.
        seeds: How many; 0: as many as the form has.
        methods: Only these; empty: all.
        problems: Only these; empty: all.
        machine: In words.
        today: Gives the date.
        told: Is told what happens, in lines.
    """

    form: Form
    seeds: int
    machine: str
    today: Callable[[], str]
    told: Callable[[str], None]
    methods: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def carried_out(self, experiment: Experiment, results: Results, wire: Wire | None) -> None:
        """To its end. Killed at any moment, the same call goes on where it was.

        Raises:
            ConnectionError: the endpoint gave no answer; the run that needed it has not ended.
        """
        chosen = [one for one in experiment.methods if not self.methods or one.name in self.methods]
        there = [method for method in chosen if self._is_there(method, wire)]
        budget = experiment.budgets[self.form]
        for seed in range(1, (self.seeds or budget.seeds) + 1):
            for problem in experiment.problems:
                if self.problems and problem not in self.problems:
                    continue
                for method in there:
                    model = wire.model() if wire is not None else None
                    self._run(method, Setting(problem, seed, budget.calls, self.form, model), results, wire)

    def _is_there(self, method: Method, wire: Wire | None) -> bool:
        lacking = ""
        if method.needs == "model":
            lacking = "" if wire is not None else "it needs a model; name one with --endpoint and --model"
        elif method.needs and importlib.util.find_spec(method.needs) is None:
            lacking = f"it needs the package {method.needs}, which is not installed"
        if not lacking and method.python and not Path(method.python).exists():
            lacking = f"it needs a Python of its own, {method.python}: {method.how}"
        if lacking:
            self.told(f"{method.name}: skipped, {lacking}")
        return not lacking

    def _run(self, method: Method, setting: Setting, results: Results, wire: Wire | None) -> None:
        run = (str(setting.form), setting.problem, method.name, setting.seed)
        if results.ended(run):
            return
        if wire is not None:
            wire.begin("/".join(map(str, run)))
        record, why = _Record(self, run, results, wire), "its calls are used up"
        try:
            for tried in method.run(setting):
                _look(wire)
                record.keep(tried)
        except OptimizerError as error:
            why = f"the optimizer failed: {error}"
        _look(wire)
        record.end(why)
        self.told(f"{' '.join(filter(None, (setting.problem, method.name)))}, seed {setting.seed}: {record.words()}")


def _look(wire: Wire | None) -> None:
    """A method that has been left without an answer has not failed: nothing is kept of it."""
    if wire is not None and (fault := wire.fault()):
        raise ConnectionError(f"model {wire.name!r} at {wire.endpoint}: {fault}")


class _Record:
    """Writes a run down; lines that are there already are only compared."""

    def __init__(self, conduct: Conduct, run: tuple[str, str, str, int], results: Results, wire: Wire | None) -> None:
        self._conduct, self._run, self._results, self._wire = conduct, run, results, wire
        self._known: Sequence[Line] = results.of(run)
        self._place = self._call = 0
        self._told = 0
        self._scores: list[float] = []

    def keep(self, tried: Tried) -> None:
        """A candidate."""
        line = self._line(tried)
        if tried.part == "train":
            self._call += 1
        if line.score is not None:
            self._scores.append(line.score)
        self._write(line)

    def end(self, why: str) -> None:
        """How the run ended."""
        self._write(self._line(Tried({}, None, why, "end")))

    def words(self) -> str:
        """What came of it, for people."""
        spent = self._spent()
        scores = ", ".join(f"{score:.3g}" for score in self._scores)
        return f"{scores}; {spent.calls} calls, {spent.tokens} tokens"

    def _write(self, line: Line) -> None:
        place, self._place = self._place, self._place + 1
        if place < len(self._known):
            known = self._known[place]
            if (known.place, known.values, known.score) == (line.place, line.values, line.score):
                return
            self._results.forget(self._run, place)
            self._known = ()
        self._results.add(line)

    def _spent(self) -> Spent:
        return self._wire.spent() if self._wire is not None else Spent()

    def _line(self, tried: Tried) -> Line:
        form, problem, method, seed = self._run
        spent = self._spent()
        fresh, self._told = spent.answers[self._told :], len(spent.answers)
        asked = spent.calls + spent.task_calls > 0
        return Line(
            form, problem, method, seed, max(0, self._call - 1) if tried.part != "train" else self._call, tried.part,
            score=shortened(tried.score),
            values={key: shortened(value) for key, value in tried.values.items()},
            said=str(shortened(tried.said)),
            calls=spent.calls, tokens=spent.tokens, task_calls=spent.task_calls, task_tokens=spent.task_tokens,
            prompts=spent.prompts[len(spent.answers) - len(fresh) :],
            answer=str(shortened(tried.answer or "\n---\n".join(fresh))),
            model=self._wire.name if asked and self._wire is not None else "",
            machine=self._conduct.machine,
            date=self._conduct.today(),
        )  # fmt: skip
