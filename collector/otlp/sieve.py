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

    def sift(self, body: bytes) -> bytes:
        """The request without spans that need not be decoded to know that they do not match.

        Looks into the whole first, then into every span; what is left is brought into the strict form of
        `collector.otlp.needles`, which costs most, and looked into once more.
        """
        needles = (*self.on_spans, *self.anywhere)
        if not needles:
            return body
        if not all(needle.may_be_in(body) for needle in needles):
            return b""
        left = self._let_through(body, Needle.may_be_in)
        strict = ExportTraceServiceRequest.FromString(left).SerializeToString()
        return self._let_through(strict, Needle.is_in)

    def _let_through(self, body: bytes, holds: Callable[[Needle, bytes], bool]) -> bytes:
        def wanted(around: bytes, spans: Sequence[bytes]) -> Sequence[bytes]:
            needles = (*self.on_spans, *(needle for needle in self.anywhere if not holds(needle, around)))
            return [span for span in spans if all(holds(needle, span) for needle in needles)]

        return selected(body, wanted)
