"""Feedback inside telemetry: ``gen_ai.evaluation.result`` as a log event, or as a span event on the judged span.

GenAI semantic conventions v0.1.0, "Event: gen_ai.evaluation.result". The conventions have no word for who judged and
on what; ``opto.feedback.*`` carries that.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from collector.core.feedback import Feedback
from collector.core.span import AnyValue, Attributes, LogRecord, Span, SpanContext
from otel_opto import semconv


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found, and what looked like feedback and is none, in words."""

    feedback: tuple[Feedback, ...]
    faults: tuple[str, ...]


def from_log_records(records: Iterable[LogRecord]) -> Extraction:
    """The feedback in log records. The event's name may be in the attribute ``event.name`` (older SDKs)."""
    found: list[Feedback | str] = []
    for record in records:
        if semconv.EVALUATION_EVENT in (record.event_name, record.attributes.get("event.name")):
            time = record.time_unix_nano or record.observed_time_unix_nano
            found.append(_feedback(record.context, record.attributes, time))
    return _extraction(found)


def from_spans(spans: Iterable[Span]) -> Extraction:
    """The feedback in span events; each judges the span that it stands on."""
    return _extraction(
        [
            _feedback(span.context, event.attributes, event.time_unix_nano)
            for span in spans
            for event in span.events
            if event.name == semconv.EVALUATION_EVENT
        ]
    )


def _extraction(found: Iterable[Feedback | str]) -> Extraction:
    items = list(found)
    return Extraction(
        tuple(item for item in items if isinstance(item, Feedback)),
        tuple(item for item in items if isinstance(item, str)),
    )


def _feedback(target: SpanContext | None, attributes: Attributes, time_unix_nano: int) -> Feedback | str:
    """The feedback, or why it is none."""
    name = attributes.get(semconv.EVALUATION_NAME)
    if not isinstance(name, str) or not name:
        return f"{semconv.EVALUATION_EVENT}: {semconv.EVALUATION_NAME}: found {name!r}, it must name the metric"
    if target is None:
        return f"{semconv.EVALUATION_EVENT} {name!r}: it has no trace id; emit it in the context of the judged span"
    score = attributes.get(semconv.EVALUATION_SCORE)
    if score is not None and not _is_finite(score):
        found = f"{semconv.EVALUATION_SCORE}: found {score!r}"
        return f"{semconv.EVALUATION_EVENT} {name!r}: {found}, allowed: a finite number"
    label = str(attributes.get(semconv.EVALUATION_LABEL) or "")
    text = str(attributes.get(semconv.EVALUATION_EXPLANATION) or "")
    if score is None and not label and not text:
        return f"{semconv.EVALUATION_EVENT} {name!r}: it has neither score, label nor explanation"
    return Feedback(
        target=target,
        name=name,
        score=float(score) if isinstance(score, int | float) else None,
        label=label,
        text=text,
        source=str(attributes.get(semconv.FEEDBACK_SOURCE) or ""),
        attributes=_further(attributes),
        time_unix_nano=time_unix_nano,
    )


def _is_finite(score: AnyValue) -> bool:
    return isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)


def _further(attributes: Attributes) -> dict[str, str]:
    prefix = semconv.FEEDBACK_PREFIX
    return {
        key.removeprefix(prefix): _text(value)
        for key, value in attributes.items()
        if key.startswith(prefix) and key != semconv.FEEDBACK_SOURCE
    }


def _text(value: AnyValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
