"""Searches for feedback, written as attributes, because that is all that a trace viewer can ask for.

``opto.feedback.quality`` = ``<0.5`` finds traces that a feedback of the metric ``quality`` scored below 0.5; ``<=``,
``>`` and ``>=`` work alike. Anything else is an exact score or label.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from collector.core.errors import InvalidRequest
from collector.core.feedback import Feedback
from collector.core.telemetry import TraceQuery
from otel_opto import semconv

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
"""The longer signs first."""


@dataclass(frozen=True, slots=True)
class FeedbackTerm:
    """One condition on the feedback of a trace.

    Attributes:
        metric: Of the feedback.
        sign: One of ``<``, ``<=``, ``>``, ``>=``; empty for equality.
        value: The bound, or the score or label.
    """

    metric: str
    sign: str
    value: str

    def met(self, feedback: Feedback) -> bool:
        """Whether a feedback meets it."""
        if feedback.name != self.metric:
            return False
        if not self.sign and feedback.label == self.value:
            return True
        bound = _number(self.value)
        if feedback.score is None or bound is None:
            return False
        compare = _COMPARISONS.get(self.sign)
        return feedback.score == bound if compare is None else compare(feedback.score, bound)


def split(query: TraceQuery) -> tuple[TraceQuery, tuple[FeedbackTerm, ...]]:
    """The query without its terms on feedback, and these.

    Raises:
        InvalidRequest: a comparison with something that is no number.
    """
    named = {key for key in query.attributes if key.startswith(semconv.FEEDBACK_PREFIX)}
    if not named:
        return query, ()
    rest = {key: text for key, text in query.attributes.items() if key not in named}
    terms = tuple(_term(key, query.attributes[key]) for key in sorted(named))
    return replace(query, attributes=rest), terms


def _term(key: str, text: str) -> FeedbackTerm:
    metric = key.removeprefix(semconv.FEEDBACK_PREFIX)
    for sign in _COMPARISONS:
        if text.startswith(sign):
            value = text.removeprefix(sign).strip()
            if _number(value) is None:
                raise InvalidRequest(f"{key}: found {text!r}, allowed after {sign} is a number, for example {sign}0.5")
            return FeedbackTerm(metric, sign, value)
    return FeedbackTerm(metric, "", text.strip())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
