"""Trace's own optimizers, of the package ``trace-opt``: its OptoPrime, OPRO or TextGrad over our graphs.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024). Nodes are made of a batch of our graphs, feedback
goes back through its `backward`, its step writes the prompt and reads the answer; calls, caps, prices, spans,
validation and guards are ours. To compare with, and for who trusts what is known.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from collector.core.protocols import OptimizationRequest, Optimizer
from collector.core.study import Cost, Study
from collector.optimizer.bridge.draft import TheirDraft
from collector.optimizer.bridge.package import ALGORITHMS, MISSING, installed
from collector.optimizer.calls.llm import OpenAIModel
from collector.optimizer.calls.models import MODEL_OPTIONS, Seat
from collector.optimizer.drafting.drafter import PROMPT_CHARS, Draft, Drafter
from collector.optimizer.options import Option
from otel_opto.spec import ParameterSpec

_FORMATS = MODEL_OPTIONS["response_format"].choices


def build() -> Optimizer:
    """For the entry point."""
    return TraceOpt(OpenAIModel)


class TraceOpt(Drafter):
    """Hands each draft to an optimizer of that package, which is made anew from the request."""

    name = "trace_opt"
    options: ClassVar[Mapping[str, Option]] = {
        **MODEL_OPTIONS,
        "max_prompt_chars": PROMPT_CHARS,
        # As it asks itself; where an endpoint refuses that, it asks for any text.
        "response_format": Option((str,), "json_object", ", ".join(_FORMATS), choices=_FORMATS),
        "algorithm": Option((str,), "optoprime", ", ".join(ALGORITHMS), choices=tuple(ALGORITHMS)),
        "examples": Option((int,), 2, "a whole number from 1 to 100", 1, 100),
        "memory_size": Option((int,), 5, "a whole number from 0 to 100", 0, 100),
        "max_nodes": Option((int,), 500, "a whole number from 10 to 10000", 10, 10_000),
    }

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        return [*super().check(study, parameters), *([] if installed() else [MISSING])]

    async def drafts(
        self, request: OptimizationRequest, options: Mapping[str, Any], seats: Sequence[Seat]
    ) -> tuple[Sequence[Draft], Cost]:
        """See `Drafter`."""
        return [TheirDraft(seat, request, number, options) for number, seat in enumerate(seats)], Cost()
