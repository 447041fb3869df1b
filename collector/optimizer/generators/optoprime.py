"""OptoPrime: one call of a language model over the minimal subgraphs of a batch.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Cost
from collector.optimizer.calls.llm import Messages, OpenAIModel
from collector.optimizer.calls.models import Seat
from collector.optimizer.drafting.examples import worked_for
from collector.optimizer.drafting.fitting import Prompting
from collector.optimizer.drafting.writer import Writer, one_prompt
from collector.optimizer.instance.problem import IN_SHORT, Budget, problem
from collector.optimizer.options import chosen
from collector.optimizer.prompts import prompt

_SHARE_OF_EXAMPLES = 0.5
"""Of the characters, with the system prompt: where there are few, worked examples are left out."""


def build() -> Optimizer:
    """For the entry point."""
    return OptoPrime(OpenAIModel)


class OptoPrime(Writer):
    """Shows the model the program, its runs with feedback, and what was tried; takes its suggestion."""

    name = "optoprime"

    async def prepared(
        self,
        request: OptimizationRequest,
        options: Mapping[str, Any],  # noqa: ARG002 - read where the prompt is made
        seats: Sequence[Seat],  # noqa: ARG002 - nobody is asked before
    ) -> tuple[Prompting, Cost]:
        """See `Writer`."""
        return one_prompt(partial(messages_for, request))


def messages_for(request: OptimizationRequest, draft: int, chars: int) -> Messages:
    """The system prompt, worked examples and the problem instance, together within so many characters.

    Raises:
        OptimizerError: permanent; what must be shown does not fit.
    """
    options = chosen(request.study.optimizer_options, OptoPrime.options)
    alone = min(len(request.batch), options["examples"]) == 1
    system = prompt("optoprime_system", in_short=f"{IN_SHORT} " if alone else "")
    turns: list[Mapping[str, str]] = []
    taken = len(system)
    for worked in worked_for(request.parameters, options["worked_examples"]):
        length = sum(len(turn["content"]) for turn in worked.turns())
        if taken + length <= chars * _SHARE_OF_EXAMPLES:
            turns += worked.turns()
            taken += length
    budget = Budget(chars - taken, options["examples"], draft)
    return ({"role": "system", "content": system}, *turns, {"role": "user", "content": problem(request, budget)})
