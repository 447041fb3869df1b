"""One candidate from a language model: asked, read, and asked again where the answer cannot be used."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest
from collector.core.span import AnyValue
from collector.core.study import Cost, Proposal
from collector.optimizer.answer import UnreadableAnswer, read_answer, schema_of
from collector.optimizer.llm import Completion, LanguageModel
from otel_opto.spec import content_hash

_TRIES = 3
_SHOWN_BACK = 1_000
"""Characters of an answer that the model sees again when it is asked to mend it."""


class Conversation:
    """Asks for one candidate; again, with the reason, where an answer cannot be used."""

    def __init__(self, model: LanguageModel, request: OptimizationRequest, number: int) -> None:
        self._model = model
        self._request = request
        self._number = number
        self._tried = tried(request)
        self.cost = Cost()

    async def hold(self, messages: Sequence[Mapping[str, str]]) -> Proposal:
        """A proposal that is new and allowed, or else, after all tries, the last one that could be read.

        Its reasoning says what was asked about, so that nothing is mended in silence.

        Raises:
            OptimizerError: the model failed, or no answer could be read.
        """
        said = list(messages)
        schema = schema_of(self._request.parameters)
        proposal: Proposal | None = None
        faults: list[str] = []
        for attempt in range(_TRIES):
            completion = await self._model.complete(said, schema, self._seed(attempt))
            self.cost = total([self.cost, _cost(completion)])
            try:
                proposal = self._read(completion)
                fault = self._against(proposal)
            except UnreadableAnswer as error:
                fault = str(error)
            if not fault:
                break
            faults.append(fault)
            said += [
                {"role": "assistant", "content": completion.text[:_SHOWN_BACK] or "(nothing)"},
                {
                    "role": "user",
                    "content": f"That cannot be used: {fault}. Suggest other values, again as one JSON object.",
                },
            ]
        if proposal is None:
            spent = f"{self.cost.input_tokens} and {self.cost.output_tokens} tokens"
            raise OptimizerError(f"the model gave no readable suggestion in {_TRIES} answers ({spent}): {faults[-1]}")
        asked_about = f" (asked about: {'; '.join(dict.fromkeys(faults))})" if faults else ""
        return replace(proposal, reasoning=proposal.reasoning + asked_about)

    def _seed(self, attempt: int) -> int:
        """Another one for each call of a study, and the same for the same request."""
        request = self._request
        told = (request.study.seed, len(request.trials), len(request.rejected), self._number, attempt)
        return random.Random(repr(told)).getrandbits(31)  # noqa: S311 - for variety, not for secrecy

    def _read(self, completion: Completion) -> Proposal:
        if completion.finish_reason == "length":
            raise UnreadableAnswer(
                f"the answer was cut off after {completion.output_tokens} tokens; keep it short, or raise max_tokens"
            )
        return read_answer(completion.text, self._request.parameters, Cost())

    def _against(self, proposal: Proposal) -> str:
        """Why a proposal cannot become a trial that teaches something; empty if it can."""
        _, faults = validated(proposal.values, self._request.parameters)
        if faults:
            return "; ".join(faults)
        return "these values were tried already" if identity(self._request, proposal.values) in self._tried else ""


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
    return Cost(1, completion.input_tokens, completion.output_tokens, completion.seconds)


def total(costs: Iterable[Cost]) -> Cost:
    """What several calls cost together."""
    several = list(costs)
    return Cost(
        calls=sum(cost.calls for cost in several),
        input_tokens=sum(cost.input_tokens for cost in several),
        output_tokens=sum(cost.output_tokens for cost in several),
        seconds=sum(cost.seconds for cost in several),
    )
