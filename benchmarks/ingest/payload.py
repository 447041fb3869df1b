"""Export requests for the load: 910-byte spans, 10 attributes, one of 500 characters, traces of 10, children first."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS_PER_TRACE = 10
SERVICES, OPERATIONS = 5, 20
NEEDLE = "order.id"
"""The attribute that benchmarks look for: one value among `NEEDLE_VALUES`."""

NEEDLE_VALUES = 50_000
_TEXT = ("the quick brown fox jumps over the lazy dog, and " * 11)[:500]
_SECOND = 1_000_000_000


@dataclass(slots=True)
class Template:
    """A serialized request whose ids and times can be rewritten in place.

    Attributes:
        body: The request.
        ids: For each trace, where the ids of its spans stand: the first 8 of the 16 bytes are rewritten.
        times: Where each span's start and end stand, as two times 8 bytes with one tag byte between them.
    """

    body: bytearray
    ids: Sequence[Sequence[int]]
    times: Sequence[tuple[int, int]]

    def stamped(self, number: int, now_unix_nano: int) -> bytes:
        """A copy that holds other traces, begun at another time.

        Args:
            number: Of the request; each gives traces of its own.
            now_unix_nano: When its first span begins.
        """
        for trace, offsets in enumerate(self.ids):
            prefix = trace_prefix(number, trace)
            for offset in offsets:
                self.body[offset : offset + 8] = prefix
        for span, (offset, duration) in enumerate(self.times):
            start = now_unix_nano + span * 1_000
            self.body[offset : offset + 8] = start.to_bytes(8, "little")
            self.body[offset + 9 : offset + 17] = (start + duration).to_bytes(8, "little")
        return bytes(self.body)


def trace_prefix(number: int, trace: int) -> bytes:
    """The first half of the id of a trace: random looking, and known again from its numbers."""
    return random.Random(number * 1_000 + trace).randbytes(8)


def trace_id(number: int, trace: int) -> str:
    """The id of the `trace`-th trace of the request with that number, 32 hex digits."""
    return (trace_prefix(number, trace) + b"\x01" * 8).hex()


def template(spans: int, seed: int) -> Template:
    """One request of that many spans of one service."""
    made = random.Random(seed)
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in (("service.name", f"service-{seed % SERVICES}"), ("host.name", "one")):
        group.resource.attributes.add(key=key).value.string_value = value
    scoped = group.scope_spans.add()
    scoped.scope.name = "benchmarks.ingest"
    markers = [made.randbytes(16) for _ in range(-(-spans // SPANS_PER_TRACE))]
    begun = 1_700_000_000 * _SECOND
    durations = []
    for index in range(spans):
        place = index % SPANS_PER_TRACE
        durations.append(made.randrange(1_000, _SECOND))
        span = scoped.spans.add(trace_id=markers[index // SPANS_PER_TRACE], span_id=made.randbytes(8))
        if place < SPANS_PER_TRACE - 1:  # children end, and are exported, before their parent
            span.parent_span_id = (index // SPANS_PER_TRACE + 1).to_bytes(8, "big")
        else:
            span.span_id = (index // SPANS_PER_TRACE + 1).to_bytes(8, "big")
        operation = made.randrange(OPERATIONS)
        span.name = f"operation-{operation}"
        span.kind = 1 + operation % 5  # type: ignore[assignment]
        span.start_time_unix_nano, span.end_time_unix_nano = begun, begun + index
        _attributes(span, made)
    body = bytearray(request.SerializeToString())
    ids = [_all(body, b"\x0a\x10" + marker, 2) for marker in markers]
    fixed = b"\x39" + begun.to_bytes(8, "little") + b"\x41"
    times = list(zip(_all(body, fixed, 1), durations, strict=True))
    for offsets in ids:
        for offset in offsets:
            body[offset + 8 : offset + 16] = b"\x01" * 8
    return Template(body, ids, times)


def _attributes(span: Span, made: random.Random) -> None:
    texts = {
        "http.request.method": "POST",
        "url.path": f"/api/v1/items/{made.randrange(1_000)}",
        "user.id": f"user-{made.randrange(10_000)}",
        NEEDLE: f"order-{made.randrange(NEEDLE_VALUES)}",
        "gen_ai.request.model": "small",
        "input.value": _TEXT,
    }
    for key, text in texts.items():
        span.attributes.add(key=key).value.string_value = text
    span.attributes.add(key="http.response.status_code").value.int_value = 200
    span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = made.randrange(1_000)
    span.attributes.add(key="ratio").value.double_value = made.random()
    span.attributes.add(key="retry").value.bool_value = False


def _all(body: bytearray, wanted: bytes, skipped: int) -> list[int]:
    found, at = [], body.find(wanted)
    while at >= 0:
        found.append(at + skipped)
        at = body.find(wanted, at + 1)
    return found
