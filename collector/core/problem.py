"""OPTO, the problem of the Trace paper: (Θ, ω, T), parameters, what is wanted of them, and an oracle.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 2.1: in each iteration a solver picks
values of the parameters, and the oracle gives back τ = (f, g), feedback and the trace graph of the run that it judges.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, GraphParameter, Node, NodeKind, Output, TraceFeedback, TraceGraph
from collector.core.span import AnyValue, SpanContext
from collector.core.study import Direction
from otel_opto.spec import ParameterSpec, ParameterValue

_TRACE, _SPAN = "0" * 31 + "1", "0" * 15 + "1"


@dataclass(frozen=True, slots=True)
class Objective:
    """ω: what is wanted.

    Attributes:
        metric: The name of the score.
        direction: Which way it is better.
        instruction: In words, for optimizers that read.
        lowest: Of the score; scores below count as this where they are compared.
        highest: The same above.
    """

    metric: str = "quality"
    direction: Direction = Direction.MAXIMIZE
    instruction: str = ""
    lowest: float = 0.0
    highest: float = 1.0


class TraceOracle(Protocol):
    """T: runs the workflow once and judges it."""

    async def __call__(self, values: Mapping[str, ParameterValue]) -> TraceFeedback:
        """τ = (f, g) of one run with these values, which are valid.

        The graph may be another one each time, even with the same values. A run that fails is judged, too: its graph
        ends at the exception, and its feedback has no score.
        """
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """(Θ, ω, T).

    Attributes:
        parameters: Θ, each with its type and constraint.
        objective: ω.
        oracle: T.
    """

    parameters: tuple[ParameterSpec, ...]
    objective: Objective
    oracle: TraceOracle


def black_box(
    values: Mapping[str, ParameterValue],
    output: AnyValue,
    score: float | None = None,
    text: str = "",
    *,
    name: str = "workflow",
    metric: str = "quality",
) -> TraceFeedback:
    """τ of a workflow that is one operation on all its parameters: for oracles that have no spans, and for tests.

    Args:
        values: That it ran with.
        output: What it gave.
        score: Of the output; None: it failed, or was judged in words.
        text: What was said of it.
        name: Of the operation.
        metric: Of the feedback.
    """
    end = f"span:{_SPAN}"
    nodes = {key: Node(f"param:/{key}@code", NodeKind.PARAMETER, key, value=value) for key, value in values.items()}
    graph = TraceGraph(
        trace_id=_TRACE,
        nodes=(*nodes.values(), Node(end, NodeKind.OPERATION, name, _SPAN, output)),
        edges=tuple(Edge(node.id, end, EdgeOrigin.LINK) for node in nodes.values()),
        parameters=tuple(
            GraphParameter(key, None, str(node.value), trainable=True, used_by=(_SPAN,), node=node.id)
            for key, node in nodes.items()
        ),
        outputs=(Output(end, output),),
    )
    return TraceFeedback(Feedback(SpanContext(_TRACE, _SPAN), metric, score, text=text), graph)
