"""What is known of spans beside what they say: their feedback, and the values of the parameters that they name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from collector.core.feedback import StoredFeedback
from collector.core.identity.roots import family_of
from collector.core.identity.sides import told_apart
from collector.core.release import Release
from collector.core.span import AnyValue
from collector.feedback import extract
from collector.jaeger.feedback_tags import attributes_of, event_of
from collector.otlp.decode import resource_of, spans_of
from collector.otlp.text import text_of
from collector.otlp.v1.raw_pb2 import RawTraces
from otel_opto import semconv

if TYPE_CHECKING:  # only the stubs know the container by this name
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

_Attributes: TypeAlias = "RepeatedCompositeFieldContainer[KeyValue]"
_Shown: TypeAlias = tuple[StoredFeedback, bool]
"""A feedback, and whether it needs an event."""


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

    Feedback becomes an event as it came, unless it came as one, and attributes for those who scan a list: of several
    on one metric the last word. A parameter that names its release gets the value that it had there. A resource
    without a service's name gets the one that its spans are listed under.
    """
    if not feedback and not releases and not _has_nameless(data):
        return data
    judged = _judged(data, feedback)
    traces = TracesData.FromString(data)
    for group in traces.resource_spans:
        _name_service(group.resource)
    for index, span in enumerate(_spans(traces)):
        _add_values(span, releases)
        _add_feedback(span, judged.get(index, ()))
    return traces.SerializeToString()


def _judged(data: bytes, feedback: Sequence[StoredFeedback]) -> Mapping[int, Sequence[_Shown]]:
    """By the number of a span in the data, the feedback on it, the oldest first."""
    if not feedback:
        return {}
    spans = spans_of(data)
    apart = told_apart(spans)
    root = family_of(apart.spans).root()
    assert root is not None  # there is a span
    came = {one.id for one in extract.from_spans(spans).feedback}
    found: dict[int, list[_Shown]] = {}
    for one in reversed(feedback):  # the store gives the newest first
        place = apart.came.get(one.feedback.target.span_id or root.context.span_id)
        if place is not None:
            found.setdefault(place, []).append((one, one.id not in came))
    return found


def _has_nameless(data: bytes) -> bool:
    resources = (Resource.FromString(b"".join(group.resource)) for group in RawTraces.FromString(data).resource_spans)
    return any(_service_written(resource) != resource_of(resource).service for resource in resources)


def _service_written(resource: Resource) -> str:
    return next(
        (one.value.string_value for one in reversed(resource.attributes) if one.key == semconv.SERVICE_NAME), ""
    )


def _name_service(resource: Resource) -> None:
    service = resource_of(resource).service
    if _service_written(resource) == service:
        return
    kept = [one for one in resource.attributes if one.key != semconv.SERVICE_NAME]
    del resource.attributes[:]
    resource.attributes.extend(kept)
    _add(resource.attributes, semconv.SERVICE_NAME, service)


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


def _add_feedback(span: Span, judgements: Sequence[_Shown]) -> None:
    attributes: dict[str, AnyValue] = {}
    for stored, as_event in judgements:
        feedback = stored.feedback
        attributes.update(attributes_of(stored))
        if as_event:
            time = feedback.time_unix_nano or stored.received_unix_nano
            event = span.events.add(name=semconv.EVALUATION_EVENT, time_unix_nano=time)
            for key, value in event_of(feedback).items():
                _add(event.attributes, key, value)
    stated = {attribute.key for attribute in span.attributes}
    for key, value in attributes.items():
        if key not in stated:
            _add(span.attributes, key, value)


def _add(attributes: _Attributes, key: str, value: AnyValue) -> None:
    made = attributes.add(key=key).value
    if isinstance(value, float):
        made.double_value = value
    else:
        made.string_value = str(value)
