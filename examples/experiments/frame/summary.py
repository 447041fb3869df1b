"""What the lines of an experiment come to: by method, over seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from examples.experiments.frame.experiment import Experiment, Form
from examples.experiments.frame.intervals import Interval, interval
from examples.experiments.frame.results import Line


@dataclass(frozen=True, slots=True)
class RunOf:
    """A run that has ended.

    Attributes:
        train: Its candidates, in order.
        test: The scores that were measured at the end.
        end: Its last line.
    """

    train: tuple[Line, ...]
    test: tuple[float, ...]
    end: Line


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one problem.

    Attributes:
        best: Of the runs' best scores with all calls.
        equal_tokens: With as many tokens as the method that took least took for the seed; None for those without any.
        test: Of the scores at the end.
        beside: Of the differences to the first method that was run with all seeds, seed by seed: at the end, where
            both were measured there, else of the best scores; None for that one itself.
        calls: Of the optimizer's model, the mean of the runs.
        tokens: Of these calls.
        task_tokens: Of the task's model.
        curve: The best score so far, by call.
    """

    best: Interval | None
    equal_tokens: Interval | None
    test: Interval | None
    beside: Interval | None
    calls: float
    tokens: float
    task_tokens: float
    curve: tuple[Interval, ...]


def form_shown(lines: Sequence[Line]) -> str:
    """The longest form that there is."""
    forms = {line.form for line in lines}
    return next((form for form in (Form.FULL, Form.SHORT, Form.MINUTE) if form in forms), Form.SHORT)


def rows(experiment: Experiment, problem: str, lines: Sequence[Line]) -> Mapping[str, Row]:
    """By method, of those that have a run that has ended."""
    form = form_shown(lines)
    runs: dict[str, dict[int, RunOf]] = {}
    for line in lines:
        if line.part == "end" and (line.form, line.problem) == (form, problem):
            runs.setdefault(line.method, {})[line.seed] = _run(line, lines)
    first = _compared_to(experiment, runs)
    least = _least_tokens(runs)
    return {
        method.name: _row(experiment, runs[method.name], runs.get(first, {}) if method.name != first else {}, least)
        for method in experiment.methods
        if method.name in runs
    }


def _compared_to(experiment: Experiment, runs: Mapping[str, Mapping[int, RunOf]]) -> str:
    most = max(map(len, runs.values()), default=0)
    return next((method.name for method in experiment.methods if len(runs.get(method.name, ())) == most), "")


def _run(end: Line, lines: Sequence[Line]) -> RunOf:
    own = [line for line in lines if line.run == end.run]
    test = tuple(line.score for line in own if line.part == "test" and line.score is not None)
    return RunOf(tuple(line for line in own if line.part == "train"), test, end)


def _least_tokens(runs: Mapping[str, Mapping[int, RunOf]]) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for by_seed in runs.values():
        for seed, run in by_seed.items():
            if run.end.tokens:
                found[seed] = min(run.end.tokens, found.get(seed, run.end.tokens))
    return found


def _row(
    experiment: Experiment, runs: Mapping[int, RunOf], first: Mapping[int, RunOf], least: Mapping[int, int]
) -> Row:
    best = {seed: found for seed, run in runs.items() if (found := _best(experiment, run.train)) is not None}
    test = {seed: fmean(run.test) for seed, run in runs.items() if run.test}
    bounded = [
        found
        for seed, run in runs.items()
        if run.end.tokens
        and (found := _best(experiment, [line for line in run.train if line.tokens <= least[seed]])) is not None
    ]
    return Row(
        best=interval(list(best.values())),
        equal_tokens=interval(bounded),
        test=interval(list(test.values())),
        beside=interval(_differences(experiment, runs, first)),
        calls=_mean([run.end.calls for run in runs.values()]),
        tokens=_mean([run.end.tokens for run in runs.values()]),
        task_tokens=_mean([run.end.task_tokens for run in runs.values()]),
        curve=_curve(experiment, list(runs.values())),
    )


def _differences(experiment: Experiment, runs: Mapping[int, RunOf], first: Mapping[int, RunOf]) -> Sequence[float]:
    pairs = [(runs[seed], first[seed]) for seed in runs if seed in first]
    if all(run.test for pair in pairs for run in pair):
        return [fmean(one.test) - fmean(other.test) for one, other in pairs]
    found = [(_best(experiment, one.train), _best(experiment, other.train)) for one, other in pairs]
    return [one - other for one, other in found if one is not None and other is not None]


def _curve(experiment: Experiment, runs: Sequence[RunOf]) -> tuple[Interval, ...]:
    """A run that ended early stays where it was."""
    points = []
    for call in range(max((len(run.train) for run in runs), default=0)):
        found = [_best(experiment, run.train[: call + 1]) for run in runs]
        point = interval([score for score in found if score is not None])
        points += [point] if point is not None else []
    return tuple(points)


def _best(experiment: Experiment, lines: Sequence[Line]) -> float | None:
    scores = [line.score for line in lines if line.score is not None]
    return experiment.best(scores) if scores else None


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values) if values else 0.0
