"""OTLP traces taken apart and put together without reading their spans."""

from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp.counting import counting_around, counting_in_span
from collector.otlp.v1.raw_pb2 import RawResourceSpans, RawScopeSpans, RawTraces, SpanHead, TraceHeads


def trace_ids_in(body: bytes) -> Iterator[bytes]:
    """The trace id of every span, in order."""
    for group in TraceHeads.FromString(body).resource_spans:
        for scoped in group.scope_spans:
            yield from (span.trace_id for span in scoped.spans)


_Found: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes]
"""Resource, its schema, scope, its schema, span: what a span is under, and itself."""


class TraceDataBuilder:
    """Gathers the spans of one trace out of any number of requests, byte for byte but for attributes that do not count
    (`collector.otlp.counting`); equal ones once, whatever way they were encoded in.

    Attributes:
        spans: How many there are so far.
        bytes: Of these spans.
    """

    def __init__(self, trace_id: bytes) -> None:
        self.spans = 0
        self.bytes = 0
        self._trace_id = trace_id
        self._seen: set[_Found] = set()
        self._first: dict[bytes, _Found] = {}
        self._meanings: set[_Found] = set()
        self._data = RawTraces()

    def add(self, body: bytes) -> None:
        """Takes the trace's spans out of a request."""
        if self._trace_id not in body:
            return
        for group in RawTraces.FromString(body).resource_spans:
            for scoped in group.scope_spans:
                kept = list(map(counting_in_span, self._new(group, scoped)))
                if kept:
                    _thin_out(Resource, group.resource)
                    _thin_out(InstrumentationScope, scoped.scope)
                    self.spans += len(kept)
                    self.bytes += sum(map(len, kept))
                    _append(self._data, group, scoped, kept)

    def _new(self, group: RawResourceSpans, scoped: RawScopeSpans) -> list[bytes]:
        kept = []
        around = (b"".join(group.resource), group.schema_url, b"".join(scoped.scope), scoped.schema_url)
        for span in scoped.spans:
            if self._trace_id in span:
                head = SpanHead.FromString(span)
                if head.trace_id == self._trace_id and self._is_new(head.span_id, (*around, span)):
                    kept.append(span)
        return kept

    def _is_new(self, span_id: bytes, found: _Found) -> bool:
        """What a span means is dear to find out, and asked only where there are several with one id."""
        if found in self._seen:
            return False
        self._seen.add(found)
        first = self._first.setdefault(span_id, found)
        if first is found:
            return True
        self._meanings.add(_meaning(first))
        before = len(self._meanings)
        self._meanings.add(_meaning(found))
        return len(self._meanings) > before

    def build(self) -> bytes:
        """A serialized ``TracesData``; empty if no span was found."""
        return self._data.SerializeToString()


def _thin_out(kind: type[Resource] | type[InstrumentationScope], pieces: MutableSequence[bytes]) -> None:
    whole = b"".join(pieces)
    counting = counting_around(kind, whole)
    if counting is not whole:
        pieces[:] = [counting]


def _meaning(found: _Found) -> _Found:
    """The same in the one form that all ways to encode it have in common."""
    resource, resource_schema, scope, scope_schema, span = found
    return (
        _shortest(Resource, resource),
        resource_schema,
        _shortest(InstrumentationScope, scope),
        scope_schema,
        _shortest(Span, span),
    )


def _shortest(kind: type[Message], data: bytes) -> bytes:
    message = kind.FromString(data)
    message.DiscardUnknownFields()
    return message.SerializeToString()


def selected(body: bytes, wanted: Callable[[bytes, Sequence[bytes]], Sequence[bytes]]) -> bytes:
    """The request without the spans that are not wanted.

    Args:
        body: The request.
        wanted: Given the bytes of a resource and a scope, one after the other, and spans under them, those to keep.
    """
    data = RawTraces()
    for group in RawTraces.FromString(body).resource_spans:
        for scoped in group.scope_spans:
            kept = wanted(b"".join((*group.resource, *scoped.scope)), scoped.spans)
            if kept:
                _append(data, group, scoped, kept)
    return data.SerializeToString()


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A span of a request and what it is under, unread."""

    group: RawResourceSpans
    scoped: RawScopeSpans
    span: bytes


def raw_spans_in(body: bytes) -> Iterator[RawSpan]:
    """The spans of a request, in its order."""
    for group in RawTraces.FromString(body).resource_spans:
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield RawSpan(group, scoped, span)


def joined(spans: Iterable[RawSpan]) -> bytes:
    """A request of these."""
    data = RawTraces()
    for one in spans:
        _append(data, one.group, one.scoped, (one.span,))
    return data.SerializeToString()


def _append(data: RawTraces, group: RawResourceSpans, scoped: RawScopeSpans, spans: Sequence[bytes]) -> None:
    """Adds spans under their resource and scope, to the last ones of the data where these are equal."""
    last = data.resource_spans[-1] if data.resource_spans else None
    if last is None or (last.resource, last.schema_url) != (group.resource, group.schema_url):
        last = data.resource_spans.add(resource=group.resource, schema_url=group.schema_url)
    under = last.scope_spans[-1] if last.scope_spans else None
    if under is None or (under.scope, under.schema_url) != (scoped.scope, scoped.schema_url):
        under = last.scope_spans.add(scope=scoped.scope, schema_url=scoped.schema_url)
    under.spans.extend(spans)
