"""OptoPrime: one call of a language model over the minimal subgraphs of a batch.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.
"""

import asyncio
import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from collector.core.errors import OptimizerError
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Proposal, Study
from collector.optimizer.conversation import Conversation, identity, total, tried
from collector.optimizer.llm import ADDRESS, MISSING, LanguageModel, ModelSettings, OpenAIModel
from collector.optimizer.options import REQUIRED, Option, chosen, faults_of
from collector.optimizer.problem import Budget, problem
from collector.optimizer.prompts import prompt
from otel_opto.spec import ParameterSpec

_LOG = logging.getLogger(__name__)
_LIMITS = ("max_tokens", "max_completion_tokens")
_FORMATS = ("auto", "json_schema", "json_object", "text")
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
    "candidates": Option((int,), 1, "a whole number from 1 to 16", 1, 16),
}
_MODEL_OPTIONS = tuple(ModelSettings.__dataclass_fields__)


def build() -> Optimizer:
    """For the entry point."""
    return OptoPrime(OpenAIModel)


class OptoPrime:
    """Shows the model the program, its runs with feedback, and what was tried; takes its suggestion.

    Several candidates are several calls with different seeds, one after the other: a small server answers one at a
    time. What the model suggests most often comes first.

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
        model = self._models.setdefault(settings, self._connect(settings))
        messages = await asyncio.to_thread(messages_for, request)
        conversations = [Conversation(model, request, number) for number in range(options["candidates"])]
        proposals: list[Proposal] = []
        for conversation in conversations:
            try:
                proposals.append(await conversation.hold(messages))
            except OptimizerError as error:
                last = conversation is conversations[-1]
                if not proposals and (last or error.permanent):
                    raise
                _LOG.warning("study %s: one candidate less: %s", request.study.name, error)
        first, *others = _most_promising_first(request, proposals)
        return (replace(first, cost=total(conversation.cost for conversation in conversations)), *others)


def messages_for(request: OptimizationRequest) -> Sequence[Mapping[str, str]]:
    """The system prompt and the problem instance, together within ``max_prompt_chars``.

    Raises:
        OptimizerError: permanent; what must be shown does not fit.
    """
    options = chosen(request.study.optimizer_options, _OPTIONS)
    system = prompt("optoprime_system")
    budget = Budget(options["max_prompt_chars"] - len(system), options["examples"])
    return ({"role": "system", "content": system}, {"role": "user", "content": problem(request, budget)})


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
