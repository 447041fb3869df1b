"""Whether a span meets the conditions of a search. Semantics: Jaeger's memory store, the reference in practice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.core.identity.services import UNKNOWN_SERVICE
from collector.core.span import SPAN_KINDS, Span, StatusCode
from collector.core.telemetry import TraceQuery
from collector.otlp.needles import Needle, attribute_needle, number_needle, text_needle
from collector.otlp.sieve import Sieve
from collector.otlp.tags import EVENT_NAME, shown_values
from collector.otlp.text import says
from otel_opto import semconv

_KINDS = {name: number for number, name in SPAN_KINDS.items()} | {"unspecified": 0}
_STATUSES = {"unset": 0, "ok": 1, "error": 2}
_RESOURCE_PREFIX = "resource."
_NAME_TAG, _KIND_TAG, _CODE_TAG = 0x2A, 0x30, 0x18
"""Of Span.name, Span.kind and Status.code on the wire."""
_TEXT_TAGS = {
    "otel.scope.name": 0x0A,
    "otel.scope.version": 0x12,
    "otel.status_description": 0x12,
    "w3c.tracestate": 0x1A,
    EVENT_NAME: 0x12,
}
"""Of InstrumentationScope.name and .version, Status.message, Span.trace_state, Event.name."""
_NUMBER_TAGS = {
    "span.kind": (_KIND_TAG, _KINDS),
    "error": (_CODE_TAG, {"true": 2}),
    "otel.status_code": (_CODE_TAG, {"ok": 1, "error": 2}),
}
"""The field, and its numbers by what the tag shows for them."""
_UNWRITTEN = {("span.kind", "unspecified"), ("error", "false"), (semconv.SERVICE_NAME, UNKNOWN_SERVICE)}
"""What is so where nothing is written."""
_COUNTS = {"otel.dropped_attributes_count": 0x50, "otel.dropped_events_count": 0x60, "otel.dropped_links_count": 0x70}


@dataclass(frozen=True, slots=True)
class Conditions:
    """A query, made ready to be asked of bytes first and of decoded spans then.

    Attributes:
        query: What is looked for.
        sieve: Passes over spans whose bytes say that they do not meet it.
    """

    query: TraceQuery
    sieve: Sieve

    def met(self, span: Span) -> bool:
        """Whether the span meets all conditions."""
        query = self.query
        duration = span.end_time_unix_nano - span.start_time_unix_nano
        return (
            (not query.service or span.resource.service == query.service)
            and (not query.operation or span.name == query.operation)
            and query.start_min_unix_nano <= span.start_time_unix_nano <= query.start_max_unix_nano
            and query.duration_min_nano <= duration
            and (query.duration_max_nano is None or duration <= query.duration_max_nano)
            and all(_has(span, key, text) for key, text in query.attributes.items())
        )


def conditions_of(query: TraceQuery) -> Conditions:
    """The conditions of a query."""
    on_spans = [text_needle(_NAME_TAG, query.operation)] if query.operation else []
    needles = (_needle(key, text) for key, text in query.attributes.items())
    return Conditions(query, Sieve(tuple(on_spans), tuple(needle for needle in needles if needle is not None)))


def _needle(key: str, text: str) -> Needle | None:
    """None where bytes do not say whether a span has it."""
    attribute = attribute_needle(key, text)
    if key in _OTHERWISE or (key, text.lower()) in _UNWRITTEN:
        return None
    if key.startswith(_RESOURCE_PREFIX):
        return attribute.or_else(attribute_needle(key.removeprefix(_RESOURCE_PREFIX), text))
    if key in _TEXT_TAGS and text:
        return attribute.or_else(text_needle(_TEXT_TAGS[key], text))
    if key in _NUMBER_TAGS:
        tag, numbers = _NUMBER_TAGS[key]
        number = numbers.get(text.lower(), 0)
        return attribute.or_else(number_needle(tag, number)) if number else attribute
    if key in _COUNTS and text.isascii() and text.isdecimal() and len(text) < 11 and int(text) > 0:
        return attribute.or_else(number_needle(_COUNTS[key], int(text)))
    return attribute


def _has(span: Span, key: str, text: str) -> bool:
    otherwise = _OTHERWISE.get(key) or _SPELT.get(key)
    if otherwise is not None and otherwise(span, text):
        return True
    if key.startswith(_RESOURCE_PREFIX):
        of_resource = key.removeprefix(_RESOURCE_PREFIX)
        if of_resource in span.resource.attributes and says(span.resource.attributes[of_resource], text):
            return True
    return any(says(value, text) for value in shown_values(span, key))


_OTHERWISE: Mapping[str, Callable[[Span, str], bool]] = {
    "span.status": lambda span, text: span.status_code == _STATUSES.get(text.lower(), -1),
    "scope.name": lambda span, text: span.scope.name == text,
    "scope.version": lambda span, text: span.scope.version == text,
}
"""What is shown nowhere and may be asked for like an attribute: names that Jaeger's filters use."""

_SPELT: Mapping[str, Callable[[Span, str], bool]] = {
    "span.kind": lambda span, text: span.kind == _KINDS.get(text.lower(), -1),
    "error": lambda span, text: text == "false" and span.status_code != StatusCode.ERROR,
}
"""What is shown, asked for as it is not shown: in capitals, or that it is not so."""
