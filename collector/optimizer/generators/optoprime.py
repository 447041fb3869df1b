"""OptoPrime: one call of a language model over the minimal subgraphs of a batch.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.
"""

import asyncio
import importlib.util
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Cost, Proposal, Study
from collector.optimizer.calls.llm import ADDRESS, MISSING, LanguageModel, Messages, ModelSettings, OpenAIModel
from collector.optimizer.calls.metered import Caps, Metered, Prices
from collector.optimizer.drafting.conversation import Conversation, identity, total, tried
from collector.optimizer.drafting.examples import worked_for
from collector.optimizer.instance.problem import Budget, problem
from collector.optimizer.options import REQUIRED, Option, chosen, faults_of
from collector.optimizer.prompts import prompt
from otel_opto.spec import ParameterSpec

_LOG = logging.getLogger(__name__)
_LIMITS = ("max_tokens", "max_completion_tokens")
_FORMATS = ("auto", "json_schema", "json_object", "text")
_SHARE_OF_EXAMPLES = 0.5
"""Of the characters, with the system prompt: where there are few, worked examples are left out."""

_OPTIONS = {
    "model": Option((str,), REQUIRED, "the model's name at the endpoint", pattern=".+"),
    "base_url": Option(
        (str,),
        "",
        "an http or https address without a password in it, or nothing for OPENAI_BASE_URL",
        pattern=f"|{ADDRESS}",
    ),
    "temperature": Option((int, float), None, "a number from 0 to 2", 0, 2),
    "max_tokens": Option((int,), 1024, "a whole number from 16 to 100000", 16, 100_000),
    "token_limit_parameter": Option((str,), "max_tokens", " or ".join(_LIMITS), choices=_LIMITS),
    "timeout_seconds": Option((int, float), 120.0, "a number from 1 to 3600", 1, 3600),
    "response_format": Option((str,), "auto", "auto, json_schema, json_object or text", choices=_FORMATS),
    "max_prompt_chars": Option((int,), 16_000, "a whole number from 4000 to 1000000", 4_000, 1_000_000),
    "examples": Option((int,), 4, "a whole number from 1 to 100", 1, 100),
    "concurrency": Option((int,), 2, "a whole number from 1 to 32", 1, 32),
    "input_price": Option((int, float), 0.0, "what a million tokens cost, 0 or more", 0),
    "output_price": Option((int, float), 0.0, "what a million tokens cost, 0 or more", 0),
    "max_calls": Option((int,), 0, "a whole number, 0 for no cap", 0),
    "max_study_tokens": Option((int,), 0, "a whole number, 0 for no cap", 0),
    "max_money": Option((int, float), 0.0, "a number in the unit of the prices, 0 for no cap", 0),
    "candidates": Option((int,), 1, "a whole number from 1 to 16", 1, 16),
}
_MODEL_OPTIONS = tuple(ModelSettings.__dataclass_fields__)


def build() -> Optimizer:
    """For the entry point."""
    return OptoPrime(OpenAIModel)


class OptoPrime:
    """Shows the model the program, its runs with feedback, and what was tried; takes its suggestion.

    Several candidates are several calls with different seeds, temperatures and runs shown, a few of them at a time.
    What the model suggests most often comes first.

    Args:
        connect: Gives the model for some settings; kept for each, so that a model can remember what its endpoint takes.
    """

    def __init__(self, connect: Callable[[ModelSettings], LanguageModel]) -> None:
        self._connect = connect
        self._models: dict[ModelSettings, LanguageModel] = {}

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:  # noqa: ARG002 - any will do
        """See `Optimizer`."""
        given = study.optimizer_options
        faults = list(faults_of(given, _OPTIONS))
        if given.get("temperature") == 0 and given.get("candidates", 1) != 1:
            faults.append("option candidates: with temperature 0 all answers are alike; raise the temperature")
        if given.get("max_money") and not (given.get("input_price") or given.get("output_price")):
            faults.append("option max_money: without input_price and output_price nothing is known to cost money")
        if importlib.util.find_spec("openai") is None:
            faults.append(MISSING)
        return faults

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`. The first proposal carries the cost of them all.

        Raises:
            OptimizerError: none of the candidates could be had; the text is of the last one.
        """
        if not request.parameters:
            return ()
        options = chosen(request.study.optimizer_options, _OPTIONS)
        settings = ModelSettings(**{name: options[name] for name in _MODEL_OPTIONS})
        model = _on_bill(self._models.setdefault(settings, self._connect(settings)), request, options)
        examples = worked_for(request.parameters)
        drafts = [
            Conversation(model, request, number, options["temperature"], examples)
            for number in range(options["candidates"])
        ]

        async def asking(number: int) -> Messages:
            return await asyncio.to_thread(messages_for, request, number)

        limit = asyncio.Semaphore(options["concurrency"])
        found = await asyncio.gather(*(_held(draft, asking, limit) for draft in drafts))
        proposals = [one for one in found if isinstance(one, Proposal)]
        errors = [one for one in found if isinstance(one, OptimizerError)]
        cost = total(draft.cost for draft in drafts)
        if not proposals:
            raise _nothing_new(drafts, cost, errors)
        for error in errors:
            _LOG.warning("study %s: one candidate less: %s", request.study.name, error)
        first, *others = _most_promising_first(request, proposals)
        return (replace(first, cost=cost), *others)


def _on_bill(model: LanguageModel, request: OptimizationRequest, options: Mapping[str, Any]) -> LanguageModel:
    if request.calls is None:
        return model
    prices = Prices(options["input_price"], options["output_price"])
    caps = Caps(options["max_calls"], options["max_study_tokens"], options["max_money"])
    return Metered(model, options["model"], request.calls, prices, caps)


async def _held(
    draft: Conversation, asking: Callable[[int], Awaitable[Messages]], limit: asyncio.Semaphore
) -> Proposal | OptimizerError | None:
    """One draft's error is none of the others'."""
    async with limit:
        try:
            return await draft.hold(asking)
        except OptimizerError as error:
            return error


def _nothing_new(drafts: Sequence[Conversation], cost: Cost, errors: Sequence[OptimizerError]) -> OptimizerError:
    lasting = [error for error in errors if error.permanent]
    if errors:
        return (lasting or errors)[-1]
    copies = sum(draft.copies for draft in drafts)
    return OptimizerError(
        f"the model repeated values that were tried already, {copies} times in {cost.calls} answers; raise the "
        "temperature or candidates, or take a stronger model"
    )


def messages_for(request: OptimizationRequest, draft: int = 0) -> Messages:
    """The system prompt, worked examples and the problem instance, together within ``max_prompt_chars``.

    Args:
        request: What to show.
        draft: Its number: each is shown other runs among those that were judged alike.

    Raises:
        OptimizerError: permanent; what must be shown does not fit.
    """
    options = chosen(request.study.optimizer_options, _OPTIONS)
    system = prompt("optoprime_system")
    turns: list[Mapping[str, str]] = []
    taken = len(system)
    for worked in worked_for(request.parameters):
        length = sum(len(turn["content"]) for turn in worked.turns())
        if taken + length <= options["max_prompt_chars"] * _SHARE_OF_EXAMPLES:
            turns += worked.turns()
            taken += length
    budget = Budget(options["max_prompt_chars"] - taken, options["examples"], draft)
    return ({"role": "system", "content": system}, *turns, {"role": "user", "content": problem(request, budget)})


def _most_promising_first(request: OptimizationRequest, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
    """Each candidate once: what is allowed and new before the rest, then what was suggested most often."""
    known = tried(request)
    alike: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        alike.setdefault(identity(request, proposal.values), []).append(proposal)

    def rank(group: str) -> tuple[bool, bool, int]:
        _, faults = validated(alike[group][0].values, request.parameters)
        return bool(faults), group in known, -len(alike[group])

    return [alike[group][0] for group in sorted(alike, key=rank)]
