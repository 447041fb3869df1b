"""What all generators share that ask a language model: drafts beside each other, the best first, one bill."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest
from collector.core.study import Cost, Proposal, Study
from collector.optimizer.calls.llm import LanguageModel, ModelSettings
from collector.optimizer.calls.models import MODEL_OPTIONS, Models, Seat, model_faults
from collector.optimizer.drafting.conversation import identity, total, tried
from collector.optimizer.options import Option, chosen, faults_of
from otel_opto.spec import ParameterSpec

_LOG = logging.getLogger(__name__)

MOST_CHARS = 1_000_000
PROMPT_CHARS = Option((int,), 16_000, "a whole number from 4000 to 1000000", 4_000, MOST_CHARS)


class Draft(Protocol):
    """One candidate on its way."""

    @property
    def cost(self) -> Cost:
        """Of its calls so far."""
        ...

    @property
    def copies(self) -> int:
        """How often it came to values that were tried."""
        ...

    async def hold(self) -> Proposal | None:
        """A proposal that is new, or one that validation or the guards refuse; None: all were values that were tried.

        Raises:
            OptimizerError: the model failed, or no answer could be read.
        """
        ...


class Drafter(ABC):
    """An `Optimizer` that asks a language model for each candidate.

    Several candidates are several drafts with different seeds, temperatures and runs shown, a few of them at a time.
    What the models suggest most often comes first.

    Args:
        connect: Gives the model for some settings; kept for each, so that a model can remember what its endpoint takes.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = MODEL_OPTIONS

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
        async with self._models.seated(request, options, self.name) as seats:
            drafts, before = await self.drafts(request, options, seats)
            found = await asyncio.gather(*map(_held, drafts))
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
    async def drafts(
        self, request: OptimizationRequest, options: Mapping[str, Any], seats: Sequence[Seat]
    ) -> tuple[Sequence[Draft], Cost]:
        """One for each seat, and what it took to prepare them.

        Args:
            request: What they are for.
            options: Defaults filled in.
            seats: The models.

        Raises:
            OptimizerError: permanent; what must be shown does not fit.
        """


async def _held(draft: Draft) -> Proposal | OptimizerError | None:
    """One draft's error is none of the others'."""
    try:
        return await draft.hold()
    except OptimizerError as error:
        return error


def _nothing_new(drafts: Sequence[Draft], cost: Cost, errors: Sequence[OptimizerError]) -> OptimizerError:
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
