"""What a unit counts for: the last scored words on it, by the plan's metric."""

from collections.abc import Sequence

from collector.core.feedback import Feedback, FeedbackState, StoredFeedback
from collector.core.release import Release
from collector.core.rollout import Guardrail, Metric, RolloutPlan, Signal
from collector.core.span import SpanContext
from collector.core.units import OpenUnit
from collector.otlp.decode import spans_of
from collector.rollout.outcomes import JudgedTrace, outcome_of
from tests import samples


def said(score: float | None, label: str = "", *, split: str = "train", superseded: bool = False) -> StoredFeedback:
    target = SpanContext(samples.trace_id(1), samples.span_id(1))
    feedback = Feedback(target, "verdict", score, label, attributes={"split": split})
    return StoredFeedback(feedback.id, feedback, FeedbackState.ATTACHED, 0, 4, superseded)


def outcome(metric: Metric, feedback: Sequence[StoredFeedback]) -> float | None:
    span = samples.span(1, 1, values={"opto.release": 4})
    traces = [JudgedTrace(spans_of(samples.traces_request([span])), feedback)]
    plan = RolloutPlan("shop", 4, "", metric)
    unit = outcome_of(
        OpenUnit("u", in_arm=True, share=0.5, trace_ids=(samples.trace_id(1),)),
        traces,
        plan,
        {4: Release(4, "shop", {}, None, 0, "")},
    )
    assert unit is not None
    return unit.outcome


def test_labels_count_as_the_scores_that_they_are_mapped_to() -> None:
    labelled = [said(None, "good"), said(None, "Bad"), said(None, "meh"), said(None)]
    assert outcome(Metric("verdict"), labelled) is None
    assert outcome(Metric("verdict", labels={"good": 1.0, "bad": 0.0}), labelled) == 0.5


def test_what_was_superseded_or_lacks_a_wanted_attribute_does_not_count() -> None:
    offered = [said(0.0, superseded=True), said(1.0), said(0.25, split="held_out")]
    assert outcome(Metric("verdict", feedback_filter={"split": "train"}), offered) == 1.0


def test_code_that_failed_behind_the_declared_function_is_an_error() -> None:
    def signal(**values: str) -> bool:
        entry = samples.span(1, 1, values={"opto.release": 4})
        inner = samples.span(1, 2, 1, values={"opto.release": 4, **values}, error="ZeroDivisionError")
        unit = outcome_of(
            OpenUnit("u", in_arm=True, share=0.5, trace_ids=(samples.trace_id(1),)),
            [JudgedTrace(spans_of(samples.traces_request([entry, inner])), ())],
            RolloutPlan("shop", 4, "", None, guardrails=(Guardrail(Signal.ERROR),)),
            {4: Release(4, "shop", {}, None, 0, "")},
        )
        assert unit is not None
        return unit.signals[Signal.ERROR]

    assert signal() is False  # an error inside that was dealt with is none
    assert signal(**{"opto.code.failure": "   1 | def f(x):"}) is True


def test_a_release_that_is_no_number_makes_the_trace_mixed() -> None:
    span = samples.span(1, 1)
    span.attributes.add(key="opto.release").value.array_value.values.add(int_value=4)
    unit = outcome_of(
        OpenUnit("u", in_arm=True, share=0.5, trace_ids=(samples.trace_id(1),)),
        [JudgedTrace(spans_of(samples.traces_request([span])), ())],
        RolloutPlan("shop", 4, "", None),
        {4: Release(4, "shop", {}, None, 0, "")},
    )
    assert unit is None


def test_values_are_told_of_what_was_asked_for() -> None:
    entry = samples.span(1, 1, values={"opto.release": 4, "gen_ai.usage.input_tokens": 5})
    inner = samples.span(1, 2, 1, values={"opto.release": 4, "gen_ai.usage.output_tokens": 7})
    beside = (Signal.LATENCY, Signal.TOKENS, Signal.COST, Metric("verdict", highest=2.0), Metric("kind"))
    spans = spans_of(samples.traces_request([entry, inner]))
    unit = outcome_of(
        OpenUnit("u", in_arm=True, share=0.5, trace_ids=(samples.trace_id(1),)),
        [JudgedTrace(spans, [said(1.0)])],
        RolloutPlan("shop", 4, "", None, guardrails=(Guardrail(Signal.ERROR),)),
        {4: Release(4, "shop", {}, None, 0, "")},
        beside,
    )
    assert unit is not None
    seconds = (spans[0].end_time_unix_nano - spans[0].start_time_unix_nano) / 1e9
    assert unit.values == {"latency": seconds, "tokens": 12.0, "verdict": 0.5}
