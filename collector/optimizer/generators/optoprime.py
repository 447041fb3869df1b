"""OptoPrime: one call of a language model over the minimal subgraphs of a batch.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 4.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Cost
from collector.optimizer.calls.llm import Messages, OpenAIModel
from collector.optimizer.calls.models import Seat
from collector.optimizer.drafting.examples import worked_alone, worked_for
from collector.optimizer.drafting.fitting import Prompting
from collector.optimizer.drafting.writer import OneText, Writer, one_prompt
from collector.optimizer.instance.alone import afresh, one_text
from collector.optimizer.instance.problem import IN_SHORT, Budget, problem
from collector.optimizer.options import Option, chosen
from collector.optimizer.prompts import prompt
from otel_opto.spec import ParameterSpec, ParameterType

_KINDS = {ParameterType.TEXT: "text", ParameterType.CODE: "function"}
"""What can be asked for by itself, in words."""

_FORMS = ("auto", "object", "alone")
_FORM = Option((str,), "auto", ", ".join(_FORMS), choices=_FORMS)
_SHORT = 300
"""Characters of a text that can be written afresh: what a longer one says is not to be seen in a few runs."""
_SHARE_OF_EXAMPLES = 0.5
"""Of the characters, with the system prompt: where there are few, worked examples are left out."""


def build() -> Optimizer:
    """For the entry point."""
    return OptoPrime(OpenAIModel)


class OptoPrime(Writer):
    """Shows the model the program, its runs with feedback, and what was tried; takes its suggestion.

    A text or code can also be asked for by itself, with what the steps that use it took and gave, and a short text
    afresh, without its value: models that repeat what they were shown when they are asked for an object do better
    then. Where an answer is a repeat the next way follows; in studies of texts alone they take turns, too, while
    nothing better is found, and where all runs were judged alike it begins without the value. Texts take turns.
    """

    name = "optoprime"
    options: ClassVar[Mapping[str, Option]] = {**Writer.options, "form": _FORM}

    async def prepared(
        self,
        request: OptimizationRequest,
        options: Mapping[str, Any],  # noqa: ARG002 - read where the prompt is made
        seats: Sequence[Seat],  # noqa: ARG002 - nobody is asked before
    ) -> tuple[Prompting, Cost]:
        """See `Writer`."""
        return one_prompt(partial(messages_for, request))

    def alone(self, request: OptimizationRequest, options: Mapping[str, Any]) -> Sequence[OneText]:
        """See `Writer`. Afresh first: what stands before a model's eyes is what it repeats."""
        texts = [spec for spec in request.parameters if spec.type in _KINDS]
        if not texts or options["form"] == "object":
            return ()
        spec = texts[_turn(request) % len(texts)]
        most = options["worked_examples"]
        short = spec.type is ParameterType.TEXT and len(str(request.current[spec.key])) <= _SHORT
        examples = worked_alone(spec, most, 0)
        ways = []
        for shown in (False, True) if short else (True,):
            prompting, _ = one_prompt(partial(messages_alone, request, spec, most, shown))
            ways.append(OneText(spec, prompting, examples, shown))
        return ways

    def first(self, request: OptimizationRequest, options: Mapping[str, Any], before: int, ways: int) -> int:
        """See `Writer`."""
        texts = [spec for spec in request.parameters if spec.type in _KINDS]
        if options["form"] == "alone" and ways > 1:
            turn = _turn(request) + before
            return turn % ways if len(texts) < len(request.parameters) else 1 + turn % (ways - 1)
        if any(one.type is not ParameterType.TEXT for one in request.parameters):
            return 0
        return (_since_gain(request) + before + _nothing_to_keep(request)) % ways


def _nothing_to_keep(request: OptimizationRequest) -> bool:
    """Whether all runs were judged alike: what is good about the value then is not to be seen, so it may go."""
    scores = {judged.feedback.score for judged in request.batch}
    return len(scores) == 1 < len(request.batch) and scores != {None}


def _turn(request: OptimizationRequest) -> int:
    return len(request.trials) + len(request.rejected)


def _since_gain(request: OptimizationRequest) -> int:
    """Candidates after the one that is in force."""
    found = max((trial.number for trial in request.trials if trial.values == request.current), default=0)
    return sum(one.number > found for one in request.trials) + sum(one.trial > found for one in request.rejected)


def messages_alone(
    request: OptimizationRequest, spec: ParameterSpec, most: int, shown: bool, draft: int, chars: int
) -> Messages:
    """What is asked where one text is asked for by itself, with so many worked examples at most.

    Args:
        shown: Whether its value is.

    Raises:
        OptimizerError: permanent; the text does not fit.
    """
    system = prompt("alone_system", kind=_KINDS[spec.type]) if shown else prompt("afresh_system")
    examples = [worked.turns_alone(shown=shown) for worked in worked_alone(spec, most, draft)]
    turns, taken = _within(chars, len(system), examples)
    asked = (one_text if shown else afresh)(request, spec, draft, chars - taken)
    return ({"role": "system", "content": system}, *turns, {"role": "user", "content": asked})


def messages_for(request: OptimizationRequest, draft: int, chars: int) -> Messages:
    """The system prompt, worked examples and the problem instance, together within so many characters.

    Raises:
        OptimizerError: permanent; what must be shown does not fit.
    """
    options = chosen(request.study.optimizer_options, OptoPrime.options)
    alone = min(len(request.batch), options["examples"]) == 1
    system = prompt("optoprime_system", in_short=f"{IN_SHORT} " if alone else "")
    examples = worked_for(request.parameters, options["worked_examples"])
    turns, taken = _within(chars, len(system), [worked.turns() for worked in examples])
    budget = Budget(chars - taken, options["examples"], draft)
    return ({"role": "system", "content": system}, *turns, {"role": "user", "content": problem(request, budget)})


def _within(chars: int, taken: int, examples: Sequence[Messages]) -> tuple[Messages, int]:
    """The worked examples that there is room for beside the system prompt, and what is taken with them."""
    turns: list[Mapping[str, str]] = []
    for worked in examples:
        length = sum(len(turn["content"]) for turn in worked)
        if taken + length <= chars * _SHARE_OF_EXAMPLES:
            turns += worked
            taken += length
    return turns, taken
