"""Feedback finds its span, and the release that its trace ran with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.core.feedback import Attachment, OpenFeedback
from collector.core.identity.roots import Family, family_of
from collector.core.identity.sides import told_apart
from collector.core.span import Span, SpanContext
from collector.core.telemetry import TraceQuery
from collector.core.times import LATEST
from otel_opto import semconv

_OF_LATE_NANO = 3_600_000_000_000
_CLOCKS_DIFFER_NANO = 5_000_000_000


class Places:
    """Where the feedback on one trace belongs, by all of its spans that have come, in whatever order they did.

    Feedback that names an answer by its response id judges the span that has it: of several the innermost, of those the
    one that began last, which is the model's call and not the agent around it. Where no span has it, what counts is the
    span that the feedback names beside it. Feedback that names an attribute judges the root of the trace that was found
    by it, which is not looked for here (see `wanted_by`). Feedback without a span id judges the root
    (`collector.core.identity.roots`). A span id that client and server share means the server's side.

    The release is what the judged span says, else the root, else any span, else the highest version of a parameter that
    the trace used. The releases of the trace's other services stand beside it: a judged answer of a gateway counts for
    the ranker behind it, too.

    Attributes:
        waits: Whether a parent of the root may still come.
    """

    def __init__(self, trace_id: str, spans: Sequence[Span]) -> None:
        family = family_of(told_apart(spans).spans)
        self._trace_id = trace_id
        self._answers = _innermost_answers(family)
        self._spans = family.spans
        self._root = family.root()
        self.waits = family.waits()
        self._ran_with = _ran_with(self._spans.values())
        self._release = _stated_release([*([self._root] if self._root else []), *self._spans.values()])

    def answer(self, one: OpenFeedback) -> Span | None:
        """The span of the answer that it names; None if it names none, or none that is here."""
        return self._answers.get(one.feedback.response_id)

    def find(self, one: OpenFeedback) -> Attachment | None:
        """Where it belongs now; None while the span that it judges has not come, and where it need not move.

        What is attached stays where it is if its span has been forgotten: what came since is less than the trace.
        """
        answer = self.answer(one)
        judged = answer or self._named(one.feedback.target) or self._called(one)
        if judged is None:
            return None
        before = one.attachment.target if one.attachment else None
        if before is not None and before.trace_id == self._trace_id and before.span_id not in self._spans:
            return None
        own = _number(judged.attributes, semconv.RELEASE)
        target = SpanContext(self._trace_id, judged.context.span_id)
        release = self._release if own is None else own
        by_name = bool(one.feedback.by_key) and not one.feedback.response_id
        beside = tuple(sorted({number for number in self._ran_with.values() if number is not None} - {release}))
        found = Attachment(one.id, target, release, answer is not None or by_name, beside)
        return None if found == one.attachment else found

    def _called(self, one: OpenFeedback) -> Span | None:
        """The root of a trace that was found by an attribute."""
        return self._root if one.feedback.by_key and not one.feedback.target.trace_id else None

    def _named(self, target: SpanContext) -> Span | None:
        if target.trace_id != self._trace_id:
            return None
        return self._spans.get(target.span_id) if target.span_id else self._root


@dataclass(frozen=True, slots=True)
class Placement:
    """What became of looking for the span of open feedback.

    Attributes:
        one: The feedback, with the time until which it is patient.
        attachment: Where it belongs now; None where it waits, or need not move.
        astray: It names an answer that was found nowhere yet, and is not in the trace where it was looked for.
    """

    one: OpenFeedback
    attachment: Attachment | None = None
    astray: bool = False

    @property
    def unplaced(self) -> bool:
        """Whether it judges nothing yet."""
        return self.attachment is None and self.one.attachment is None


def wanted_by(one: OpenFeedback, now_unix_nano: int) -> TraceQuery:
    """The newest trace with the attribute that feedback names, of those that had begun when it was given.

    What was looked for before is looked for only in what began of late: the rest has been searched.
    """
    given = one.feedback.time_unix_nano
    return TraceQuery(
        attributes={one.feedback.by_key: one.feedback.by_value},
        start_min_unix_nano=now_unix_nano - _OF_LATE_NANO if one.patient_until_unix_nano else 0,
        start_max_unix_nano=given + _CLOCKS_DIFFER_NANO if given else LATEST,
        limit=1,
    )


def home_of(one: OpenFeedback) -> str:
    """The trace in which it is looked for first: where it is attached, else what it says; empty if it says none."""
    return (one.attachment or one.feedback).target.trace_id


def placed(
    trace_id: str, group: Sequence[OpenFeedback], spans: Sequence[Span], now_unix_nano: int, grace_nano: int
) -> Sequence[Placement]:
    """Looks for the spans of open feedback in one trace; the same feedback comes back, in order.

    Args:
        trace_id: The trace.
        group: The feedback.
        spans: All of the trace that have come.
        now_unix_nano: The time.
        grace_nano: So long feedback on the whole trace waits for a parent of the root, once there is a root at all.
    """
    places = Places(trace_id, spans)
    found = []
    for one in group:
        answered = places.answer(one) is not None
        until = one.patient_until_unix_nano or now_unix_nano + grace_nano
        on_root = one.attachment is None and not one.feedback.target.span_id and not answered
        waits = places.waits and on_root and until > now_unix_nano
        looked_for = replace(one, patient_until_unix_nano=until if waits else 0)
        before = one.attachment is not None and one.attachment.answered
        astray = bool(one.feedback.response_id) and not answered and not before
        found.append(Placement(looked_for, None if waits else places.find(one), astray))
    return found


def _innermost_answers(family: Family) -> Mapping[str, Span]:
    """By response id, the span that is judged by it. Each span's parents are walked once."""
    answering: dict[str, list[str]] = {}
    for key, span in family.spans.items():
        response_id = span.attributes.get(semconv.RESPONSE_ID)
        if isinstance(response_id, str) and response_id:
            answering.setdefault(response_id, []).append(key)
    found: dict[str, Span] = {}
    for response_id, keys in answering.items():
        around: set[str] = set()
        for key in keys if len(keys) > 1 else ():
            at = family.parents.get(key)
            while at is not None and at not in around:
                around.add(at)
                at = family.parents.get(at)
        inner = [family.spans[key] for key in keys if key not in around]
        found[response_id] = max(inner, key=lambda span: (span.start_time_unix_nano, span.context.span_id))
    return found


def _stated_release(spans: Sequence[Span]) -> int | None:
    stated = (_number(span.attributes, semconv.RELEASE) for span in spans)
    release = next((number for number in stated if number is not None), None)
    return _newest_version(spans) if release is None else release


def _ran_with(spans: Iterable[Span]) -> Mapping[str, int | None]:
    """Each service's release in the trace; None for one that ran with several."""
    found: dict[str, int | None] = {}
    for span in spans:
        number = _number(span.attributes, semconv.RELEASE)
        if number is not None:
            service = span.resource.service
            found[service] = number if found.get(service, number) == number else None
    return found


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
