"""How Jaeger is shown a judgement: as attributes of the judged span, and as an event on it."""

from collector.core.feedback import Feedback, StoredFeedback
from collector.core.span import AnyValue
from collector.otlp.tags import EVENT_NAME
from otel_opto import semconv


def attributes_of(stored: StoredFeedback) -> dict[str, AnyValue]:
    """For those who scan a list: ``opto.feedback.<metric>`` is the score, with ``.label`` and ``.text`` beside it.

    The last word of a source; what it superseded is an event alone.
    """
    if stored.superseded:
        return {}
    feedback = stored.feedback
    key = f"{semconv.FEEDBACK_PREFIX}{feedback.name}"
    return _said({key: feedback.score, f"{key}.label": feedback.label, f"{key}.text": feedback.text})


def event_of(feedback: Feedback) -> dict[str, AnyValue]:
    """The attributes of the event: the judgement as it came (GenAI semantic conventions)."""
    return _said(
        {
            semconv.EVALUATION_NAME: feedback.name,
            semconv.EVALUATION_SCORE: feedback.score,
            semconv.EVALUATION_LABEL: feedback.label,
            semconv.EVALUATION_EXPLANATION: feedback.text,
            semconv.FEEDBACK_SOURCE: feedback.source,
        }
    )


def shown(stored: StoredFeedback) -> tuple[dict[str, AnyValue], ...]:
    """All that is shown of it."""
    return attributes_of(stored), event_of(stored.feedback), {EVENT_NAME: semconv.EVALUATION_EVENT}


def _said(values: dict[str, AnyValue]) -> dict[str, AnyValue]:
    return {key: value for key, value in values.items() if value is not None and value != ""}
