"""Feedback from inside the application, as the standard log event."""

import logging
import math
import time
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider, LogRecord, get_logger
from opentelemetry.trace import Span, SpanContext

from otel_opto import semconv

_LOG = logging.getLogger("otel_opto")


class FeedbackEvents:
    """Sends feedback; what cannot be sent is counted, and said in the log the first time."""

    def __init__(self) -> None:
        self.dropped = 0

    def emit(  # noqa: PLR0913 - keywords, a field of the event each
        self,
        provider: LoggerProvider | None,
        target: Span | SpanContext | None,
        *,
        name: str,
        score: float | None,
        label: str,
        text: str,
        attributes: Mapping[str, str],
        naming: Mapping[str, str] | None = None,
    ) -> None:
        """Emits ``gen_ai.evaluation.result`` on the judged span (GenAI semantic conventions v0.1.0).

        Args:
            naming: Attributes that name what is judged (`otel_opto.handles.naming`); without a target it is then
                emitted on no span.
        """
        judged = target.get_span_context() if isinstance(target, Span) else target
        if judged is None:
            judged = trace.INVALID_SPAN_CONTEXT if naming else trace.get_current_span().get_span_context()
        if not judged.is_valid and not naming:
            self._drop(f"feedback {name!r} judges nothing: there is no current span; give target=")
            return
        if score is not None and not math.isfinite(score):
            self._drop(f"the score of feedback {name!r} is not sent: found {score!r}, allowed: a finite number")
            if not label and not text:
                return
            score = None
        carried: dict[str, str | float] = {semconv.EVALUATION_NAME: name, **(naming or {})}
        if score is not None:
            carried[semconv.EVALUATION_SCORE] = float(score)
        if label:
            carried[semconv.EVALUATION_LABEL] = label
        if text:
            carried[semconv.EVALUATION_EXPLANATION] = text
        carried.update({f"{semconv.FEEDBACK_PREFIX}{key}": value for key, value in attributes.items()})
        get_logger("otel_opto", logger_provider=provider).emit(
            LogRecord(
                timestamp=time.time_ns(),
                context=trace.set_span_in_context(trace.NonRecordingSpan(judged)),
                event_name=semconv.EVALUATION_EVENT,
                attributes=carried,
            )
        )

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        if self.dropped == 1:
            _LOG.warning("%s (said once; further ones are only counted)", reason)
