"""TextGrad: critiques in words, passed back along the edges of the graph, one call of a model each.

Yuksekgonul, Bianchi, Boen, Liu, Huang, Guestrin, Zou, "TextGrad: Automatic 'Differentiation' via Text" (2024).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Cost
from collector.optimizer.calls.critics import CRITIC_OPTIONS
from collector.optimizer.calls.llm import Messages, OpenAIModel
from collector.optimizer.calls.models import Seat
from collector.optimizer.drafting.critic import Critic
from collector.optimizer.drafting.fitting import Prompting
from collector.optimizer.drafting.writer import Writer, one_prompt
from collector.optimizer.instance.history import history
from collector.optimizer.instance.problem import objective, variables
from collector.optimizer.instance.quoting import fitted, quoted
from collector.optimizer.instance.runs import chosen, runs_of
from collector.optimizer.options import Option
from collector.optimizer.prompts import prompt

_WIDTHS = (800, 400, 200, 100)
"""Characters of one value, tried in turn until everything fits."""


def build() -> Optimizer:
    """For the entry point."""
    return TextGrad(OpenAIModel)


class TextGrad(Writer):
    """Asks for a critique of each input that leads to a variable, from the output backwards; then for new values.

    It makes as many calls as there are such edges in the runs that it reads, and as many as there are drafts.
    """

    name = "textgrad"
    options: ClassVar[Mapping[str, Option]] = {
        **Writer.options,
        **CRITIC_OPTIONS,
    }

    async def prepared(
        self, request: OptimizationRequest, options: Mapping[str, Any], seats: Sequence[Seat]
    ) -> tuple[Prompting, Cost]:
        """See `Writer`. The first model criticizes."""
        runs = chosen(await asyncio.to_thread(runs_of, request), options["examples"])
        critics = [Critic(seats[0].model, run, options["max_edges"], request.study.seed) for run in runs]
        found = await asyncio.gather(*(critic.passed_back() for critic in critics), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException) and (not isinstance(one, OptimizerError) or one.permanent):
                raise one
        cost = sum((critic.cost for critic in critics), Cost())
        critiques: dict[str, list[str]] = {}
        for one in found:
            for key, said in {} if isinstance(one, BaseException) else one:
                critiques.setdefault(key, []).append(said)
        prompting, _ = one_prompt(lambda _, chars: _messages(request, critiques, chars))
        return prompting, cost


def _messages(request: OptimizationRequest, critiques: Mapping[str, Sequence[str]], chars: int) -> Messages:
    system = prompt("textgrad_system")
    room = chars - len(system)
    lines = [
        f"{spec.key}: {quoted(said, 600)}"
        for spec in request.parameters
        for said in dict.fromkeys(critiques.get(spec.key, ()))
    ] or ["(no critique reached a variable)"]
    for width in _WIDTHS:
        asked = _problem(request, width, history(request, width), "\n".join(lines))
        if len(asked) <= room:
            break
    else:
        left = room - len(_problem(request, _WIDTHS[-1], [], ""))
        if left < 0:
            raise OptimizerError(
                f"option max_prompt_chars: objective and variables alone take {-left} characters too many; raise it, "
                "or name fewer parameters in the study",
                permanent=True,
            )
        asked = _problem(request, _WIDTHS[-1], [], fitted(lines, left))
    return ({"role": "system", "content": system}, {"role": "user", "content": asked})


def _problem(request: OptimizationRequest, width: int, tried: Sequence[str], critique: str) -> str:
    return prompt(
        "textgrad_problem",
        objective=objective(request),
        variables="\n".join(variables(request, width * 10)),
        history="".join(f"{line}\n" for line in ["#Tried", *tried, ""]) if tried else "",
        critique=critique,
    )
