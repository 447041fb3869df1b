"""One candidate from a language model: asked, read, and asked again where the answer cannot be used."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Cost, Proposal
from collector.optimizer.answers.moves import NUMBERS, resolved
from collector.optimizer.answers.reading import UnreadableAnswer
from collector.optimizer.calls.llm import Completion, LanguageModel
from collector.optimizer.drafting.examples import Worked
from collector.optimizer.drafting.fitting import Asking
from collector.optimizer.drafting.forms import Form, JsonObject
from collector.optimizer.drafting.guard import Guard
from otel_opto.spec import content_hash

_TRIES, _TRIES_AND_COPIES = 3, 4
_LADDER = (0.0, 1.0, 1.5, 2.0)
"""Of the study's temperature, for the first draft, the next, …, and one rung higher after each answer in vain."""

_SHOWN_BACK = 1_000
"""Characters of an answer that the model sees again when it is asked to mend it."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask for a candidate.

    Attributes:
        asking: Gives the messages; a number asks for other runs among those that were judged alike.
        examples: The worked ones in them.
        form: Of the answers.
        lowest: Rung of the ladder of temperatures that it begins with.
    """

    asking: Asking
    examples: Sequence[Worked] = ()
    form: Form = field(default_factory=JsonObject)
    lowest: int = 0


class Conversation:
    """Asks for one candidate; again where an answer cannot be used: with the reason, or differently after a copy.

    Args:
        model: Answers.
        request: What the candidate is for.
        number: Of the draft: each has its own seeds and temperatures.
        temperature: The highest of the ladder that is not for copies; None: none is sent.
        ways: To ask, at least one, in turn: the next one follows where an answer repeats what was tried or refused.
        in_vain: Calls of the study before this one that nothing came of: their seeds are not asked with again.
    """

    def __init__(
        self,
        model: LanguageModel,
        request: OptimizationRequest,
        number: int,
        temperature: float | None,
        ways: Sequence[Way],
        in_vain: int = 0,
    ) -> None:
        self._model = model
        self._request = request
        self._number = number
        self._temperature = temperature
        self._tried = tried(request)
        self._refused = {identity(request, one.proposal.values) for one in request.rejected}
        self._guard = Guard(request, [worked for way in ways for worked in way.examples])
        self._ways = ways
        self._in_vain = in_vain
        self._repeats = 0
        self.cost = Cost()
        self.copies = 0
        self.unreadable = 0

    async def hold(self) -> Proposal | None:
        """A proposal that is new, or else, after all tries, the last one that validation or the guards refuse.

        Its reasoning says what was asked about, so that nothing is mended in silence. None: all that could be read
        were values that were tried already, which teach nothing and are dropped.

        Raises:
            OptimizerError: the model failed, or no answer could be read.
        """
        said = messages = await self._way.asking(self._number)
        refused: Proposal | None = None
        faults: list[str] = []
        for attempt in range(_TRIES_AND_COPIES):
            schema = self._way.form.schema(self._request.parameters)
            completion = await self._model.complete(said, schema, self._seed(attempt), self._warmth(attempt))
            self.cost = total([self.cost, _cost(completion)])
            proposal, fault, repeated = self._taken(completion)
            if proposal is not None and not fault:
                return _with_faults(proposal, faults)
            refused = proposal or refused
            faults.append(fault)
            if attempt + 1 - self.copies >= _TRIES:
                break
            self._repeats += repeated
            if self._way.form.again and not repeated:
                said = [*messages, *self._asked_back(completion, faults[-1])]
            else:  # its own words before its eyes would make it say them again: asked anew, it sees other runs
                said = messages = await self._way.asking(self._number + attempt + 1)
        if refused is None and not self.copies:
            spent = f"{self.cost.input_tokens} and {self.cost.output_tokens} tokens"
            raise OptimizerError(
                f"the model gave no readable suggestion in {self.cost.calls} answers ({spent}): {faults[-1]}"
            )
        return None if refused is None else _with_faults(refused, faults)

    def _taken(self, completion: Completion) -> tuple[Proposal | None, str, bool]:
        """The proposal in an answer, if it is none that was tried; what is wrong with it; whether it is a repeat."""
        try:
            proposal = self._read(completion)
        except UnreadableAnswer as error:
            self.unreadable += 1
            return None, str(error), False
        found = identity(self._request, proposal.values)
        if found in self._tried:
            self.copies += 1
            return None, "these values were tried already", True
        proposal, fault = against(proposal, self._request, self._guard)
        if not fault:
            return proposal, "", False
        self.cost += Cost(refused=len(proposal.faults))
        repeated = found in self._refused
        self._refused.add(found)
        return proposal, fault, repeated

    @property
    def _way(self) -> Way:
        return self._ways[self._repeats % len(self._ways)]

    def _seed(self, attempt: int) -> int:
        """Another one for each call of a study, and the same for the same request."""
        request = self._request
        attempt += self._in_vain
        told = (request.study.seed, len(request.trials), len(request.rejected), self._number, attempt)
        return random.Random(repr(told)).getrandbits(31)  # noqa: S311 - for variety, not for secrecy

    def _warmth(self, attempt: int) -> float | None:
        """The first draft is the model's best guess; each further one, and each after a copy, is freer.

        For texts only the study's first one: once a guess is in force, the best guess is to leave it as it is.
        """
        numbers = all(spec.type in NUMBERS for spec in self._request.parameters)
        guessed = not numbers and len(self._request.trials) > 1
        rung = self._number + attempt // len(self._ways) + guessed
        return warmth(self._temperature, max(rung, self._way.lowest))

    def _read(self, completion: Completion) -> Proposal:
        cut_off = completion.finish_reason == "length"
        try:
            proposal = self._way.form.read(completion.text, self._request.parameters, cut_off=cut_off)
        except UnreadableAnswer as error:
            if not cut_off:
                raise
            raise UnreadableAnswer(
                f"the answer was cut off after {completion.output_tokens} tokens; keep it short, or raise max_tokens"
            ) from error
        return replace(proposal, values=resolved(proposal.values, self._request))

    def _asked_back(self, completion: Completion, fault: str) -> Sequence[Mapping[str, str]]:
        return (
            {"role": "assistant", "content": completion.text[:_SHOWN_BACK] or "(nothing)"},
            {"role": "user", "content": f"That cannot be used: {fault}. {self._way.form.again}"},
        )


def _with_faults(proposal: Proposal, faults: Sequence[str]) -> Proposal:
    asked_about = f" (asked about: {'; '.join(dict.fromkeys(faults))})" if faults else ""
    return replace(proposal, reasoning=proposal.reasoning + asked_about)


def warmth(temperature: float | None, rung: int) -> float | None:
    """The temperature on a rung of the ladder; None where none is sent."""
    return None if temperature is None else min(temperature * _LADDER[min(rung, len(_LADDER) - 1)], 2.0)


def against(proposal: Proposal, request: OptimizationRequest, guard: Guard) -> tuple[Proposal, str]:
    """Why a proposal cannot become a trial; empty if it can. What the guard says stays with it, as its one fault."""
    good, faults = validated(proposal.values, request.parameters)
    if faults:
        return proposal, "; ".join(faults)
    guarded = guard.fault_of(good)
    return (replace(proposal, faults=(guarded,)), guarded) if guarded else (proposal, "")


def identity(request: OptimizationRequest, values: Mapping[str, AnyValue]) -> str:
    """What the whole candidate comes to, values that were left out filled in; one that is not allowed is like none."""
    good, faults = validated(values, request.parameters)
    if faults:
        return repr(sorted(values.items(), key=lambda item: item[0]))
    return content_hash({**request.current, **good}.items())


def tried(request: OptimizationRequest) -> frozenset[str]:
    """The identities of all trials so far."""
    keys = [spec.key for spec in request.parameters]
    known = [{key: trial.values[key] for key in keys if key in trial.values} for trial in request.trials]
    return frozenset(identity(request, values) for values in known)


def _cost(completion: Completion) -> Cost:
    tokens = completion.input_tokens, completion.output_tokens
    return Cost(completion.requests, *tokens, completion.seconds, completion.money)


def total(costs: Iterable[Cost]) -> Cost:
    """What several calls cost together."""
    return reduce(Cost.__add__, costs, Cost())
