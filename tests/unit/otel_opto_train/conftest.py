"""An SDK of its own for each test, on a tracer provider of its own, and an optimizer without wits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from collector.core.errors import OptimizerError
from collector.core.protocols import OptimizationRequest
from collector.core.study import Proposal, Study
from otel_opto.parameter import Parameter, spec_of
from otel_opto.setup import Sdk
from otel_opto.spec import Constraint, ParameterSpec
from otel_opto_train.recording import Recorders
from otel_opto_train.run import Stage
from otel_opto_train.stepping import Settings, Stepper, course_begun


@dataclass
class Variants:
    """Proposes what its author wrote, in turn; an exception among it is raised once. Remembers what it was told."""

    proposals: Sequence[Mapping[str, Any] | OptimizerError]
    faults: Sequence[str] = ()
    asked: list[OptimizationRequest] = field(default_factory=list)

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        return self.faults

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        self.asked.append(request)
        if len(self.asked) > len(self.proposals):
            return ()
        said = self.proposals[len(self.asked) - 1]
        if isinstance(said, OptimizerError):
            raise said
        return (Proposal(said, f"variant {len(self.asked)}"),)


@dataclass
class Lab:
    """An application and what trains it."""

    sdk: Sdk
    provider: TracerProvider
    stage: Stage

    def parameter(self, key: str, default: Any, **limits: Any) -> Parameter[Any]:
        return Parameter(spec_of(key, default, Constraint(**limits), "", trainable=True), default, self.sdk.pins)

    def node(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self.sdk.nodes.decorate(function)

    def stepper(self, optimizer: Variants, **settings: Any) -> Stepper:
        told = Settings(**settings)  # type: ignore[typeddict-item]
        course = course_begun(self.stage, None, "variants", {}, told)
        more = {name: settings[name] for name in ("rule", "projections") if name in settings}
        return Stepper(self.stage, optimizer, course, **more)


@pytest.fixture
def lab() -> Iterator[Lab]:
    provider, sdk = TracerProvider(resource=Resource({"service.name": "shop"})), Sdk()
    with sdk.rehearse(provider, LoggerProvider()):
        yield Lab(sdk, provider, Stage(sdk, Recorders()))
    provider.shutdown()
