"""Feedback inside telemetry: ``gen_ai.evaluation.result`` as a log event, or as a span event on the judged span.

GenAI semantic conventions v0.1.0, "Event: gen_ai.evaluation.result". The conventions have no word for who judged and
on what; ``opto.feedback.*`` carries that.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from collector.core.feedback import Feedback, score_of
from collector.core.span import AnyValue, Attributes, LogRecord, Span, SpanContext
from otel_opto import semconv

_LEGACY_EVENT_NAME = "event.name"
"""Where log events had their name before `LogRecord.event_name`."""

_MAX_SHOWN = 80
_NO_WORDS = frozenset(("nan", "inf", "infinity", "none", "null", "n/a"))


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found.

    Attributes:
        feedback: What judges something.
        faults: Of what looked like feedback and is none; each says what was found, where and what is allowed.
        unscored: Of feedback whose score could not be read and that is kept for its label and its text.
    """

    feedback: tuple[Feedback, ...]
    faults: tuple[str, ...]
    unscored: tuple[str, ...] = ()


class _Fault(Exception):
    """The event is no feedback; the text says why."""


def from_log_records(records: Iterable[LogRecord]) -> Extraction:
    """The feedback in log records. The event's name may be in the attribute ``event.name`` (older SDKs)."""
    return _extraction(
        (record.context, record.attributes, record.time_unix_nano or record.observed_time_unix_nano)
        for record in records
        if semconv.EVALUATION_EVENT in (record.event_name, record.attributes.get(_LEGACY_EVENT_NAME))
    )


def from_spans(spans: Iterable[Span]) -> Extraction:
    """The feedback in span events; each judges the span that it stands on."""
    return _extraction(
        (span.context, event.attributes, event.time_unix_nano or span.end_time_unix_nano)
        for span in spans
        for event in span.events
        if event.name == semconv.EVALUATION_EVENT
    )


def _extraction(events: Iterable[tuple[SpanContext | None, Attributes, int]]) -> Extraction:
    feedback: list[Feedback] = []
    faults: list[str] = []
    unscored: list[str] = []
    for target, attributes, time_unix_nano in events:
        where = f"trace {target.trace_id}, span {target.span_id or '(root)'}" if target else "a log record"
        try:
            one, fault = _feedback(target, attributes, time_unix_nano)
        except _Fault as none:
            faults.append(f"{semconv.EVALUATION_EVENT} of {where}: {none}")
        else:
            feedback.append(one)
            unscored += [f"{semconv.EVALUATION_EVENT} of {where}: {fault}"] if fault else []
    return Extraction(tuple(feedback), tuple(faults), tuple(unscored))


def _feedback(target: SpanContext | None, attributes: Attributes, time_unix_nano: int) -> tuple[Feedback, str]:
    """The feedback, and why its score could not be read; empty if it could, or if there is none."""
    name = attributes.get(semconv.EVALUATION_NAME)
    if not isinstance(name, str) or not name:
        raise _Fault(f"{semconv.EVALUATION_NAME} is {_shown(name)}; it must be a text that names the metric")
    response_id = _text(attributes.get(semconv.RESPONSE_ID))
    by_key, by_value = _by(attributes, alone=target is None and not response_id)
    if target is None and not response_id and not by_key:
        wanted = (
            f"emit it in the context of the judged span, with its {semconv.RESPONSE_ID}, or with an attribute that "
            f"names it ({semconv.SESSION_ID}, {semconv.CONVERSATION_ID}, {semconv.JUDGED_KEY})"
        )
        raise _Fault(f"metric {name!r} has no trace id; {wanted}")
    said = attributes.get(semconv.EVALUATION_SCORE)
    score, fault = _score(name, said)
    label = _text(attributes.get(semconv.EVALUATION_LABEL)) or (_word(said) if fault else "")
    text = _text(attributes.get(semconv.EVALUATION_EXPLANATION))
    if score is None and not label and not text:
        if fault:
            raise _Fault(fault)
        allowed = f"{semconv.EVALUATION_SCORE}, {semconv.EVALUATION_LABEL}, {semconv.EVALUATION_EXPLANATION}"
        raise _Fault(f"metric {name!r} says nothing; it needs at least one of {allowed}")
    feedback = Feedback(
        target=target or SpanContext("", ""),
        name=name,
        score=score,
        label=label,
        text=text,
        source=_text(attributes.get(semconv.FEEDBACK_SOURCE)),
        attributes=_further(attributes),
        time_unix_nano=time_unix_nano,
        response_id=response_id,
        by_key=by_key,
        by_value=by_value,
    )
    return feedback, fault


def _by(attributes: Attributes, *, alone: bool) -> tuple[str, str]:
    """The attribute that names what is judged: the stated one, else a usual one where nothing else is named."""
    stated = _text(attributes.get(semconv.JUDGED_KEY)), _text(attributes.get(semconv.JUDGED_VALUE))
    if all(stated) or not alone:
        return stated if all(stated) else ("", "")
    found = ((key, _text(attributes.get(key))) for key in (semconv.CONVERSATION_ID, semconv.SESSION_ID))
    return next(((key, value) for key, value in found if value), ("", ""))


def _score(name: str, value: AnyValue) -> tuple[float | None, str]:
    try:
        return score_of(value), ""
    except ValueError as error:
        return None, f"metric {name!r}: {semconv.EVALUATION_SCORE} is {error}"


def _word(value: AnyValue) -> str:
    """A score in words (``"high"``) is a label; what is not even that, ``"NaN"`` among it, is none."""
    word = value.strip() if isinstance(value, str) else ""
    return word if word[:1].isalpha() and word.lower() not in _NO_WORDS and len(word) <= _MAX_SHOWN else ""


def _further(attributes: Attributes) -> dict[str, str]:
    prefix = semconv.FEEDBACK_PREFIX
    return {
        key.removeprefix(prefix): _text(value)
        for key, value in attributes.items()
        if key.startswith(prefix) and key not in (prefix, semconv.FEEDBACK_SOURCE)
    }


def _text(value: AnyValue) -> str:
    """A text as it is, nothing as nothing, anything else as its JSON: ``true``, ``3``, ``["a"]``."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=repr)


def _shown(value: AnyValue) -> str:
    """A value in a fault; it came from outside and may be long."""
    text = "missing" if value is None else repr(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
