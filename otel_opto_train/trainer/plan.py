"""How a training goes: all its numbers in one record."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from collector.core.problem import Objective
from collector.core.record import tree_of
from collector.core.study import Direction
from otel_opto_train.stepping import Settings

_WORKERS = ("workers", "processes", "example_seconds")
"""Change nothing of what is measured."""

_BUDGET = ("rounds", "patience", "target", *_WORKERS)
"""May be changed for a training that has not ended."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried and measured.

    Attributes:
        objective: What is wanted.
        rounds: So often the optimizer is asked at most.
        minibatch: Examples of the training part in each round.
        finalists: Candidates of a round that are measured on the validation part at most.
        patience: It ends after so many rounds without a better candidate.
        target: It ends when the mean on the validation part is that good; None: it does not.
        folds: Above 1: no validation part is kept apart; in turn one of so many folds is it for a round.
        workers: Examples that run at the same time.
        processes: Whether they run in processes of their own; else in threads and tasks.
        example_seconds: With processes: an example that takes longer is an error, and its process is ended.
        judge_samples: So often each output is judged; its score is the mean.
        seed: Of parts, minibatches and the optimizer.
        alpha: How often a candidate that is no better may be called better.
    """

    objective: Objective = field(default_factory=Objective)
    rounds: int = 20
    minibatch: int = 20
    finalists: int = 2
    patience: int = 8
    target: float | None = None
    folds: int = 0
    workers: int = 4
    judge_samples: int = 1
    seed: int = 0
    alpha: float = 0.05
    processes: bool = False
    example_seconds: float | None = None

    def faults(self) -> list[str]:
        """Every fault of its fields: what was found, what is allowed."""
        faults = [
            f"{name}: found {getattr(self, name)}, allowed is 1 and more"
            for name in ("rounds", "minibatch", "finalists", "patience", "workers", "judge_samples")
            if getattr(self, name) < 1
        ]
        if self.folds < 0 or self.folds == 1:
            faults.append(f"folds: found {self.folds}, allowed is 0 for none, or 2 and more")
        if self.example_seconds is not None and not (self.processes and 0 < self.example_seconds < math.inf):
            faults.append(
                f"example_seconds: found {self.example_seconds:g}, allowed are numbers above 0 where examples run in "
                "processes: nothing else can be ended"
            )
        if not 0 < self.alpha < 1:
            faults.append(f"alpha: found {self.alpha:g}, allowed is between 0 and 1")
        if not self.objective.lowest < self.objective.highest:
            found = f"{self.objective.lowest:g} to {self.objective.highest:g}"
            faults.append(f"range: found {found}, allowed are finite ends, the lowest first")
        return faults

    def settings(self) -> Settings:
        """What an optimizer is told of it."""
        wanted = self.objective
        return Settings(
            metric=wanted.metric,
            direction="maximize" if wanted.direction is Direction.MAXIMIZE else "minimize",
            instruction=wanted.instruction,
            seed=self.seed,
        )

    def tree(self) -> dict[str, object]:
        """All of it but the budget."""
        return {name: value for name, value in tree_of(self).items() if name not in _BUDGET}

    def budget(self) -> dict[str, object]:
        """What may be changed while it has not ended."""
        return {name: value for name, value in tree_of(self).items() if name in _BUDGET and name not in _WORKERS}


class Numbers(TypedDict, total=False):
    """A plan as keywords; see `Plan` and `Objective` for what each is, and what it is where nothing is said."""

    metric: str
    direction: Literal["maximize", "minimize"]
    instruction: str
    lowest: float
    highest: float
    rounds: int
    minibatch: int
    finalists: int
    patience: int
    target: float | None
    folds: int
    workers: int
    judge_samples: int
    seed: int
    alpha: float
    processes: bool
    example_seconds: float | None


_OF_OBJECTIVE = ("metric", "instruction", "lowest", "highest")


def plan_of(numbers: Numbers) -> Plan:
    """The plan of keywords.

    Raises:
        ValueError: one of them is none, or the direction is none; says which there are.
    """
    given: dict[str, Any] = dict(numbers)
    unknown = sorted(given.keys() - Numbers.__annotations__.keys())
    if unknown:
        raise ValueError(f"train: found {', '.join(unknown)}; allowed are {', '.join(Numbers.__annotations__)}")
    wanted = {name: given.pop(name) for name in _OF_OBJECTIVE if name in given}
    direction = given.pop("direction", Direction.MAXIMIZE.value)
    if direction not in (one.value for one in Direction):
        raise ValueError(f"direction: found {direction!r}, allowed are maximize and minimize")
    return Plan(Objective(direction=Direction(direction), **wanted), **given)
