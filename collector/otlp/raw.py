"""OTLP traces taken apart and put together without reading their spans."""

from collections.abc import Callable, Iterator

from collector.otlp.v1.raw_pb2 import RawResourceSpans, RawScopeSpans, RawTraces, SpanHead

_TAGS = b"\x0a\x10"
"""How a span begins that every encoder known writes: field 1, 16 bytes: its trace id. Others take the slow path."""


def trace_id_of(span: bytes) -> bytes:
    """The trace id of a serialized span."""
    return span[2:18] if span.startswith(_TAGS) else SpanHead.FromString(span).trace_id


def trace_ids_in(body: bytes) -> Iterator[bytes]:
    """The trace id of every span, in order."""
    for group in RawTraces.FromString(body).resource_spans:
        for scoped in group.scope_spans:
            yield from map(trace_id_of, scoped.spans)


class TraceDataBuilder:
    """Gathers the spans of one trace out of any number of requests, byte for byte, equal ones once."""

    def __init__(self, trace_id: bytes) -> None:
        self._trace_id = trace_id
        self._seen: set[tuple[object, ...]] = set()
        self._data = RawTraces()

    def add(self, body: bytes) -> None:
        """Takes the trace's spans out of a request."""
        if self._trace_id not in body:
            return
        for group in RawTraces.FromString(body).resource_spans:
            for scoped in group.scope_spans:
                kept = self._new(group, scoped)
                if kept:
                    _append(self._data, group, scoped, kept)

    def _new(self, group: RawResourceSpans, scoped: RawScopeSpans) -> list[bytes]:
        kept = []
        for span in scoped.spans:
            if trace_id_of(span) == self._trace_id:
                identity = (group.resource, group.schema_url, scoped.scope, scoped.schema_url, span)
                if identity not in self._seen:
                    self._seen.add(identity)
                    kept.append(span)
        return kept

    def build(self) -> bytes:
        """A serialized ``TracesData``; empty if no span was found."""
        return self._data.SerializeToString()


def selected(body: bytes, wanted: Callable[[bytes], bool]) -> bytes:
    """The request without the spans that are not wanted."""
    data = RawTraces()
    for group in RawTraces.FromString(body).resource_spans:
        for scoped in group.scope_spans:
            kept = [span for span in scoped.spans if wanted(span)]
            if kept:
                _append(data, group, scoped, kept)
    return data.SerializeToString()


def without_spans(body: bytes) -> bytes:
    """The bytes of the request's resources and scopes, one after the other; for looking into, not for decoding."""
    groups = RawTraces.FromString(body).resource_spans
    return b"".join(part for group in groups for part in (group.resource, *(one.scope for one in group.scope_spans)))


def chunks(data: bytes, max_bytes: int) -> Iterator[bytes]:
    """A serialized ``TracesData`` in pieces of at most that size, in order; a span larger than it comes alone."""
    if len(data) <= max_bytes:
        yield data
        return
    piece, size = RawTraces(), 0
    for group in RawTraces.FromString(data).resource_spans:
        for scoped in group.scope_spans:
            head = len(group.resource) + len(group.schema_url) + len(scoped.scope) + len(scoped.schema_url) + 32
            waiting: list[bytes] = []
            for span in scoped.spans:
                if size + (0 if waiting else head) + len(span) + 8 > max_bytes and (waiting or size):
                    if waiting:
                        _append(piece, group, scoped, waiting)
                    yield piece.SerializeToString()
                    piece, size, waiting = RawTraces(), 0, []
                size += len(span) + 8 + (0 if waiting else head)
                waiting.append(span)
            if waiting:
                _append(piece, group, scoped, waiting)
    if piece.resource_spans:
        yield piece.SerializeToString()


def _append(data: RawTraces, group: RawResourceSpans, scoped: RawScopeSpans, spans: list[bytes]) -> None:
    """Adds spans under their resource and scope, to the last ones of the data where these are equal."""
    last = data.resource_spans[-1] if data.resource_spans else None
    if last is None or not _same_resource(last, group):
        last = data.resource_spans.add(schema_url=group.schema_url)
        if group.HasField("resource"):
            last.resource = group.resource
    under = last.scope_spans[-1] if last.scope_spans else None
    if under is None or not _same_scope(under, scoped):
        under = last.scope_spans.add(schema_url=scoped.schema_url)
        if scoped.HasField("scope"):
            under.scope = scoped.scope
    under.spans.extend(spans)


def _same_resource(one: RawResourceSpans, other: RawResourceSpans) -> bool:
    return (one.HasField("resource"), one.resource, one.schema_url) == (
        other.HasField("resource"), other.resource, other.schema_url
    )  # fmt: skip


def _same_scope(one: RawScopeSpans, other: RawScopeSpans) -> bool:
    return (one.HasField("scope"), one.scope, one.schema_url) == (
        other.HasField("scope"), other.scope, other.schema_url
    )  # fmt: skip
