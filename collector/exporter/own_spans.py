"""The collector's own spans, on their way to an OTLP endpoint: a bounded queue, and one task that empties it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector.access.calling import CALLING
from collector.core.hops import header_of
from collector.core.span import SpanContext
from collector.core.telemetry import Signal
from collector.core.tracing import Noting, Said
from collector.counters import Counter, Counters
from collector.exporter.destination import Outcome, Sender

_LOG = logging.getLogger(__name__)
_MOST_WAITING, _MOST_AT_ONCE, _MOST_LINKS = 4_096, 512, 32
_EVERY_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_LONGEST_TEXT = 1_000
_SCOPE = "otel-opto"


class OwnSpans:
    """See `Tracing`. A span that finds no room in the queue is dropped and counted; an endpoint that is away holds
    nothing up.

    Args:
        service: Their ``service.name``.
        counters: Sent and dropped spans.
        now_unix_nano: The time.
        ids: So many random bytes.
        sampled: Of a step with none around it: whether it and what is in it are told.
    """

    def __init__(
        self,
        service: str,
        counters: Counters,
        now_unix_nano: Callable[[], int],
        ids: Callable[[int], bytes],
        sampled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._service = service
        self._counters = counters
        self._now = now_unix_nano
        self._ids = ids
        self._sampled = sampled
        self._instance_id = ""
        self._ended: deque[Span] = deque()
        # Of the step that is under way: trace and span; empty ids where it is not told.
        self._within: ContextVar[tuple[bytes, bytes] | None] = ContextVar("own_span", default=None)

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, Said] | None = None, links: Sequence[SpanContext] = ()
    ) -> Iterator[Noting]:
        """See `Tracing`."""
        trace_id, parent = self._around()
        span = Span(trace_id=trace_id, parent_span_id=parent, name=name, kind=Span.SPAN_KIND_INTERNAL)
        span.span_id = self._ids(8) if trace_id else b""
        span.start_time_unix_nano = self._now()
        noting = _Noting(span)
        for key, value in (attributes or {}).items():
            noting.note(key, value)
        for link in links[:_MOST_LINKS]:
            span.links.add(trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id))
        token = self._within.set((trace_id, span.span_id))
        try:
            yield noting
        except Exception as error:
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = f"{type(error).__name__}: {error}"[:_LONGEST_TEXT]
            raise
        finally:
            self._within.reset(token)
            span.end_time_unix_nano = self._now()
            self._keep(span)

    def is_own(self, body: bytes) -> bool:
        """See `Tracing`: whatever way they came, they name the instance that made them."""
        return bool(self._instance_id) and self._instance_id.encode() in body

    def _around(self) -> tuple[bytes, bytes]:
        """The trace and the parent of a new span; empty where it is not told."""
        within = self._within.get()
        if within is not None:
            return within
        if not self._sampled():
            return b"", b""
        calling = CALLING.get()
        if calling is None:
            return self._ids(16), b""
        return bytes.fromhex(calling[0]), bytes.fromhex(calling[1])

    def _keep(self, span: Span) -> None:
        if not span.span_id:
            return
        if len(self._ended) >= _MOST_WAITING:
            self._counters.add(Counter.OWN_SPANS_DROPPED)
        else:
            self._ended.append(span)

    async def run(self, sender: Sender, instance_id: str) -> None:
        """Brings ended spans there until it is cancelled."""
        self._instance_id = instance_id
        pause = _EVERY_SECONDS
        try:
            while True:
                await asyncio.sleep(pause)
                pause = _EVERY_SECONDS
                while self._ended and pause == _EVERY_SECONDS:
                    if not await self._sent(sender):
                        pause = _LONGEST_PAUSE_SECONDS
        finally:
            if self._ended:
                _LOG.warning("%d of the collector's own spans were not sent before the end", len(self._ended))
                self._counters.add(Counter.OWN_SPANS_DROPPED, len(self._ended))
                self._ended.clear()
            await sender.close()

    async def _sent(self, sender: Sender) -> bool:
        """Sends some; False where the endpoint is away, and they wait while there is room."""
        spans = list(islice(self._ended, _MOST_AT_ONCE))  # they stay until it is known what became of them
        request = self._request(spans).SerializeToString()
        # The hop says whose they are: a collector of ours to which they come back passes them over.
        delivery = await sender.send(Signal.TRACES, request, header_of((self._instance_id,)))
        if delivery.outcome is Outcome.RETRY:
            _LOG.warning("the collector's own spans wait: %s", delivery.message)
            return False
        for _ in spans:
            self._ended.popleft()
        lost = len(spans) if delivery.outcome is Outcome.REFUSED else delivery.rejected
        if lost:
            _LOG.warning("%d of the collector's own spans were refused: %s", lost, delivery.message)
        self._counters.add(Counter.OWN_SPANS_DROPPED, lost)
        self._counters.add(Counter.OWN_SPANS_SENT, len(spans) - lost)
        return True

    def _request(self, spans: Sequence[Span]) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        for key, value in (("service.name", self._service), ("service.instance.id", self._instance_id)):
            group.resource.attributes.append(_attribute(key, value))
        scoped = group.scope_spans.add()
        scoped.scope.name = _SCOPE
        scoped.spans.extend(spans)
        return request


class _Noting:
    """See `Noting`."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def note(self, name: str, value: Said) -> None:
        """See `Noting`."""
        self._span.attributes.append(_attribute(name, value))


def _attribute(key: str, value: Said) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=value[:_LONGEST_TEXT]))
