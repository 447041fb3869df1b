"""What became of a unit: its score, and whether any guardrail was touched, read off its traces."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.core.feedback import StoredFeedback
from collector.core.release import Release
from collector.core.rollout import Guardrail, Metric, RolloutPlan, Signal
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


def outcome_of(
    unit: OpenUnit,
    traces: Sequence[JudgedTrace],
    plan: RolloutPlan,
    releases: Mapping[int, Release],
    beside: Sequence[Signal | Metric] = (),
) -> Unit | None:
    """What the unit counts for; None where no trace of it ran with one of these releases from end to end.

    Args:
        traces: Of the unit.
        releases: Those that it may have been given, by number.
        beside: Of what else its values are told; signals of those that have an amount.
    """
    ran = [(trace, release) for trace in traces if (release := _release(trace, plan.service, releases)) is not None]
    if not ran:
        return None
    whole = [trace for trace, _ in ran]
    scores = [score for trace in whole for score in _scores(trace, plan.metric)] if plan.metric is not None else []
    outcomes = [plan.metric.outcome(score) for score in scores] if plan.metric is not None else []
    clipped = sum(not plan.metric.lowest <= score <= plan.metric.highest for score in scores) if plan.metric else 0
    signals = {}
    for rail in plan.guardrails:
        told = [bad for trace, release in ran if (bad := _bad(rail, trace, plan, release)) is not None]
        if told:
            signals[rail.signal] = any(told)
    mean = statistics.fmean(outcomes) if outcomes else None
    values = {_name(one): value for one in beside if (value := _value(one, whole, plan.service)) is not None}
    return Unit(unit.in_arm, unit.share, mean, signals, clipped, unit.entered_unix_nano, values)


def _name(one: Signal | Metric) -> str:
    return one.value if isinstance(one, Signal) else one.name


def _value(one: Signal | Metric, traces: Sequence[JudgedTrace], service: str) -> float | None:
    if isinstance(one, Signal):
        return max((found for trace in traces if (found := _amount(one, trace, service)) is not None), default=None)
    outcomes = [one.outcome(score) for trace in traces for score in _scores(trace, one)]
    return statistics.fmean(outcomes) if outcomes else None


def _release(trace: JudgedTrace, service: str, releases: Mapping[int, Release]) -> Release | None:
    """The one with which a trace ran from end to end."""
    said = releases_in(trace, service)
    return releases.get(next(iter(said))) if len(said) == 1 else None  # type: ignore[call-overload]  # else a text


def releases_in(trace: JudgedTrace, service: str) -> set[object]:
    """What the spans of a service name: numbers, else a text that says what was found."""
    spans = [span for span in trace.spans if span.resource.service == service]
    said = (span.attributes[semconv.RELEASE] for span in spans if semconv.RELEASE in span.attributes)
    return {one if isinstance(one, int | float) else repr(one) for one in said}  # a set takes no list


def _scores(trace: JudgedTrace, metric: Metric) -> Sequence[float]:
    score_of = scoring(metric.labels)
    said = [kept.feedback for kept in trace.feedback if not kept.superseded]
    counted = [one for one in said if one.name == metric.name and passes(metric.feedback_filter, one)]
    return [score for one in counted if (score := score_of(one)) is not None]


def _bad(rail: Guardrail, trace: JudgedTrace, plan: RolloutPlan, release: Release) -> bool | None:
    """Whether the trace touches the guardrail; None where it cannot be told."""
    match rail.signal:
        case Signal.ERROR:
            failed = any(span.status_code == StatusCode.ERROR for span in _entries(trace, plan.service))
            return failed or _fell_back(trace, plan.service)
        case Signal.LATENCY | Signal.TOKENS | Signal.COST:
            amount = _amount(rail.signal, trace, plan.service)
            return None if rail.bound is None or amount is None else amount > rail.bound
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


def _amount(signal: Signal, trace: JudgedTrace, service: str) -> float | None:
    """Seconds of the entry span that took longest, or what the trace's model calls used; None where nobody says it."""
    if signal is Signal.LATENCY:
        entries = _entries(trace, service)
        return max((span.end_time_unix_nano - span.start_time_unix_nano for span in entries), default=0) / 1e9
    keys = _TOKENS if signal is Signal.TOKENS else (_COST,)
    used = [span.attributes[key] for span in trace.spans for key in keys if key in span.attributes]
    numbers = [float(one) for one in used if isinstance(one, int | float)]
    return sum(numbers) if numbers else None


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
