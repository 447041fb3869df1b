"""Feedback finds its span, and the release that its trace ran with."""

from collections.abc import Mapping, Sequence

from collector.core.feedback import Attachment, Feedback
from collector.core.span import Span, SpanContext
from otel_opto import semconv


def attach(feedback: Feedback, spans: Sequence[Span]) -> Attachment | None:
    """Where the feedback belongs; None while the span that it judges has not come.

    Without a span id it judges the root. The release is what the judged span says, else the root, else any span, else
    the highest version of a parameter that the trace used.

    Args:
        spans: The spans of its trace that have come.
    """
    by_id = {span.context.span_id: span for span in spans}
    root = next((span for span in spans if span.parent_span_id is None), None)
    judged = by_id.get(feedback.target.span_id) if feedback.target.span_id else root
    if judged is None:
        return None
    target = SpanContext(feedback.target.trace_id, judged.context.span_id)
    first = [judged, *([root] if root else []), *spans]
    stated = (_number(span.attributes, semconv.RELEASE) for span in first)
    release = next((number for number in stated if number is not None), None)
    return Attachment(feedback.id, target, _newest_version(spans) if release is None else release)


def _newest_version(spans: Sequence[Span]) -> int | None:
    versions = (
        _number(span.attributes, key)
        for span in spans
        for key in span.attributes
        if key.startswith(semconv.PARAM_PREFIX) and key.endswith(semconv.PARAM_VERSION_SUFFIX)
    )
    return max((version for version in versions if version is not None), default=None)


def _number(attributes: Mapping[str, object], key: str) -> int | None:
    value = attributes.get(key)
    if isinstance(value, str) and value.isdecimal() and len(value) < 19:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
