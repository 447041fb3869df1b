"""What became of a unit: its score, and whether any guardrail was touched, read off its traces."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from collector.core.feedback import StoredFeedback
from collector.core.release import Release
from collector.core.rollout import Guardrail, RolloutPlan, Signal
from collector.core.span import Span, StatusCode
from collector.core.units import OpenUnit, Unit
from collector.feedback.batch import passes, scoring
from otel_opto import semconv

_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
_COST = "gen_ai.usage.cost"
_INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class JudgedTrace:
    """A trace of a unit, with all that was said of it."""

    spans: Sequence[Span]
    feedback: Sequence[StoredFeedback]


def outcome_of(unit: OpenUnit, traces: Sequence[JudgedTrace], plan: RolloutPlan, release: Release) -> Unit | None:
    """What the unit counts for; None where no trace of it ran with one release of the service from end to end.

    Args:
        traces: Of the unit.
        release: The one that it was given.
    """
    whole = [trace for trace in traces if _releases(trace, plan.service) == {release.number}]
    if not whole:
        return None
    scores = [score for trace in whole for score in _scores(trace, plan)]
    outcomes = [plan.metric.outcome(score) for score in scores] if plan.metric is not None else []
    clipped = sum(not plan.metric.lowest <= score <= plan.metric.highest for score in scores) if plan.metric else 0
    signals = {}
    for rail in plan.guardrails:
        told = [bad for trace in whole if (bad := _bad(rail, trace, plan, release)) is not None]
        if told:
            signals[rail.signal] = any(told)
    mean = statistics.fmean(outcomes) if outcomes else None
    return Unit(unit.in_arm, unit.share, mean, signals, clipped, unit.entered_unix_nano)


def _releases(trace: JudgedTrace, service: str) -> set[object]:
    spans = [span for span in trace.spans if span.resource.service == service]
    said = (span.attributes[semconv.RELEASE] for span in spans if semconv.RELEASE in span.attributes)
    return {one if isinstance(one, int | float) else repr(one) for one in said}  # a set takes no list


def _scores(trace: JudgedTrace, plan: RolloutPlan) -> Sequence[float]:
    if plan.metric is None:
        return ()
    metric, score_of = plan.metric, scoring(plan.metric.labels)
    said = [kept.feedback for kept in trace.feedback if not kept.superseded]
    counted = [one for one in said if one.name == metric.name and passes(metric.feedback_filter, one)]
    return [score for one in counted if (score := score_of(one)) is not None]


def _bad(rail: Guardrail, trace: JudgedTrace, plan: RolloutPlan, release: Release) -> bool | None:
    """Whether the trace touches the guardrail; None where it cannot be told."""
    entries = _entries(trace, plan.service)
    match rail.signal:
        case Signal.ERROR:
            return any(span.status_code == StatusCode.ERROR for span in entries) or _fell_back(trace, plan.service)
        case Signal.LATENCY:
            seconds = max((span.end_time_unix_nano - span.start_time_unix_nano for span in entries), default=0) / 1e9
            return None if rail.bound is None else seconds > rail.bound
        case Signal.TOKENS:
            return _over(
                rail, [span.attributes[key] for span in trace.spans for key in _TOKENS if key in span.attributes]
            )
        case Signal.COST:
            return _over(rail, [span.attributes[_COST] for span in trace.spans if _COST in span.attributes])
        case Signal.INVALID_OUTPUT:
            return any(kept.feedback.label.strip().lower() == _INVALID for kept in trace.feedback)
        case Signal.MISAPPLIED:
            return _misapplied(trace, plan.service, release)
        case Signal.SILENT:
            wanted = plan.metric.name if plan.metric is not None else ""
            return not any(wanted in ("", kept.feedback.name) for kept in trace.feedback)


def _entries(trace: JudgedTrace, service: str) -> Sequence[Span]:
    """The spans of the service whose parent is none of it."""
    own = [span for span in trace.spans if span.resource.service == service]
    ids = {span.context.span_id for span in own}
    return [span for span in own if span.parent_span_id not in ids]


def _fell_back(trace: JudgedTrace, service: str) -> bool:
    """Whether code of the release failed and the declared function answered in its place: nobody else sees that."""
    return any(semconv.CODE_FAILURE in span.attributes for span in trace.spans if span.resource.service == service)


def _over(rail: Guardrail, used: Sequence[object]) -> bool | None:
    numbers = [float(one) for one in used if isinstance(one, int | float)]
    return None if rail.bound is None or not numbers else sum(numbers) > rail.bound


def _misapplied(trace: JudgedTrace, service: str, release: Release) -> bool | None:
    """Whether a value was used that is not the release's; the spans carry digests of the values that they used."""
    told = None
    for span in trace.spans:
        if span.resource.service != service:
            continue
        for key, released in release.values.items():
            used = span.attributes.get(f"{semconv.PARAM_PREFIX}{key}{semconv.PARAM_HASH_SUFFIX}")
            if used is not None:
                told = bool(told) or used != released.hash
    return told
