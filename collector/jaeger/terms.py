"""Searches for what spans do not say themselves and are shown with: feedback, and values of released parameters.

A trace viewer can ask for attributes only. ``opto.feedback.quality`` = ``<0.5`` finds traces that a feedback of metric
``quality`` scored below 0.5; ``<=``, ``>`` and ``>=`` work alike, and ``0.2..0.5`` is from 0.2 to 0.5. Anything else is
the exact value of what is shown (`feedback_tags`), or the label of the metric.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from collector.core.feedback import StoredFeedback
from collector.core.span import AnyValue, Span
from collector.core.telemetry import TraceQuery
from collector.jaeger.feedback_tags import shown
from collector.otlp.tags import EVENT_NAME, shown_values
from collector.otlp.text import says
from otel_opto import semconv

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
"""The longer signs first."""

_RANGE = ".."

_EVALUATION = (
    semconv.EVALUATION_NAME,
    semconv.EVALUATION_SCORE,
    semconv.EVALUATION_LABEL,
    semconv.EVALUATION_EXPLANATION,
)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on what a trace is shown with.

    Attributes:
        key: Of an attribute, or of a field of an event.
        text: The wanted value.
        sign: One of ``<``, ``<=``, ``>``, ``>=``, ``..``; empty for equality.
        bound: What the value is compared with.
        upper: Of ``..``: where it ends.
        fault: Why it is perhaps not what was meant; said where nothing is found.
    """

    key: str
    text: str
    sign: str = ""
    bound: float = 0.0
    upper: float = math.inf
    fault: str = ""

    def may_be_said_in(self, data: bytes) -> bool:
        """False where no span of the serialized trace can say it, or leave it to a release."""
        if self.key == EVENT_NAME:
            return self.text.encode(errors="surrogatepass") in data
        parameter = self.key.removesuffix(semconv.PARAM_VALUE_SUFFIX)
        keys = (self.key, parameter + semconv.PARAM_VERSION_SUFFIX)
        return any(key.encode(errors="surrogatepass") in data for key in keys)

    def met_by(self, stored: StoredFeedback) -> bool:
        """Whether a feedback meets it."""
        feedback = stored.feedback
        of_metric = self.key == f"{semconv.FEEDBACK_PREFIX}{feedback.name}" and not stored.superseded
        if of_metric and feedback.label == self.text != "":
            return True
        return self._is_one_of(values[self.key] for values in shown(stored) if self.key in values)

    def met_on(self, span: Span) -> bool:
        """Whether what a span says, or is shown with, meets it."""
        return self._is_one_of(shown_values(span, self.key))

    def _is_one_of(self, values: Iterable[AnyValue]) -> bool:
        return any(says(value, self.text) or self._compares(value) for value in values)

    def _compares(self, value: AnyValue) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.sign:
            return False
        if self.sign == _RANGE:
            return self.bound <= value <= self.upper
        return _COMPARISONS[self.sign](float(value), self.bound)


def split(query: TraceQuery) -> tuple[TraceQuery, tuple[Term, ...]]:
    """The query without the attributes that spans may be shown with though they do not say them, and these."""
    named = {key for key, text in query.attributes.items() if _beside(key, text)}
    if not named:
        return query, ()
    rest = {key: text for key, text in query.attributes.items() if key not in named}
    return replace(query, attributes=rest), tuple(_term(key, query.attributes[key]) for key in sorted(named))


def _beside(key: str, text: str) -> bool:
    if (key, text) == (EVENT_NAME, semconv.EVALUATION_EVENT):
        return True
    of_parameter = key.startswith(semconv.PARAM_PREFIX) and key.endswith(semconv.PARAM_VALUE_SUFFIX)
    return of_parameter or key.startswith(semconv.FEEDBACK_PREFIX) or key in _EVALUATION


def _term(key: str, text: str) -> Term:
    for sign in _COMPARISONS:
        if text.startswith(sign) and not key.startswith(semconv.PARAM_PREFIX):
            try:
                return Term(key, text, sign, float(text.removeprefix(sign)))
            except ValueError:  # perhaps a text that begins like that
                fault = f"{key}: found {text!r}, allowed after {sign} is a number, for example {sign}0.5"
                return Term(key, text, fault=fault)
    return _range(key, text) or Term(key, text)


def _range(key: str, text: str) -> Term | None:
    """Of scores; None where it is none, since a label may look like one, nearly."""
    low, sign, high = text.partition(_RANGE)
    if not sign or not key.startswith(semconv.FEEDBACK_PREFIX):
        return None
    try:
        return Term(key, text, sign, float(low), float(high))
    except ValueError:
        return None
