"""Two generators for one study: a search for what has a range, a language model for what has to be written."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Proposal, Study
from collector.optimizer.calls.llm import LanguageModel, ModelSettings, OpenAIModel
from collector.optimizer.calls.models import model_faults
from collector.optimizer.generators.optoprime import OptoPrime
from collector.optimizer.generators.search import SEARCH_OPTIONS, Search
from collector.optimizer.options import Option, faults_of, selected
from collector.optimizer.searching.space import Categories, axis_of
from otel_opto.spec import ParameterSpec, ParameterType, ParameterValue

_OPTIONS = {**SEARCH_OPTIONS, **OptoPrime.options}
_WRITTEN = (ParameterType.TEXT, ParameterType.JSON, ParameterType.CODE)


def build() -> Optimizer:
    """For the entry point."""
    return Hybrid(OpenAIModel)


class Hybrid:
    """Numbers, choices and switches are searched, texts, JSON and code are written.

    Each of the two changes its own parameters and leaves the others as they are best so far, so that a score says
    whose change it was. Which of them comes first changes from trial to trial. Where a study has only one sort of
    parameters, only one of them works.

    Args:
        connect: Gives the model for some settings.
    """

    options: ClassVar[Mapping[str, Option]] = _OPTIONS

    def __init__(self, connect: Callable[[ModelSettings], LanguageModel]) -> None:
        self._search, self._writer = Search(), OptoPrime(connect)

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        faults = [*faults_of(study.optimizer_options, self.options), *model_faults(study)]
        searched, _ = _divided(selected(study, parameters))
        if searched:
            keys = tuple(spec.key for spec in searched)
            faults += self._search.check(replace(_for_search(study), parameters=keys), searched)
        return faults

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`.

        Raises:
            OptimizerError: neither had anything; the text is of the one whose turn it was.
        """
        searched, written = _divided(request.parameters)
        turns: list[tuple[Optimizer, OptimizationRequest]] = [
            (self._search, replace(_about(request, searched), study=_for_search(request.study))),
            (self._writer, replace(_about(request, written), study=_for_writing(request.study))),
        ]
        asked = [(optimizer, part) for optimizer, part in turns if part.parameters]
        if len(request.trials) % 2:
            asked.reverse()
        found = await asyncio.gather(*(_proposed(optimizer, part) for optimizer, part in asked))
        proposals = [proposal for some in found if not isinstance(some, OptimizerError) for proposal in some]
        errors = [some for some in found if isinstance(some, OptimizerError)]
        if errors and not proposals:
            raise errors[0]
        return proposals


async def _proposed(optimizer: Optimizer, part: OptimizationRequest) -> Sequence[Proposal] | OptimizerError:
    """The one's error is not the other's."""
    try:
        return await optimizer.propose(part)
    except OptimizerError as error:
        return error


def _divided(parameters: Sequence[ParameterSpec]) -> tuple[Sequence[ParameterSpec], Sequence[ParameterSpec]]:
    """What is searched, and what is written. A text is written even if its developer wrote variants of it."""
    searched = [spec for spec in parameters if spec.type not in _WRITTEN and _has_range(spec)]
    keys = {spec.key for spec in searched}
    return searched, [spec for spec in parameters if spec.key not in keys]


def _has_range(spec: ParameterSpec) -> bool:
    axis = axis_of(spec)
    return axis is not None and (not isinstance(axis, Categories) or axis.size > 1)


def _about(request: OptimizationRequest, parameters: Sequence[ParameterSpec]) -> OptimizationRequest:
    """The same request, for some of its parameters."""
    keys = {spec.key for spec in parameters}

    def own(values: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
        return {key: value for key, value in values.items() if key in keys}

    trials = tuple(replace(trial, values=own(trial.values)) for trial in request.trials)
    return replace(request, parameters=tuple(parameters), current=own(request.current), trials=trials)


def _for_search(study: Study) -> Study:
    options = {name: value for name, value in study.optimizer_options.items() if name in SEARCH_OPTIONS}
    return replace(study, optimizer_options=options)


def _for_writing(study: Study) -> Study:
    options = {name: value for name, value in study.optimizer_options.items() if name in OptoPrime.options}
    return replace(study, optimizer_options=options)
