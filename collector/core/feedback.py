"""Feedback on the output of a span."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from collector.core.errors import InvalidRequest
from collector.core.identity.ids import span_id_of, trace_id_of
from collector.core.span import AnyValue, SpanContext
from collector.core.times import bounded

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MAX_SHOWN = 80
_MOST_ATTRIBUTES = 1_000


@dataclass(frozen=True, slots=True)
class Feedback:
    """A judgement: a score, a label, a text, or several of them.

    Attributes:
        target: The span whose output is judged; an empty `span_id` means the root of the trace. All empty where only
            `response_id` or `by_key` is known.
        name: The metric, ``gen_ai.evaluation.name``.
        score: Finite.
        text: The explanation, in words.
        source: Who says so: ``evaluator``, ``user``, …
        attributes: Further ``opto.feedback.*``, without the prefix, in their string form.
        response_id: ``gen_ai.response.id`` of the model's answer that is judged, where it is stated.
        by_key: An attribute that names what is judged, for example ``session.id``: the root of the newest trace with a
            span that has it. Empty where something else does.
        by_value: Its value, as text.
    """

    target: SpanContext
    name: str
    score: float | None = None
    label: str = ""
    text: str = ""
    source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    time_unix_nano: int = 0
    response_id: str = ""
    by_key: str = ""
    by_value: str = ""

    @property
    def id(self) -> str:
        """32 hex digits of the content: the same feedback, sent twice, is kept once."""
        content = [self.target.trace_id, self.target.span_id, self.name, self.score, self.label, self.text,
                   self.source, sorted(self.attributes.items()), self.time_unix_nano,
                   *([self.response_id] if self.response_id else []),
                   *([self.by_key, self.by_value] if self.by_key else [])]  # fmt: skip
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def score_of(value: AnyValue) -> float | None:
    """A score as senders write it: a number, a number as text (``"10"``, ``" 0.8 "``, ``"1e-3"``), a truth value.

    ``true`` is 1, ``false`` is 0, as text too. None, and a text without content, is no score.

    Raises:
        ValueError: it is none of them, or not finite; the text says what was found and what is allowed.
    """
    said = value.strip() if isinstance(value, str) else value
    if said is None or said == "":
        return None
    number = {"true": 1.0, "false": 0.0}.get(said.lower()) if isinstance(said, str) else None
    if isinstance(said, int | float) or (isinstance(said, str) and number is None and _NUMBER.fullmatch(said)):
        try:
            number = float(said)
        except OverflowError:
            number = math.inf
    if number is None or not math.isfinite(number):
        shown = repr(value)
        shown = shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + "…"
        raise ValueError(
            f"{shown} ({type(value).__name__}); allowed is a finite number, also as text, or a truth value"
        )
    return number


class FeedbackState(Enum):
    """Where feedback stands on its way to its span."""

    WAITING = "waiting"
    ATTACHED = "attached"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """Feedback and what became of it.

    Attributes:
        id: Of the feedback as it was submitted.
        feedback: Once attached, `target` names the judged span even where the submission meant "the root"; it may
            name another one when more of the trace has come.
        release: The release that the judged trace ran with; None while waiting, or when it ran with none.
        superseded: The same source has judged the same output by the same metric later: by the judgement's own time,
            then by its coming. Words alone take back no score and no label.
    """

    id: str
    feedback: Feedback
    state: FeedbackState
    received_unix_nano: int
    release: int | None = None
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """Feedback that found its span: the root's id is filled in, the release of the trace is known.

    Attributes:
        release: That the judged service ran with.
        answered: The span has the response id that the feedback names: no other trace is looked at any more.
        beside: The releases that the other services of the trace ran with, rising; a service that ran with several is
            left out. The feedback counts for their studies, too.
    """

    feedback_id: str
    target: SpanContext
    release: int | None
    answered: bool = False
    beside: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenFeedback:
    """Feedback that may find its span now, or another one than before.

    Attributes:
        id: Of the feedback.
        feedback: As it was submitted.
        position: How far the store had come with the feedback's trace when it was read; the store's own measure.
        attachment: Where it is attached; None while it waits.
        patient_until_unix_nano: Of waiting feedback on a whole trace: until when it waits for a parent of the topmost
            span that is known; 0 while it does not.
    """

    id: str
    feedback: Feedback
    position: int
    attachment: Attachment | None = None
    patient_until_unix_nano: int = 0


def folded(label: str) -> str:
    """A label as it is compared."""
    return label.strip().casefold()


def checked_feedback(feedback: Feedback) -> Feedback:
    """The feedback as it is stored, its ids in one form and its time bounded, once it is known to judge something.

    Raises:
        InvalidRequest: with every fault: the ids' form, no name, nothing said, a score that is not finite.
    """
    faults: list[str] = []
    target = _checked_target(feedback, faults)
    if not feedback.name:
        faults.append("name: found nothing; it is the metric, for example 'quality'")
    if feedback.score is not None and not math.isfinite(feedback.score):
        faults.append(f"score: found {feedback.score}, allowed are finite numbers")
    if feedback.score is None and not feedback.label and not feedback.text:
        faults.append("one of score, label and text must be there")
    if len(feedback.attributes) > _MOST_ATTRIBUTES:
        faults.append(f"attributes: found {len(feedback.attributes):,}, allowed are {_MOST_ATTRIBUTES:,}")
    if faults:
        raise InvalidRequest("feedback: " + "; ".join(faults))
    return replace(feedback, target=target, time_unix_nano=bounded(feedback.time_unix_nano))


def _checked_target(feedback: Feedback, faults: list[str]) -> SpanContext:
    given = feedback.target
    if bool(feedback.by_key) != bool(feedback.by_value):
        faults.append("by_key, by_value: found one of them; an attribute has a key and a value")
    if (feedback.response_id or feedback.by_key) and not given.trace_id:
        if given.span_id:
            faults.append("span_id: a span is named by its trace_id, too; or leave both to response_id or by_key")
        return SpanContext("", "")
    trace_id = span_id = ""
    try:
        trace_id = trace_id_of(given.trace_id, "trace_id")
    except InvalidRequest as error:
        faults.append(
            f"{error}, or none where response_id or by_key names what is judged" if not given.trace_id else str(error)
        )
    try:
        span_id = span_id_of(given.span_id, "span_id") if given.span_id else ""
    except InvalidRequest as error:
        faults.append(f"{error}, or none for the trace's root")
    return SpanContext(trace_id, span_id)
