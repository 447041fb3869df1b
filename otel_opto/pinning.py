"""One trace sees one release: a span processor writes the release on each span as it starts."""

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_opto import semconv
from otel_opto.registry import Registry
from otel_opto.release import Release


class ReleaseSpanProcessor(SpanProcessor):
    """Sets ``opto.release``: the local parent's, else what came in baggage and is still held, else the current one.

    A trace that begins before the first release stays with the code's defaults to its end.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """See `SpanProcessor`."""
        parent = trace.get_current_span(parent_context)
        without = parent in self._registry.spans_without_release
        number = None if without else self._inherited(parent, parent_context)
        if number is None:
            self._registry.spans_without_release.add(span)
        else:
            span.set_attribute(semconv.RELEASE, number)

    def _inherited(self, parent: trace.Span, parent_context: Context | None) -> int | None:
        if isinstance(parent, ReadableSpan) and parent.attributes is not None:
            pinned = parent.attributes.get(semconv.RELEASE)
            if isinstance(pinned, int):
                return pinned
        carried = baggage.get_baggage(semconv.RELEASE, parent_context)
        if isinstance(carried, str) and carried.isdecimal() and self._registry.release(int(carried)):
            return int(carried)
        return self._registry.current.number if self._registry.current is not None else None


def pinned_release(registry: Registry) -> Release | None:
    """The release of the current trace; the newest outside of a recorded one, and where it is not held any more."""
    span = trace.get_current_span()
    if span in registry.spans_without_release:
        return None
    if isinstance(span, ReadableSpan) and span.attributes is not None:
        number = span.attributes.get(semconv.RELEASE)
        if isinstance(number, int):
            return registry.release(number) or registry.current
    return registry.current
