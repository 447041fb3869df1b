"""Where spans and feedback go: to the application's own providers, or to such as are set up for it."""

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import _logs, trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import TracerProvider

from otel_opto import providers, semconv
from otel_opto.process.counters import Count, Counters
from otel_opto.process.exporters import Exporter, makers
from otel_opto.process.found import goes_nowhere, sdk_provider
from otel_opto.process.notices import Notices
from otel_opto.process.outbox import Outbox
from otel_opto.process.settings import Settings


class Telemetry:
    """The providers in use. The application may set, wrap and replace its own whenever it likes: it is looked again.

    Args:
        processors: See every span of the application.
        adopted: Called when another provider is found, with the name that it gives the service, or an empty one.
    """

    def __init__(
        self, processors: Sequence[SpanProcessor], adopted: Callable[[str], None], counters: Counters, notices: Notices
    ) -> None:
        self._processors = processors
        self._adopted = adopted
        self._counters = counters
        self._notices = notices
        self._lock = threading.RLock()
        self._processed: weakref.WeakSet[SdkTracerProvider] = weakref.WeakSet()
        self._exporters: list[Exporter] = []
        self._logs_maker: Callable[[], Any] | None = None
        self._fixed = False
        self._tracers: TracerProvider | None = None
        self._inner: SdkTracerProvider | None = None
        self._logs: LoggerProvider | None = None
        self._own_logs: LoggerProvider | None = None
        self._outbox: Outbox | None = None

    def choose(self, tracers: TracerProvider | None, logs: LoggerProvider | None) -> Resource | None:
        """Uses these, or those that are global whenever it is asked. Returns what the application says of itself."""
        self._fixed, self._logs = tracers is not None, logs
        self._tracers = tracers or trace.get_tracer_provider()
        self._inner = sdk_provider(self._tracers)
        return self._inner.resource if self._inner is not None else None

    def begin(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """Sees every span from now on; sets OpenTelemetry up where nobody has."""
        spans, logs = makers(settings, environment)
        self._logs_maker = logs
        if isinstance(self._tracers, trace.ProxyTracerProvider):
            resource = Resource.create(
                {semconv.SERVICE_NAME: settings.service, semconv.SERVICE_INSTANCE_ID: settings.instance_id}
            )
            self._exporters = [
                self._exporter(spans, "spans", Count.SPANS_NOT_SENT),
                self._exporter(logs, "log records", Count.LOG_RECORDS_NOT_SENT),
            ]
            self._inner, self._own_logs = providers.set_up(resource, *self._exporters)
            self._tracers = self._inner
        self.process()

    def _exporter(self, make: Callable[[], Any], what: str, lost: Count | None) -> Exporter:
        return Exporter(make, what, lost, self._counters, self._notices)

    def process(self) -> None:
        """Sees every span of the provider in use."""
        inner = self._inner
        if inner is None:
            kind = type(self._tracers)
            self._notices.say(
                "provider",
                f"the tracer provider is a {kind.__module__}.{kind.__qualname__}, in which none of OpenTelemetry's SDK "
                "is found: its spans and its service are not known, and a trace holds to one release from its first "
                "value on only; allowed: configure(tracer_provider=that of opentelemetry.sdk.trace, service_name=…)",
            )
        elif inner not in self._processed:
            for processor in self._processors:
                inner.add_span_processor(processor)
            self._processed.add(inner)
            self._notices.over("provider", "the tracer provider is one of OpenTelemetry's SDK")

    def attend(self) -> None:
        """Looks whether another provider is there by now."""
        if self._fixed or self._logs_maker is None:
            return
        now = trace.get_tracer_provider()
        inner = sdk_provider(now)
        with self._lock:
            if now is self._tracers and inner is self._inner:
                return
            self._tracers, self._inner = now, inner
            self.process()
        self._adopted(str(inner.resource.attributes.get(semconv.SERVICE_NAME, "")) if inner is not None else "")

    def tracers(self) -> TracerProvider | None:
        """The provider for spans of our own; None where nothing is configured."""
        if not self._fixed and self._logs_maker is not None and trace.get_tracer_provider() is not self._tracers:
            self.attend()
        return self._tracers

    def loggers(self) -> LoggerProvider | None:
        """The provider for feedback: the application's where it leads anywhere, else a queue; None without either."""
        if self._logs is not None:
            return self._logs
        found = _logs.get_logger_provider()
        if found is not self._own_logs and not goes_nowhere(found):
            return found
        if self._logs_maker is None:
            return None
        with self._lock:
            if self._outbox is None:
                resource = self._inner.resource if self._inner is not None else Resource.create()
                make = self._logs_maker
                self._outbox = Outbox(
                    lambda: self._exporter(make, "feedback", None), resource, self._counters, self._notices
                )
            return self._outbox.provider

    @property
    def queued(self) -> int:
        """How much feedback waits for the collector."""
        return self._outbox.queued if self._outbox is not None else 0

    def end(self, seconds: float) -> None:
        """Sends what waits, so long at most. The application's providers are its own to shut down."""
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            outbox.shutdown(seconds)
        self._fixed, self._logs_maker = False, None
        self._tracers = self._inner = self._logs = None

    def before_fork(self) -> None:
        """See `otel_opto.process.forks`."""
        for one in (*self._exporters, self._outbox):
            if one is not None:
                one.before_fork()

    def after_fork(self, *, child: bool) -> None:
        """See `otel_opto.process.forks`."""
        if child:
            self._lock = threading.RLock()
        for one in (*self._exporters, self._outbox):
            if one is not None:
                one.after_fork(child=child)
