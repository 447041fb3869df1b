"""Optimizers whose every call is a span of the collector's own."""

from collections.abc import Callable, Sequence

from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Proposal, Study
from collector.core.tracing import Tracing
from otel_opto.spec import ParameterSpec


def traced(load: Callable[[str], Optimizer], tracing: Tracing) -> Callable[[str], Optimizer]:
    """The same optimizers; `tracing` is told of what they do."""
    return lambda name: _Traced(load(name), name, tracing)


class _Traced:
    """See `Optimizer`."""

    def __init__(self, optimizer: Optimizer, name: str, tracing: Tracing) -> None:
        self._optimizer = optimizer
        self._name = name
        self._tracing = tracing

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        return self._optimizer.check(study, parameters)

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`."""
        said = {"otel_opto.study": request.study.name, "otel_opto.optimizer": self._name}
        with self._tracing.span("optimize", said) as optimizing:
            proposals = await self._optimizer.propose(request)
            optimizing.note("otel_opto.proposals", len(proposals))
        return proposals
