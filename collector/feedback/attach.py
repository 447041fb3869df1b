"""Feedback finds its span, and the release that its trace ran with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from collector.core.feedback import Attachment, OpenFeedback
from collector.core.identity.roots import family_of
from collector.core.identity.sides import told_apart
from collector.core.span import Span, SpanContext
from otel_opto import semconv


class Places:
    """Where the feedback on one trace belongs, by all of its spans that have come, in whatever order they did.

    Feedback without a span id judges the root (`collector.core.identity.roots`). A span id that client and server share
    means the server's side. The release is what the judged span says, else the root, else any span, else the highest
    version of a parameter that the trace used.

    Attributes:
        waits: Whether a parent of the root may still come.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        family = family_of(told_apart(spans).spans)
        self._spans = family.spans
        self._root = family.root()
        self.waits = family.waits()
        self._release = _stated_release([*([self._root] if self._root else []), *self._spans.values()])

    def find(self, one: OpenFeedback) -> Attachment | None:
        """Where it belongs now; None while the span that it judges has not come, and where it need not move.

        What is attached stays where it is if its span has been forgotten: what came since is less than the trace.
        """
        wanted = one.feedback.target.span_id
        judged = self._spans.get(wanted) if wanted else self._root
        if judged is None:
            return None
        if one.attachment is not None and one.attachment.target.span_id not in self._spans:
            return None
        own = _number(judged.attributes, semconv.RELEASE)
        target = SpanContext(one.feedback.target.trace_id, judged.context.span_id)
        found = Attachment(one.id, target, self._release if own is None else own)
        return None if found == one.attachment else found


def placed(
    group: Sequence[OpenFeedback], spans: Sequence[Span], now_unix_nano: int, grace_nano: int
) -> tuple[Sequence[OpenFeedback], Sequence[Attachment]]:
    """Looks for the spans of the open feedback on one trace.

    Args:
        group: The feedback.
        spans: All of the trace that have come.
        now_unix_nano: The time.
        grace_nano: So long feedback on the whole trace waits for a parent of the root, once there is a root at all.

    Returns:
        The same feedback, each with the time until which it is patient; and where it belongs now.
    """
    places = Places(spans)
    looked_for, found = [], []
    for one in group:
        until = one.patient_until_unix_nano or now_unix_nano + grace_nano
        waits = places.waits and one.attachment is None and not one.feedback.target.span_id and until > now_unix_nano
        looked_for.append(replace(one, patient_until_unix_nano=until if waits else 0))
        attachment = None if waits else places.find(one)
        if attachment is not None:
            found.append(attachment)
    return looked_for, found


def _stated_release(spans: Sequence[Span]) -> int | None:
    stated = (_number(span.attributes, semconv.RELEASE) for span in spans)
    release = next((number for number in stated if number is not None), None)
    return _newest_version(spans) if release is None else release


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
