"""A request that every optimizer can work on."""

import json

from collector.core.feedback import Feedback
from collector.core.graph import TraceFeedback
from collector.core.protocols import OptimizationRequest
from collector.core.release import Release, ReleasedValue
from collector.core.span import SpanContext
from collector.core.study import RejectedProposal, Study, Trial
from collector.graph.builder import build
from collector.graph.subgraph import minimal_subgraph
from collector.otlp.decode import spans_of
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue
from tests import samples

SPECS = (
    ParameterSpec("top_k", ParameterType.INTEGER, 1, Constraint(minimum=1, maximum=9), "passages kept"),
    ParameterSpec("weight", ParameterType.FLOAT, 0.0, Constraint(minimum=0.0, maximum=1.0)),
    ParameterSpec("method", ParameterType.CHOICE, "slow", Constraint(choices=("slow", "fast"))),
    ParameterSpec("style", ParameterType.TEXT, "It is {a}", Constraint(placeholders=("a",), candidates=("{a}",))),
    ParameterSpec("strict", ParameterType.BOOLEAN, default=False),
)
DEFAULTS: dict[str, ParameterValue] = {spec.key: spec.default for spec in SPECS}


def judged(
    number: int, score: float, text: str, found: object = "7 boats", *, asked: object = "how many?", error: str = ""
) -> TraceFeedback:
    """One run of a three-step program: ask(find(<top_k>), tell(found=find, <style>)). `error`: `tell` raised it."""
    told = {} if error else {"opto.output": json.dumps(found)}
    messages = [
        samples.span(number, 1, name="ask",
                     values={"opto.input.question": json.dumps(asked), "opto.release": 1, **told}),
        samples.span(number, 2, 1, "find", values={"opto.param.top_k.version": 1, "opto.output": '["p1"]'}, start=1),
        samples.span(number, 3, 1, "tell", values={"opto.param.style.version": 1, **told}, links=[(2, "found")],
                     start=2, error=error),
    ]  # fmt: skip
    release = Release(1, "shop", {key: ReleasedValue(value, 1) for key, value in DEFAULTS.items()}, None, 0, "r")
    spans = spans_of(samples.traces_request(messages))
    graph = build(samples.trace_id(number), spans, {1: release}, {})
    target = SpanContext(samples.trace_id(number), samples.span_id(1))
    feedback = Feedback(target, "quality", score, text=text)
    return TraceFeedback(feedback, minimal_subgraph(graph, f"span:{samples.span_id(1)}"))


def trial(number: int, score: float | None, **changed: ParameterValue) -> Trial:
    """A trial that changed some of the defaults."""
    return Trial(number, number + 1, {**DEFAULTS, **changed}, score=score, feedback_count=7)


def request(
    *, study: Study | None = None, trials: tuple[Trial, ...] = (), rejected: tuple[RejectedProposal, ...] = ()
) -> OptimizationRequest:
    """The baseline and what else was tried."""
    return OptimizationRequest(
        study=study or Study("s", "shop", "quality"),
        parameters=SPECS,
        current=DEFAULTS,
        batch=tuple(judged(n, n / 10, f"run {n} is too wordy") for n in range(1, 8)),
        trials=(Trial(0, 1, DEFAULTS, score=0.25, feedback_count=7), *trials),
        rejected=rejected,
    )
