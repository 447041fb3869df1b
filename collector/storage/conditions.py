"""Whether a span meets the conditions of a search. Semantics: Jaeger's memory store, the reference in practice."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collector.core.span import SPAN_KINDS, Attributes, Span, StatusCode
from collector.core.telemetry import TraceQuery
from collector.otlp.needles import AttributeNeedle, attribute_needle, text_needle
from collector.otlp.text import text_of

_KINDS = {name: number for number, name in SPAN_KINDS.items()} | {"unspecified": 0}
_STATUSES = {"unset": 0, "ok": 1, "error": 2}
_RESOURCE_PREFIX = "resource."
_NAME_TAG, _KIND_TAG = 0x2A, b"\x30"
_ERROR = b"\x18\x02"
"""Status.code = ERROR on the wire; two bytes that may mean something else, too."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """A query, made ready to be asked of bytes first and of decoded spans then.

    Attributes:
        query: What is looked for.
        parts: Bytes one of which, of each tuple, must be in a span: its operation, its kind, its error status.
        attributes: What must be in a span, its resource or its scope.
    """

    query: TraceQuery
    parts: tuple[tuple[bytes, ...], ...]
    attributes: tuple[AttributeNeedle, ...]

    def may_be_in(self, body: bytes) -> bool:
        """False where no span of the request can meet the conditions."""
        return all(any(part in body for part in one) for one in self.parts) and all(
            needle.occurs_in(body) for needle in self.attributes
        )

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
    parts: list[tuple[bytes, ...]] = [(text_needle(_NAME_TAG, query.operation),)] if query.operation else []
    attributes: list[AttributeNeedle] = []
    for key, text in query.attributes.items():
        if key not in _OWN:
            attributes.append(attribute_needle(key.removeprefix(_RESOURCE_PREFIX), text))
        elif key == "error" and text == "true":
            parts.append((_ERROR, attribute_needle(key, text).key))
        elif key == "span.kind" and _KINDS.get(text.lower(), 0) > 0:
            parts.append((_KIND_TAG + bytes([_KINDS[text.lower()]]),))
    return Conditions(query, tuple(parts), tuple(attributes))


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
