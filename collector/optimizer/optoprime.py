"""OptoPrime: one call of a language model over the minimal subgraphs of a batch.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.span import AnyValue
from collector.core.study import Cost, Proposal, Study
from collector.optimizer import problem
from collector.optimizer.answer import UnreadableAnswer, read_answer, schema_of
from collector.optimizer.llm import Completion, LanguageModel, ModelSettings, OpenAIModel
from collector.optimizer.options import REQUIRED, Option, chosen, faults_of
from collector.optimizer.prompts import prompt
from otel_opto.spec import ParameterSpec

_TRIES = 3
_OPTIONS = {
    "model": Option((str,), REQUIRED, "the model's name at the endpoint"),
    "base_url": Option((str,), "", "an http or https address; without it OPENAI_BASE_URL"),
    "temperature": Option((int, float), None, "a number from 0 to 2", 0, 2),
    "max_tokens": Option((int,), 1024, "a whole number from 16 to 100000", 16, 100_000),
    "token_limit_parameter": Option(
        (str,), "max_tokens", "max_tokens or max_completion_tokens", choices=("max_tokens", "max_completion_tokens")
    ),
    "timeout_seconds": Option((int, float), 120.0, "a number from 1 to 3600", 1, 3600),
    "response_format": Option(
        (str,),
        "auto",
        "auto, json_schema, json_object or text",
        choices=("auto", "json_schema", "json_object", "text"),
    ),
    "max_prompt_chars": Option((int,), 16_000, "a whole number from 2000 to 1000000", 2_000, 1_000_000),
    "examples": Option((int,), 4, "a whole number from 1 to 100", 1, 100),
}
_MODEL_OPTIONS = tuple(ModelSettings.__dataclass_fields__)


def build() -> Optimizer:
    """For the entry point."""
    return OptoPrime(OpenAIModel)


class OptoPrime:
    """Shows the model the program, its runs with feedback, and what was tried; takes one suggestion.

    Args:
        connect: Gives the model for some settings; kept for each, so that a model can remember what its endpoint takes.
    """

    def __init__(self, connect: Callable[[ModelSettings], LanguageModel]) -> None:
        self._connect = connect
        self._models: dict[ModelSettings, LanguageModel] = {}

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:  # noqa: ARG002 - any will do
        """See `Optimizer`."""
        return faults_of(study.optimizer_options, _OPTIONS)

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`. An unreadable answer and values that were tried before are asked about again."""
        options = chosen(request.study.optimizer_options, _OPTIONS)
        settings = ModelSettings(**{name: options[name] for name in _MODEL_OPTIONS})
        model = self._models.setdefault(settings, self._connect(settings))
        messages = list(messages_for(request))
        schema = schema_of(request.parameters)
        tried = {_fingerprint(request, trial.values) for trial in request.trials}
        cost, fault, repeated = Cost(), "", None
        for attempt in range(_TRIES):
            seed = _seed(request, attempt)
            completion = await model.complete(messages, schema, seed)
            cost = _added(cost, completion)
            try:
                proposal = _read(completion, request.parameters, cost)
            except UnreadableAnswer as error:
                fault = str(error)
            else:
                if _fingerprint(request, proposal.values) not in tried:
                    return (proposal,)
                repeated, fault = proposal, "these values were tried already; suggest others"
            messages += [
                {"role": "assistant", "content": completion.text[:2_000]},
                {"role": "user", "content": f"That cannot be used: {fault}. Answer again with one JSON object."},
            ]
        if repeated is not None:
            return (repeated,)
        raise OptimizerError(f"model {settings.model!r} gave no readable suggestion in {_TRIES} tries: {fault}")


def messages_for(request: OptimizationRequest) -> Sequence[dict[str, str]]:
    """The system prompt and the problem instance, within ``max_prompt_chars``."""
    options = chosen(request.study.optimizer_options, _OPTIONS)
    system = prompt("optoprime_system")
    fixed = {
        "objective": problem.objective(request.study),
        "code": problem.code(request.batch),
        "variables": problem.variables(request),
        "history": problem.history(request),
    }
    left = max(options["max_prompt_chars"] - len(system) - sum(map(len, fixed.values())), 0)
    runs = problem.runs(request, problem.Budget(left, options["examples"]))
    return (
        {"role": "system", "content": system},
        {"role": "user", "content": prompt("optoprime_problem", runs=runs, **fixed)},
    )


def _seed(request: OptimizationRequest, attempt: int) -> int:
    """Another one for every call of a study, and the same one when the same call is made again."""
    known = f"{request.study.seed}/{len(request.trials)}/{len(request.rejected)}/{attempt}"
    return random.Random(known).getrandbits(31)  # noqa: S311 - no secret


def _read(completion: Completion, parameters: Sequence[ParameterSpec], cost: Cost) -> Proposal:
    if completion.finish_reason == "length":
        raise UnreadableAnswer(f"the answer was cut off after {completion.output_tokens} tokens; keep it short")
    return read_answer(completion.text, parameters, cost)


def _fingerprint(request: OptimizationRequest, values: Mapping[str, AnyValue]) -> tuple[str, ...]:
    """What the whole candidate comes to, values that were left out filled in."""
    whole = {**request.current, **values}
    return tuple(json.dumps(whole[spec.key], default=str) for spec in request.parameters)


def _added(cost: Cost, completion: Completion) -> Cost:
    return Cost(
        calls=cost.calls + 1,
        input_tokens=cost.input_tokens + completion.input_tokens,
        output_tokens=cost.output_tokens + completion.output_tokens,
        seconds=cost.seconds + completion.seconds,
    )
