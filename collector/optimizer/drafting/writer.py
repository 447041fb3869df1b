"""What all generators share that ask a language model in a conversation of ours: one prompt, or one for each draft."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from collector.core.protocols import OptimizationRequest
from collector.core.study import Cost
from collector.optimizer.calls.llm import Messages
from collector.optimizer.calls.models import MODEL_OPTIONS, Seat
from collector.optimizer.drafting.conversation import Conversation, Way
from collector.optimizer.drafting.drafter import MOST_CHARS, PROMPT_CHARS, Draft, Drafter
from collector.optimizer.drafting.examples import MOST, Worked, worked_for
from collector.optimizer.drafting.fitting import Asking, Prompting, fitted_prompt
from collector.optimizer.drafting.forms import Alone, Form, JsonObject
from collector.optimizer.options import Option
from otel_opto.spec import ParameterSpec

PROMPT_OPTIONS = {
    "max_prompt_chars": PROMPT_CHARS,
    "max_prompt_tokens": Option((int,), 0, "a whole number, 0 for max_prompt_chars alone", 0, MOST_CHARS),
    "worked_examples": Option((int,), MOST, f"a whole number from 0 to {MOST}", 0, MOST),
    "examples": Option((int,), 4, "a whole number from 1 to 100", 1, 100),
}


@dataclass(frozen=True, slots=True)
class OneText:
    """What is asked where one text is asked for by itself.

    Attributes:
        spec: Of the text.
        prompting: Makes the messages, by the draft's number and the characters that there is room for.
        examples: The worked ones that may stand in them.
        shown: Whether its value is before the model's eyes, which repeats it where it answers without chance.
    """

    spec: ParameterSpec
    prompting: Prompting
    examples: Sequence[Worked]
    shown: bool = True


class Writer(Drafter):
    """A `Drafter` whose drafts are conversations over prompts of ours, with worked examples."""

    options: ClassVar[Mapping[str, Option]] = {**MODEL_OPTIONS, **PROMPT_OPTIONS}
    form: ClassVar[Form] = JsonObject()

    async def drafts(
        self, request: OptimizationRequest, options: Mapping[str, Any], seats: Sequence[Seat]
    ) -> tuple[Sequence[Draft], Cost]:
        """See `Drafter`."""
        in_vain = await _in_vain(request)
        prompting, before = await self.prepared(request, options, seats)
        examples = worked_for(request.parameters, options["worked_examples"])
        limits = options["max_prompt_tokens"], _most_chars(request.study.optimizer_options, options)
        drafts = []
        for number, seat in enumerate(seats):
            ways = [Way(_asking(prompting, seat, *limits), examples, self.form)]
            for other in self.alone(request, options):
                form = Alone(other.spec, str(request.current[other.spec.key]))
                ways.append(Way(_asking(other.prompting, seat, *limits), other.examples, form, lowest=int(other.shown)))
            first = self.first(request, options, in_vain + number, len(ways))
            ways = [*ways[first:], *ways[:first]]
            drafts.append(Conversation(seat.model, request, number, options["temperature"], ways, in_vain))
        return drafts, before

    def alone(self, request: OptimizationRequest, options: Mapping[str, Any]) -> Sequence[OneText]:  # noqa: ARG002
        """Further ways to ask, for one text by itself.

        Args:
            request: What to show.
            options: Defaults filled in.
        """
        return ()

    def first(
        self,
        request: OptimizationRequest,  # noqa: ARG002 - there is one way only
        options: Mapping[str, Any],  # noqa: ARG002
        before: int,  # noqa: ARG002
        ways: int,  # noqa: ARG002
    ) -> int:
        """With which way a draft begins; the others follow in turn.

        Args:
            request: What to show.
            options: Defaults filled in.
            before: Calls in vain and drafts before it.
            ways: How many there are: all variables together, then those of `alone`.
        """
        return 0

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
    return MOST_CHARS if by_tokens else int(options["max_prompt_chars"])


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
