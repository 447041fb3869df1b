"""What an experiment is: problems, methods, budgets, and what a reader may conclude."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from examples.experiments.frame.wire import Model
from otel_opto.spec import ParameterValue

_FOLDER = Path(__file__).parents[1]


class Form(StrEnum):
    """How long an experiment takes: a minute for a test, minutes, or what the page should show."""

    MINUTE = "minute"
    SHORT = "short"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Setting:
    """One run of one method.

    Attributes:
        problem: Which of the experiment's problems.
        seed: Of the problem's instance and of the method.
        calls: Candidates that may be tried after the start: the same number for every method.
        form: For what else depends on it, such as the size of a data set.
        model: For the optimizer and, where the task has one, for the task; None where no endpoint is named, which only
            methods meet that need none.
    """

    problem: str
    seed: int
    calls: int
    form: Form
    model: Model | None = None

    @property
    def endpoint(self) -> Model:
        """The model of a method that needs one."""
        if self.model is None:
            raise ValueError("this method needs a model, and no endpoint is named")
        return self.model


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate and what became of it.

    Attributes:
        values: Of the parameters.
        score: None: it failed, which is neither good nor bad.
        said: The feedback in words.
        part: ``train`` is what the method sees; ``test`` is measured once, at the end, and nothing goes by it.
        answer: What the optimizer said, in words.
    """

    values: Mapping[str, ParameterValue]
    score: float | None
    said: str = ""
    part: str = "train"
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """What makes candidates.

    Attributes:
        name: In results and tables.
        says: What it does, in one line.
        run: Tries candidates, the start first; deterministic but for the model's answers.
        needs: What has to be there: ``model``, the name of a package, or nothing.
        python: A Python of its own that has to be there, too, with packages that this one does not have; a path.
        how: How that one is made.
    """

    name: str
    says: str
    run: Callable[[Setting], Iterator[Tried]]
    needs: str = ""
    python: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much an experiment does in one form.

    Attributes:
        seeds: How many.
        calls: See `Setting`.
    """

    seeds: int
    calls: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment.

    Attributes:
        name: Of its folder and its command.
        order: Its place on the page.
        title: Of its section.
        question: What it asks, and how, for the page: Markdown.
        score: What the score is, in words.
        methods: In the order of the tables.
        budgets: By form.
        may: What a reader may conclude, in whole sentences.
        may_not: What a reader may not.
        paper: What the paper found, for larger models.
        problems: The variants; each is a table of its own.
        direction: ``maximize`` or ``minimize``.
        log: Whether the plot's scale is logarithmic.
    """

    name: str
    order: int
    title: str
    question: str
    score: str
    methods: tuple[Method, ...]
    budgets: Mapping[Form, Budget]
    may: str
    may_not: str
    paper: str
    problems: tuple[str, ...] = ("",)
    direction: str = "maximize"
    log: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
    """By problem, what has to be said of it."""

    def better(self, one: float, other: float) -> bool:
        """Whether the first score is better."""
        return one > other if self.direction == "maximize" else one < other

    def best(self, scores: Sequence[float]) -> float:
        """The best of some scores."""
        return max(scores) if self.direction == "maximize" else min(scores)


def names() -> Sequence[str]:
    """Of all experiments: folders with a module ``entry``."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/entry.py"))


def experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        LookupError: there is none; says which there are.
    """
    if name not in names():
        raise LookupError(f"experiment: found {name!r}, allowed are {', '.join(names())}")
    found: Experiment = importlib.import_module(f"examples.experiments.{name}.entry").EXPERIMENT
    return found
