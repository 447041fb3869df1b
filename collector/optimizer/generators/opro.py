"""OPRO: optimization by prompting, from the history of values and scores alone.

Yang, Wang, Lu, Liu, Le, Zhou, Chen, "Large Language Models as Optimizers" (ICLR 2024). No graph is shown: what an
optimizer that sees one must beat.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Cost
from collector.optimizer.calls.llm import Messages, OpenAIModel
from collector.optimizer.calls.models import Seat
from collector.optimizer.drafting.fitting import Prompting
from collector.optimizer.drafting.writer import Writer, one_prompt
from collector.optimizer.instance.history import ranked, refusals
from collector.optimizer.instance.problem import objective, variables
from collector.optimizer.instance.quoting import fitted
from collector.optimizer.prompts import prompt

_SHOWN = 20
"""Trials at most, the best ones: as many as in the paper."""

_WIDTHS = (1_600, 800, 400, 200, 100)
"""Characters of one value, tried in turn until everything fits."""


def build() -> Optimizer:
    """For the entry point."""
    return OPRO(OpenAIModel)


class OPRO(Writer):
    """Shows the model the best values so far with their scores, the best one last, and asks for better ones."""

    name = "opro"

    async def prepared(
        self,
        request: OptimizationRequest,
        options: Mapping[str, Any],  # noqa: ARG002 - what there is room for is said when the prompt is made
        seats: Sequence[Seat],  # noqa: ARG002 - nobody is asked before
    ) -> tuple[Prompting, Cost]:
        """See `Writer`. Drafts differ in seed and temperature only."""
        return one_prompt(lambda _, chars: self._messages(request, chars))

    def _messages(self, request: OptimizationRequest, chars: int) -> Messages:
        system = prompt("opro_system")
        room = chars - len(system)
        for width in _WIDTHS:
            asked = self._problem(request, width, "\n".join(self._history(request, width)))
            if len(asked) <= room:
                break
        else:
            left = room - len(self._problem(request, _WIDTHS[-1], ""))
            if left < 0:
                raise OptimizerError(
                    f"option max_prompt_chars: objective and variables alone take {-left} characters too many; "
                    "raise it, or name fewer parameters in the study",
                    permanent=True,
                )
            asked = self._problem(request, _WIDTHS[-1], fitted(self._history(request, _WIDTHS[-1]), left))
        return ({"role": "system", "content": system}, {"role": "user", "content": asked})

    @staticmethod
    def _history(request: OptimizationRequest, width: int) -> list[str]:
        return [*refusals(request, width), *ranked(request, _SHOWN, width)]

    @staticmethod
    def _problem(request: OptimizationRequest, width: int, history: str) -> str:
        listed = "\n".join(variables(request, width * 10))
        return prompt("opro_problem", objective=objective(request), variables=listed, history=history)
