"""What all generators share that ask a language model: drafts beside each other, the best first, one bill."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest
from collector.core.study import Cost, Proposal, Study
from collector.optimizer.calls.llm import LanguageModel, Messages, ModelSettings
from collector.optimizer.calls.models import MODEL_OPTIONS, Models, Seat, model_faults
from collector.optimizer.drafting.conversation import Conversation, identity, total, tried
from collector.optimizer.drafting.examples import MOST, worked_for
from collector.optimizer.drafting.fitting import Asking, Prompting, fitted_prompt
from collector.optimizer.drafting.forms import Form, JsonObject
from collector.optimizer.options import Option, chosen, faults_of
from otel_opto.spec import ParameterSpec

_LOG = logging.getLogger(__name__)

_MOST_CHARS = 1_000_000
PROMPT_OPTIONS = {
    "max_prompt_chars": Option((int,), 16_000, "a whole number from 4000 to 1000000", 4_000, _MOST_CHARS),
    "max_prompt_tokens": Option((int,), 0, "a whole number, 0 for max_prompt_chars alone", 0, _MOST_CHARS),
    "worked_examples": Option((int,), MOST, f"a whole number from 0 to {MOST}", 0, MOST),
    "examples": Option((int,), 4, "a whole number from 1 to 100", 1, 100),
}


class Writer(ABC):
    """An `Optimizer` that asks a language model for each candidate.

    Several candidates are several calls with different seeds, temperatures and runs shown, a few of them at a time.
    What the models suggest most often comes first.

    Args:
        connect: Gives the model for some settings; kept for each, so that a model can remember what its endpoint takes.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {**MODEL_OPTIONS, **PROMPT_OPTIONS}
    form: ClassVar[Form] = JsonObject()

    def __init__(self, connect: Callable[[ModelSettings], LanguageModel]) -> None:
        self._models = Models(connect)

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:  # noqa: ARG002 - any will do
        """See `Optimizer`."""
        return [*faults_of(study.optimizer_options, self.options), *model_faults(study)]

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`. The first proposal carries the cost of them all.

        Raises:
            OptimizerError: none of the candidates could be had; the text is of the last one.
        """
        if not request.parameters:
            return ()
        options = chosen(request.study.optimizer_options, self.options)
        seats = self._models.seats(request, options, self.name)
        in_vain = await _in_vain(request)
        prompting, before = await self.prepared(request, options, seats)
        examples = worked_for(request.parameters, options["worked_examples"])
        drafts = [
            Conversation(seat.model, request, number, options["temperature"], examples, self.form, in_vain)
            for number, seat in enumerate(seats)
        ]
        limits = options["max_prompt_tokens"], _most_chars(request.study.optimizer_options, options)
        found = await asyncio.gather(
            *(_held(draft, _asking(prompting, seat, *limits)) for draft, seat in zip(drafts, seats, strict=True))
        )
        named = [
            replace(one, origin=f"{self.name}, {seat.name}, draft {number}") if isinstance(one, Proposal) else one
            for number, (seat, one) in enumerate(zip(seats, found, strict=True), 1)
        ]
        proposals = [one for one in named if isinstance(one, Proposal)]
        errors = [one for one in named if isinstance(one, OptimizerError)]
        cost = total([before, *(draft.cost for draft in drafts)])
        if not proposals:
            raise _nothing_new(drafts, cost, errors)
        for error in errors:
            _LOG.warning("study %s: one candidate less: %s", request.study.name, error)
        first, *others = _most_promising_first(request, proposals)
        return (replace(first, cost=cost), *others)

    @abstractmethod
    async def prepared(
        self, request: OptimizationRequest, options: Mapping[str, Any], seats: Sequence[Seat]
    ) -> tuple[Prompting, Cost]:
        """What drafts are asked, and what finding that out took.

        Args:
            request: What to show.
            options: Defaults filled in.
            seats: The models, for those that have to be asked before.

        Raises:
            OptimizerError: permanent; what must be shown does not fit.
        """


def one_prompt(messages: Callable[[int, int], Messages]) -> tuple[Prompting, Cost]:
    """For generators whose drafts are asked one thing, which costs nothing to find out.

    Args:
        messages: By the draft's number and the characters that there is room for; computed beside the event loop.
    """

    async def prompting(number: int, chars: int) -> Messages:
        return await asyncio.to_thread(messages, number, chars)

    return prompting, Cost()


def _most_chars(given: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    """Where tokens are counted, characters are a limit only if the study says so, too."""
    by_tokens = options["max_prompt_tokens"] and "max_prompt_chars" not in given
    return _MOST_CHARS if by_tokens else int(options["max_prompt_chars"])


def _asking(prompting: Prompting, seat: Seat, tokens: int, chars: int) -> Asking:
    """What one draft is asked, within both limits."""

    async def asking(number: int) -> Messages:
        if not tokens:
            return await prompting(number, chars)
        return await fitted_prompt(prompting, number, tokens, chars, seat.tokens)

    return asking


async def _in_vain(request: OptimizationRequest) -> int:
    """Calls so far that led to no trial and no rejected proposal: the same request again would have their answers."""
    if request.calls is None:
        return 0
    led = [*(trial.cost for trial in request.trials), *(one.proposal.cost for one in request.rejected)]
    return max(0, (await request.calls.spent()).calls - sum(cost.calls for cost in led))


async def _held(draft: Conversation, asking: Asking) -> Proposal | OptimizerError | None:
    """One draft's error is none of the others'."""
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


def _most_promising_first(request: OptimizationRequest, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
    """Each candidate once: what is allowed and new before the rest, then what was suggested most often."""
    known = tried(request)
    alike: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        alike.setdefault(identity(request, proposal.values), []).append(proposal)

    def rank(group: str) -> tuple[bool, bool, int]:
        _, faults = validated(alike[group][0].values, request.parameters)
        return bool(faults or alike[group][0].faults), group in known, -len(alike[group])

    return [alike[group][0] for group in sorted(alike, key=rank)]
