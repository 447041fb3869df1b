"""The spans of runs, kept in memory beside whatever else the application's provider does with them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary, WeakValueDictionary

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from otel_opto.process.found import sdk_provider

_KEY = context.create_key("otel_opto_run")


class Tape:
    """The spans of one run, in order of their end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[ReadableSpan] = []

    def add(self, span: ReadableSpan) -> None:
        """One more has ended; also after the run itself, where something goes on in the background."""
        with self._lock:
            self._spans.append(span)

    def spans(self) -> Sequence[ReadableSpan]:
        """Those that have ended."""
        with self._lock:
            return tuple(self._spans)


class Recorder(SpanProcessor):
    """Puts each span on the tape of the run that it was started in, whoever made it.

    A span belongs to a run by OpenTelemetry's context, which threads and tasks get as they get the current span, or by
    its trace, which one with a remote parent names.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tapes: WeakValueDictionary[int, Tape] = WeakValueDictionary()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """See `SpanProcessor`."""
        tape = context.get_value(_KEY, parent_context) or context.get_value(_KEY)
        if isinstance(tape, Tape):
            with self._lock:
                self._tapes[span.get_span_context().trace_id] = tape

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor`."""
        with self._lock:
            tape = self._tapes.get(span.context.trace_id) if span.context is not None else None
        if tape is not None:
            tape.add(span)


class Recorders:
    """One recorder for each tracer provider, since a provider never lets go of a processor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: WeakKeyDictionary[TracerProvider, Recorder] = WeakKeyDictionary()

    def record(self, provider: TracerProvider) -> None:
        """From now on runs have the provider's spans."""
        with self._lock:
            if provider not in self._known:
                self._known[provider] = Recorder()
                provider.add_span_processor(self._known[provider])


def provider_of(own: trace.TracerProvider | None) -> TracerProvider:
    """Where spans come from: the SDK's own provider, else the global one, which is made where there is none.

    Raises:
        RuntimeError: the provider makes no spans that could be read.
    """
    provider = own or trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        trace.set_tracer_provider(TracerProvider())
        provider = trace.get_tracer_provider()
    found = sdk_provider(provider)
    if found is None:
        raise RuntimeError(
            f"tracer provider: found {type(provider).__module__}.{type(provider).__qualname__}, allowed is one of the "
            "OpenTelemetry SDK (opentelemetry.sdk.trace.TracerProvider): runs need its spans"
        )
    return found


@contextmanager
def taping(tape: Tape) -> Iterator[None]:
    """What starts within it is on the tape; it begins a trace of its own, whatever is going on around it."""
    fresh = trace.set_span_in_context(trace.INVALID_SPAN, context.set_value(_KEY, tape))
    token = context.attach(fresh)
    try:
        yield
    finally:
        context.detach(token)
