"""Feedback from inside the application, as the standard log event."""

import math
import time
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider, LogRecord, get_logger
from opentelemetry.trace import Span, SpanContext

from otel_opto import semconv
from otel_opto.process import clean
from otel_opto.process.counters import Count, Counters
from otel_opto.process.notices import Notices

MAX_TEXT = 65_536
"""Characters of an explanation; of names, labels and attributes as well."""


class FeedbackEvents:
    """Sends feedback; what cannot be sent is counted and said in the log."""

    def __init__(self, counters: Counters, notices: Notices) -> None:
        self._counters = counters
        self._notices = notices

    @property
    def dropped(self) -> int:
        """How much feedback reached nobody."""
        return self._counters.of(Count.FEEDBACK_DROPPED)

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
            self.drop(
                "no span", f"feedback {name!r} judges nothing: no span is current, and none began here; give target="
            )
            return
        if provider is None:
            self.drop("no way", f"feedback {name!r} goes nowhere: otel_opto.configure() was not called, or is disabled")
            return
        number = self._number(name, score) if score is not None else None
        if score is not None and number is None and not label and not text:
            return
        carried: dict[str, str | float] = {semconv.EVALUATION_NAME: name, **(naming or {})}
        if number is not None:
            carried[semconv.EVALUATION_SCORE] = number
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
                attributes={
                    _text(key): said if isinstance(said, float) else _text(said) for key, said in carried.items()
                },
            )
        )
        self._counters.add(Count.FEEDBACK_GIVEN)

    def _number(self, name: str, score: object) -> float | None:
        """A finite number; None, counted and said, for anything else."""
        try:
            number = float(score)  # type: ignore[arg-type] # whatever the application gives
            if math.isfinite(number) and not isinstance(score, str | bytes):
                return number
        except (TypeError, ValueError, OverflowError):
            pass
        self.drop(
            "no score", f"the score of feedback {name!r} is not sent: found {score!r:.80}, allowed: a finite number"
        )
        return None

    def drop(self, kind: str, reason: str) -> None:
        """Counts feedback that reaches nobody, and says why, each kind by itself."""
        self._counters.add(Count.FEEDBACK_DROPPED)
        self._notices.say(f"feedback: {kind}", clean.text(reason))


def _text(value: object) -> str:
    return clean.text(value if isinstance(value, str) else str(value), MAX_TEXT)
