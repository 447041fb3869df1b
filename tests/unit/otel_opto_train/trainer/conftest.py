"""A training of an application in memory, carried out step by step in the test's own event loop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from collector.core.protocols import Optimizer
from otel_opto_train.stepping import Settings, course_begun
from otel_opto_train.trainer.examples import divided, examples_of
from otel_opto_train.trainer.measuring import Subject
from otel_opto_train.trainer.plan import plan_of
from otel_opto_train.trainer.report import Report
from otel_opto_train.trainer.train import Order
from tests.unit.otel_opto_train.conftest import Lab, Variants


@dataclass
class Desk:
    """What is trained, and where it is kept; counts what was run."""

    lab: Lab
    directory: Path
    ran: list[tuple[Any, Any]] = field(default_factory=list)

    def workflow(self, question: Any) -> Any:
        """An answer is what the parameter says, and how."""
        size = self.size.value
        self.ran.append((question, size))
        return size

    def __post_init__(self) -> None:
        self.size = self.lab.parameter("size", 1, minimum=0, maximum=100)

    async def train(
        self,
        proposals: Sequence[Any] | Optimizer,
        data: Any = tuple(range(40)),
        *,
        workflow: Callable[[Any], Any] | None = None,
        guide: Callable[..., Any] = lambda output: output / 100,
        parts: tuple[Any, Any] = (0.25, 0.25),
        optimizer: str = "variants",
        options: Mapping[str, Any] | None = None,
        shown: bool | None = None,
        **numbers: Any,
    ) -> Report:
        plan = plan_of(numbers)  # type: ignore[arg-type]
        settings: Settings = plan.settings()
        course = course_begun(self.lab.stage, None, optimizer, options or {}, settings)
        proposer = Variants(proposals) if isinstance(proposals, list) else cast("Optimizer", proposals)
        divide = divided(examples_of(data), 0.0 if plan.folds else parts[0], parts[1], plan.seed)
        subject = Subject(workflow or self.workflow, guide, self.lab.stage.registry.specs(), ("size",))
        order = Order("training", plan, divide, subject, course, proposer, self.lab.stage)
        return await order.carried_out(self.directory, shown)


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Desk:
    return Desk(lab, tmp_path / "ledger")
