"""Feedback as OTLP log events, ``gen_ai.evaluation.result``, and back into what the API takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.core.feedback import Feedback
from otel_opto import semconv

Document = dict[str, Any]
_ALONE = ("trace_id", "span_id", "name", "score", "label", "text", "source", "time_unix_nano")


def log_lines(feedback: Sequence[Mapping[str, Any]]) -> Document:
    """One line: the log events that stand for feedback as the API shows it."""
    scoped = {"scope": {"name": "otel-opto"}, "logRecords": [_record(one) for one in feedback]}
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [scoped]}]}


def _record(feedback: Mapping[str, Any]) -> Document:
    said: dict[str, object] = {
        semconv.EVALUATION_NAME: feedback["name"],
        semconv.EVALUATION_SCORE: feedback["score"],
        semconv.EVALUATION_LABEL: feedback["label"],
        semconv.EVALUATION_EXPLANATION: feedback["text"],
        semconv.RESPONSE_ID: feedback["response_id"],
        semconv.FEEDBACK_SOURCE: feedback["source"],
        **{f"{semconv.FEEDBACK_PREFIX}{key}": value for key, value in feedback["attributes"].items()},
    }
    return {
        "timeUnixNano": str(feedback["time_unix_nano"]),
        "traceId": feedback["trace_id"],
        "spanId": feedback["span_id"],
        "eventName": semconv.EVALUATION_EVENT,
        "attributes": [{"key": key, "value": _value(value)} for key, value in said.items() if value not in ("", None)],
    }


def _value(value: object) -> Document:
    return {"doubleValue": value} if isinstance(value, int | float) else {"stringValue": str(value)}


def document_of(feedback: Feedback) -> Document:
    """Feedback as the API takes it."""
    return {
        "trace_id": feedback.target.trace_id,
        "span_id": feedback.target.span_id,
        "response_id": feedback.response_id,
        "name": feedback.name,
        "score": feedback.score,
        "label": feedback.label,
        "text": feedback.text,
        "source": feedback.source,
        "attributes": dict(feedback.attributes),
        "time_unix_nano": feedback.time_unix_nano,
    }


def content_of(feedback: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two judgements one: what they say of what, who says it, and when."""
    return (*(feedback[name] for name in _ALONE), *sorted(feedback["attributes"].items()))
