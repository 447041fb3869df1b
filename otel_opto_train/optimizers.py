"""The optimizers of the registry with typed options, for use in one process."""

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any, ClassVar, Literal, Unpack

import otel_opto
from collector.core.span import AnyValue
from collector.optimizer.registry import OptimizerRegistry
from otel_opto.parameter import Parameter
from otel_opto_train.course import better
from otel_opto_train.recording import Recorders
from otel_opto_train.run import Stage
from otel_opto_train.stepping import Settings, Stepper, course_begun

# One for the process, as OpenTelemetry has one global provider; everything it holds is in the object.
recorders = Recorders()


class Optimizer(Stepper):
    """An optimizer by its name, ours or an installed one.

    Args:
        parameters: Those to train, or their keys; None: all trainable ones that are declared.
        name: From the entry-point group ``otel_opto.optimizers``.
        options: Its own; ``docs/llm.md`` lists those of the ones in the box.
        settings: See `Settings`.

    Raises:
        InvalidValue: a parameter is not declared.
        OptimizerError: there is no such optimizer.
        ValueError: it cannot work with these parameters or options; every fault.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter[Any] | str] | None = None,
        *,
        name: str,
        options: Mapping[str, AnyValue] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        unknown = sorted(settings.keys() - Settings.__annotations__.keys())
        if unknown:
            own = {one.name for one in signature(type(self)).parameters.values() if one.kind is one.KEYWORD_ONLY}
            allowed = ", ".join(sorted(own | Settings.__annotations__.keys()))
            raise TypeError(f"found {', '.join(unknown)}; allowed are {allowed}")
        stage = Stage(otel_opto._sdk, recorders, settings.get("tracer_provider"))  # noqa: SLF001 - of the process
        super().__init__(
            stage,
            OptimizerRegistry().load(name),
            course_begun(stage, parameters, name, options or {}, settings),
            settings.get("rule", better),
            settings.get("projections"),
        )


class _Asking(Optimizer):
    """One that asks a language model.

    Args:
        parameters: See `Optimizer`.
        model: The model's name at the endpoint.
        base_url: An OpenAI-compatible address; else OPENAI_BASE_URL.
        temperature: 0 to 2; None: none is sent.
        candidates: Drafts in one step; the most promising one is tried.
        options: Further ones, see docs/llm.md.
        settings: See `Settings`.
    """

    called: ClassVar[str]

    def __init__(
        self,
        parameters: Sequence[Parameter[Any] | str] | None = None,
        *,
        model: str,
        base_url: str = "",
        temperature: float | None = None,
        candidates: int = 1,
        options: Mapping[str, AnyValue] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        given: dict[str, AnyValue] = {"model": model, "base_url": base_url, "candidates": candidates, **(options or {})}
        if temperature is not None:
            given["temperature"] = temperature
        super().__init__(parameters, name=self.called, options=given, **settings)


class OptoPrime(_Asking):
    """OptoPrime of the Trace paper: a language model reads programs, values and feedback, and suggests values."""

    called = "optoprime"


class OPRO(_Asking):
    """A language model reads what was tried, with scores and remarks, and suggests values; no graph."""

    called = "opro"


class TextGrad(_Asking):
    """A language model criticizes each edge from the output back to the parameters, then suggests values."""

    called = "textgrad"


class Search(Optimizer):
    """Search over bounded numbers and finite choices, without a language model.

    Args:
        parameters: See `Optimizer`.
        sampler: Tree-structured Parzen estimator; CMA-ES (wants the package cmaes); a Gaussian process (torch and
            scipy); or chance.
        startup_trials: Spread evenly before the first that follows from what is known.
        settings: See `Settings`.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter[Any] | str] | None = None,
        *,
        sampler: Literal["tpe", "cmaes", "gp", "random"] = "tpe",
        startup_trials: int = 10,
        **settings: Unpack[Settings],
    ) -> None:
        options = {"sampler": sampler, "startup_trials": startup_trials}
        super().__init__(parameters, name="search", options=options, **settings)
