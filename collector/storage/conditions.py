"""Whether a span meets the conditions of a search. Semantics: Jaeger's memory store, the reference in practice."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collector.core.span import SPAN_KINDS, Attributes, Span, StatusCode
from collector.core.telemetry import TraceQuery
from collector.otlp.needles import Needle, attribute_needle, number_needle, text_needle
from collector.otlp.sieve import Sieve
from collector.otlp.text import text_of

_KINDS = {name: number for number, name in SPAN_KINDS.items()} | {"unspecified": 0}
_STATUSES = {"unset": 0, "ok": 1, "error": 2}
_RESOURCE_PREFIX = "resource."
_NAME_TAG, _KIND_TAG, _CODE_TAG = 0x2A, 0x30, 0x18
"""Of Span.name, Span.kind and Status.code on the wire."""


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
    anywhere: list[Needle] = []
    for key, text in query.attributes.items():
        if key not in _OWN:
            anywhere.append(attribute_needle(key.removeprefix(_RESOURCE_PREFIX), text))
        elif key == "error" and text == "true":
            anywhere.append(number_needle(_CODE_TAG, StatusCode.ERROR).or_else(attribute_needle(key, "")))
        elif key == "span.kind" and _KINDS.get(text.lower(), 0) > 0:
            anywhere.append(number_needle(_KIND_TAG, _KINDS[text.lower()]).or_else(attribute_needle(key, text)))
    return Conditions(query, Sieve(tuple(on_spans), tuple(anywhere)))


def _has(span: Span, key: str, text: str) -> bool:
    own = _OWN.get(key)
    if own is not None and own(span, text):
        return True
    if key.startswith(_RESOURCE_PREFIX):
        return _says(span.resource.attributes, key.removeprefix(_RESOURCE_PREFIX), text)
    return any(_says(attributes, key, text) for attributes in _attributes(span))


def _attributes(span: Span) -> Iterator[Attributes]:
    yield span.attributes
    yield span.resource.attributes
    yield span.scope.attributes
    yield from (event.attributes for event in span.events)
    yield from (link.attributes for link in span.links)


def _says(attributes: Attributes, key: str, text: str) -> bool:
    return key in attributes and text_of(attributes[key]) == text


_OWN: Mapping[str, Callable[[Span, str], bool]] = {
    "error": lambda span, text: (span.status_code == StatusCode.ERROR) == (text == "true"),
    "span.kind": lambda span, text: span.kind == _KINDS.get(text.lower(), -1),
    "span.status": lambda span, text: span.status_code == _STATUSES.get(text.lower(), -1),
    "scope.name": lambda span, text: span.scope.name == text,
    "scope.version": lambda span, text: span.scope.version == text,
}
"""What is no attribute on the wire but is asked for like one."""
