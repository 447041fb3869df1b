"""Which spans of a request may be what a search looks for, told from its bytes in any legal encoding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.otlp.needles import Needle
from collector.otlp.raw import selected


@dataclass(frozen=True, slots=True)
class Sieve:
    """Lets spans through that hold all needles.

    Attributes:
        on_spans: What must be in the bytes of a span.
        anywhere: What must be there, or in its resource, or in its scope.
    """

    on_spans: tuple[Needle, ...]
    anywhere: tuple[Needle, ...]

    def may_hold(self, body: bytes) -> bool:
        """False where no span of the request is let through. The bytes are only looked over: 0.1 ms for 512 spans."""
        return all(needle.may_be_in(body) for needle in (*self.on_spans, *self.anywhere))

    def sift(self, body: bytes) -> bytes:
        """The request without spans that need not be decoded to know that they do not match.

        What is left after a loose look is brought into the strict form of `collector.otlp.needles`, which costs most
        (about 1 µs a span), and looked into once more.
        """
        needles = (*self.on_spans, *self.anywhere)
        if not needles:
            return body
        if not self.may_hold(body):
            return b""
        left = self._let_through(body, Needle.may_be_in) if any(needle.loose for needle in needles) else body
        strict = ExportTraceServiceRequest.FromString(left).SerializeToString()
        return self._let_through(strict, Needle.is_in)

    def _let_through(self, body: bytes, holds: Callable[[Needle, bytes], bool]) -> bytes:
        def wanted(around: bytes, spans: Sequence[bytes]) -> Sequence[bytes]:
            for needle in (*self.on_spans, *(needle for needle in self.anywhere if not holds(needle, around))):
                spans = [span for span in spans if holds(needle, span)]
            return spans

        return selected(body, wanted)
