"""One trace, one release: chosen once, where the request enters a service, and held to the trace's end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import quote

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_opto import semconv
from otel_opto.assignment import unit_of
from otel_opto.process.limits import Kept
from otel_opto.registry import Registry
from otel_opto.release import Release

_MOST_TRACES = 10_000


def _nobody() -> None:
    """Nothing else is to be looked for."""


_UNQUOTED = "!#$&'*+-.^_`|~"


@dataclass(slots=True)
class Pin:
    """What a trace runs with in this process.

    Attributes:
        release: None stays with the code's own values to the trace's end.
        revision: Of the assignment that it was chosen by; None where it came from another service.
        unit: What it was chosen for.
        entry: The span with which the trace entered this process, where it is recorded.
        used: Whether a value has been read; from then on nothing changes any more.
    """

    release: Release | None
    revision: int | None
    unit: str
    entry: trace.Span | None = None
    used: bool = False


class Pins:
    """The pins of the traces that have been seen last, by trace id; a span need not be recorded for it.

    Args:
        registry: Says what is in force.
        service: Gives the name of the service, for baggage.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._lock = threading.Lock()
        self._pins: dict[int, Pin] = {}
        self.kept = Kept()
        self._entered: ContextVar[trace.SpanContext | None] = ContextVar("otel_opto.entered", default=None)
        self.attend: Callable[[], None] = _nobody
        """Called where a trace is met of which no span was seen."""
        self.baggage_key = baggage_key("unknown_service")

    def serve(self, service: str) -> None:
        """From now on for that service."""
        self.baggage_key = baggage_key(service)

    def of_current(self) -> Pin | None:
        """The pin of the current trace, chosen now if it has none; None outside of a trace."""
        trace_id = trace.get_current_span().get_span_context().trace_id
        if not trace_id:
            return None
        return self._pins.get(trace_id) or self._met(trace_id)

    def _met(self, trace_id: int) -> Pin:
        """Of a trace that is not sampled, or whose spans come from a provider that was not known."""
        self.attend()
        current = context.get_current()
        pin, span = self.pin(trace_id, current), trace.get_current_span(current)
        if span.is_recording():
            parent = getattr(span, "parent", None)
            _record(span, pin, entry=parent is None or parent.is_remote)
        return pin

    def enter(self, span: trace.SpanContext) -> None:
        """A trace has entered this process with that span, in the present context."""
        self._entered.set(span)

    def entered(self) -> trace.SpanContext | None:
        """The span with which the last trace began in the present context: in this thread, or in this task."""
        return self._entered.get()

    def renew(self) -> None:
        """In a forked child: another thread may have held the lock."""
        self._lock = threading.Lock()

    def release_now(self) -> Release | None:
        """The release of the current trace; outside of one, what its unit gets now, else the control."""
        pin = self.of_current()
        if pin is not None:
            pin.used = True
            return pin.release
        unit = baggage.get_baggage(semconv.UNIT)
        return self.registry.release_for(unit) if isinstance(unit, str) else self.registry.current

    def pin(self, trace_id: int, parent: Context | None) -> Pin:
        """The pin of a trace. A new one is chosen by what came in baggage, else for the unit, else for the trace."""
        pin = self._pins.get(trace_id)
        if pin is not None:
            return pin
        with self._lock:
            pin = self._pins.get(trace_id)
            if pin is None:
                pin = self._pins[trace_id] = self._chosen(trace_id, parent)
                if len(self._pins) > _MOST_TRACES:
                    del self._pins[next(iter(self._pins))]
        return pin

    def _chosen(self, trace_id: int, parent: Context | None) -> Pin:
        carried = baggage.get_baggage(semconv.UNIT, parent)
        unit = carried if isinstance(carried, str) and carried else f"{trace_id:032x}"
        number = baggage.get_baggage(self.baggage_key, parent)
        if isinstance(number, str) and number.isdecimal() and (known := self.registry.release(int(number))):
            return Pin(known, None, unit)
        assignment = self.registry.assignment
        return Pin(self.registry.release_for(unit), assignment.revision if assignment else None, unit)

    def restore(self, span: Span) -> None:
        """A span that ends has lost attributes to its limit: what is ours is put back."""
        pin, parent = self._pins.get(span.get_span_context().trace_id), span.parent
        entry = parent is None or parent.is_remote
        self.kept.restore(span, _said(pin, entry=entry) if pin is not None else {})

    def ended(self, trace_id: int, span_id: int) -> None:
        """An entry span has ended and is not held any longer; the pin is, for what comes behind it."""
        pin = self._pins.get(trace_id)
        if pin is not None and pin.entry is not None and pin.entry.get_span_context().span_id == span_id:
            pin.entry = None

    @contextmanager
    def targeting(self, key: str) -> Iterator[None]:
        """Within it the user or the session is known: its unit decides, as long as no value has been read."""
        unit = unit_of(key)
        token = context.attach(baggage.set_baggage(semconv.UNIT, unit))
        try:
            self._choose_again(unit)
            yield
        finally:
            context.detach(token)

    def _choose_again(self, unit: str) -> None:
        trace_id = trace.get_current_span().get_span_context().trace_id
        pin = self._pins.get(trace_id)
        if pin is None or pin.used or pin.unit == unit or pin.revision is None:
            return
        pin.release, pin.unit = self.registry.release_for(unit), unit
        for span in {id(one): one for one in (pin.entry, trace.get_current_span()) if one is not None}.values():
            _record(span, pin, entry=span is pin.entry)

    def carried(self, current: Context | None = None) -> Context:
        """The context with what the next service has to know in its baggage."""
        found = current if current is not None else context.get_current()
        span = trace.get_current_span(found)
        trace_id = span.get_span_context().trace_id
        if not trace_id:
            return found
        pin = self.pin(trace_id, found)
        if pin.release is not None and baggage.get_baggage(self.baggage_key, found) is None:
            found = baggage.set_baggage(self.baggage_key, str(pin.release.number), found)
        if len(pin.unit) == _UNIT_DIGITS and baggage.get_baggage(semconv.UNIT, found) is None:
            found = baggage.set_baggage(semconv.UNIT, pin.unit, found)
        return found


_UNIT_DIGITS = 16
"""Of a targeting key; a unit of 32 digits is the trace id, which travels by itself."""


class ReleaseSpanProcessor(SpanProcessor):
    """Writes ``opto.release`` on each span as it starts, and on entry spans what it was chosen by."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """See `SpanProcessor`."""
        pin = self._pins.pin(span.get_span_context().trace_id, parent_context)
        parent = span.parent
        entry = parent is None or parent.is_remote
        if entry:
            self._pins.enter(span.get_span_context())
            if pin.entry is None:
                pin.entry = span
        _record(span, pin, entry=entry)

    def _on_ending(self, span: Span) -> None:
        """See `SpanProcessor`."""
        if span.dropped_attributes:
            self._pins.restore(span)

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor`."""
        if span.context is not None:
            self._pins.ended(span.context.trace_id, span.context.span_id)


def baggage_key(service: str) -> str:
    """The baggage entry that names a service's release; what is no token (RFC 9110, 5.6.2) is percent-encoded."""
    return f"{semconv.RELEASE}.{quote(service, safe=_UNQUOTED)}"


def _record(span: trace.Span, pin: Pin, *, entry: bool) -> None:
    if entry:
        span.set_attributes(_said(pin, entry=True))
    elif pin.release is not None:
        span.set_attribute(semconv.RELEASE, pin.release.number)


def _said(pin: Pin, *, entry: bool) -> dict[str, str | int]:
    """What is written on a span of a trace."""
    said: dict[str, str | int] = {}
    if pin.release is not None:
        said[semconv.RELEASE] = pin.release.number
    if entry and pin.revision is not None:
        said[semconv.ASSIGNMENT] = pin.revision
    if entry and len(pin.unit) == _UNIT_DIGITS:
        said[semconv.UNIT] = pin.unit
    return said
