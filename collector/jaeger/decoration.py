"""What is known of spans beside what they say: their feedback, and the values of the parameters that they name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from collector.core.feedback import StoredFeedback
from collector.core.release import Release
from collector.otlp.text import text_of
from otel_opto import semconv

if TYPE_CHECKING:  # only the stubs know the container by this name
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

_Attributes: TypeAlias = "RepeatedCompositeFieldContainer[KeyValue]"


def named_releases(data: bytes) -> frozenset[int]:
    """The releases whose values the parameters of a serialized ``TracesData`` have."""
    if semconv.PARAM_PREFIX.encode() not in data:
        return frozenset()
    return frozenset(
        attribute.value.int_value
        for span in _spans(TracesData.FromString(data))
        for attribute in span.attributes
        if attribute.value.int_value > 0 and _parameter(attribute.key)
    )


def decorated(data: bytes, feedback: Sequence[StoredFeedback], releases: Mapping[int, Release]) -> bytes:
    """A serialized ``TracesData`` with what is known beside it; byte for byte the same where nothing is.

    Feedback becomes an event as it came, and attributes for those who scan a list. A parameter that names its release
    gets the value that it had there.
    """
    by_span: dict[str, list[StoredFeedback]] = {}
    for one in feedback:
        by_span.setdefault(one.feedback.target.span_id, []).append(one)
    if not by_span and not releases:
        return data
    traces = TracesData.FromString(data)
    for span in _spans(traces):
        _add_values(span, releases)
        judged = by_span.get(span.span_id.hex(), []) + ([] if span.parent_span_id else by_span.get("", []))
        for one in reversed(judged):  # the store gives the newest first
            _add_feedback(span, one)
    return traces.SerializeToString()


def _spans(traces: TracesData) -> Sequence[Span]:
    return [span for group in traces.resource_spans for scoped in group.scope_spans for span in scoped.spans]


def _parameter(key: str) -> str:
    """The parameter whose version an attribute says; empty if it says none."""
    if key.startswith(semconv.PARAM_PREFIX) and key.endswith(semconv.PARAM_VERSION_SUFFIX):
        return key[len(semconv.PARAM_PREFIX) : -len(semconv.PARAM_VERSION_SUFFIX)]
    return ""


def _add_values(span: Span, releases: Mapping[int, Release]) -> None:
    stated = {attribute.key for attribute in span.attributes}
    for attribute in list(span.attributes):
        parameter = _parameter(attribute.key)
        release = releases.get(attribute.value.int_value) if parameter else None
        key = f"{semconv.PARAM_PREFIX}{parameter}{semconv.PARAM_VALUE_SUFFIX}"
        if release is not None and parameter in release.values and key not in stated:
            _add(span.attributes, key, text_of(release.values[parameter].value))


def _add_feedback(span: Span, stored: StoredFeedback) -> None:
    feedback = stored.feedback
    event = span.events.add(
        name=semconv.EVALUATION_EVENT, time_unix_nano=feedback.time_unix_nano or stored.received_unix_nano
    )
    key = f"{semconv.FEEDBACK_PREFIX}{feedback.name}"
    _add(event.attributes, semconv.EVALUATION_NAME, feedback.name)
    if feedback.score is not None:
        _add(event.attributes, semconv.EVALUATION_SCORE, feedback.score)
        _add(span.attributes, key, feedback.score)
    for name, ending, text in (
        (semconv.EVALUATION_LABEL, ".label", feedback.label),
        (semconv.EVALUATION_EXPLANATION, ".text", feedback.text),
    ):
        if text:
            _add(event.attributes, name, text)
            _add(span.attributes, key + ending, text)
    if feedback.source:
        _add(event.attributes, semconv.FEEDBACK_SOURCE, feedback.source)


def _add(attributes: _Attributes, key: str, value: str | float) -> None:
    made = attributes.add(key=key).value
    if isinstance(value, str):
        made.string_value = value
    else:
        made.double_value = value
