"""Setting the SDK up. One precedence rule: argument, then environment variable, then default."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from opentelemetry import propagate, trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import TracerProvider

from otel_opto.cache import ReleaseCache
from otel_opto.capture import Capture, Failures, Hook
from otel_opto.client import Client
from otel_opto.code.permission import AllowCode, permitted
from otel_opto.code.trainable import Trainables
from otel_opto.dataflow import DataflowSpanProcessor
from otel_opto.declarations import declare
from otel_opto.feedback import FeedbackEvents
from otel_opto.handles import handle_of, naming, span_context_of
from otel_opto.node import Mode, Node, Operation
from otel_opto.pinning import Pins, ReleaseSpanProcessor
from otel_opto.process import forks
from otel_opto.process.counters import Count, Counters
from otel_opto.process.line import Target
from otel_opto.process.notices import Notices
from otel_opto.process.settings import Settings, settings_of
from otel_opto.process.status import Status
from otel_opto.process.telemetry import Telemetry
from otel_opto.process.threads import Threads
from otel_opto.propagation import carrying
from otel_opto.registry import Registry
from otel_opto.signing import verifier_of
from otel_opto.wrapping import Nodes

_LOG = logging.getLogger("otel_opto")
_AT_EXIT_SECONDS, _AT_EXIT_ALONE_SECONDS = 0.9, 0.3
_NO = ("off", "0", "false", "no")


class Sdk:
    """The SDK of one application. `otel_opto`'s functions are the methods of one instance."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.pins = Pins(self.registry)
        self.counters = Counters()
        self.notices = Notices()
        self.feedback_events = FeedbackEvents(self.counters, self.notices)
        self.capture_failures = Failures()
        capture = Capture(self.capture_failures)
        self._flows = DataflowSpanProcessor(capture.shapes, capture.digest)
        self.telemetry = Telemetry(
            (ReleaseSpanProcessor(self.pins), self._flows), self._adopted, self.counters, self.notices
        )
        self.pins.attend = self.telemetry.attend
        self.nodes = Nodes(Trainables(self.pins), self._flows, capture, self.telemetry.tracers)
        self._threads = Threads()
        self._client: Client | None = None
        self._settings: Settings | None = None
        self._watching = False
        self._rehearsing = False

    def configure(  # noqa: PLR0913 - keywords only, one per setting
        self,
        *,
        service_name: str | None = None,
        endpoint: str | None = None,
        cache_dir: str | Path | None = None,
        cache_key: str | bytes | None = None,
        public_key: str | Path | None = None,
        allow_code: AllowCode | None = None,
        tracer_provider: TracerProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        instance_id: str | None = None,
        capture: Mode | None = None,
        redact: Hook | None = None,
        capture_milliseconds: float | None = None,
        wait_seconds: float = 0.0,
    ) -> bool:
        """Connects the application to its collector. Returns at once; nothing that fails reaches the caller.

        Without an OpenTelemetry SDK in the application it sets one up that exports to the same collector, and gives way
        to one that the application sets later. Called again, it replaces what was set up before; a process that is
        forked goes on by itself. What the file that OTEL_OPTO_PARAMETERS names declares is declared, too.

        Args:
            service_name: Else OTEL_OPTO_SERVICE, else OTEL_SERVICE_NAME, else the tracer provider's ``service.name``.
            endpoint: The collector's gRPC address. Else OTEL_OPTO_ENDPOINT, else what OTEL_EXPORTER_OTLP_ENDPOINT says
                (over HTTP: port 4317 of its host), else ``http://127.0.0.1:4317``. OTEL_EXPORTER_OTLP_HEADERS (a bearer
                token, for example) and OTEL_EXPORTER_OTLP_CERTIFICATE hold for it, too.
            cache_dir: Keeps what was in force last. Else OTEL_OPTO_CACHE_DIR, else this user's cache, given a home.
            cache_key: A secret; a release on disk not written with it is not applied. Else OTEL_OPTO_CACHE_KEY.
            public_key: File of an Ed25519 key (extra ``signing``) that releases need. Else OTEL_OPTO_PUBLIC_KEY.
            allow_code: Whether a release may bring code, see docs/code.md. Else OTEL_OPTO_ALLOW_CODE, else not.
            tracer_provider: Else the global one; so with `logger_provider`, which carries feedback.
            instance_id: Else the provider's ``service.instance.id``, else a random one.
            capture: How much nodes record at most, see docs/nodes.md: full, metadata or off. Else OTEL_OPTO_CAPTURE.
            redact: Gets the name of each input (or ``return``) and its JSON text, and gives the text to record.
            capture_milliseconds: That one value may take. Else OTEL_OPTO_CAPTURE_MILLISECONDS, else 1.
            wait_seconds: At most, until what the collector has in force is applied: for programs that end soon.

        Returns:
            Whether the collector has answered; False where it was not waited for. `otel_opto.status()` says more.
        """
        given = {
            "service_name": service_name,
            "endpoint": endpoint,
            "cache_dir": cache_dir,
            "cache_key": cache_key,
            "public_key": public_key,
            "allow_code": allow_code,
            "instance_id": instance_id,
        }
        if self._rehearsing:
            return True
        try:
            self.nodes.limit(capture, redact, capture_milliseconds, os.environ)
            return self._configure(given, tracer_provider, logger_provider, wait_seconds)
        except Exception as error:  # noqa: BLE001 - the application comes first
            unexpected = None if isinstance(error, ValueError | OSError) else error
            _LOG.error("otel_opto is not set up, parameters keep their defaults: %s", error, exc_info=unexpected)
            return False

    def _configure(
        self,
        given: Mapping[str, object],
        tracer_provider: TracerProvider | None,
        logger_provider: LoggerProvider | None,
        wait_seconds: float,
    ) -> bool:
        self.shutdown()
        resource = self.telemetry.choose(tracer_provider, logger_provider)
        settings = settings_of(given, os.environ, resource)
        if settings.disabled:
            self.telemetry.end(0.0)
            return False
        if not self._watching:
            self._watching = True
            forks.watch(self)
            atexit.register(self._end)
        self.telemetry.begin(settings, os.environ)
        if os.environ.get("OTEL_OPTO_EXECUTORS", "").lower() not in _NO:
            self._threads.carry()
        if settings.parameters is not None:
            declare(self.registry, settings.parameters)
        allowed = given["allow_code"], os.environ.get("OTEL_OPTO_ALLOW_CODE", "")
        self.registry.allows_code = permitted(*allowed, signed=bool(settings.public_key))
        self._carry()
        client = self._connect(settings)
        return client.wait(wait_seconds) if wait_seconds > 0 else False

    @property
    def tracer_provider(self) -> TracerProvider | None:
        """Where spans of nodes come from; None while that is the global provider."""
        return self.telemetry.tracers()

    def _connect(self, settings: Settings) -> Client:
        self._settings = settings
        self.pins.serve(settings.service)
        cache = ReleaseCache(settings.cache_directory, settings.service, settings.cache_key)
        verifier = verifier_of(settings.public_key, settings.service) if settings.public_key else None
        client = self._client = Client(
            self.registry, _target(settings), cache, verifier=verifier, counters=self.counters, notices=self.notices
        )
        client.start()
        return client

    def _adopted(self, service: str) -> None:
        """The application has set up tracing since; where it says its name, parameters are asked for by that."""
        self._carry()
        settings = self._settings
        if settings is not None and not settings.named and service not in ("", settings.service):
            threading.Thread(target=self._rename, args=(settings, service), name="otel-opto-name", daemon=True).start()

    def _rename(self, settings: Settings, service: str) -> None:
        client = self._client
        if client is not None and settings is self._settings:
            client.stop(0.0)
            self.registry.forget()
            self._connect(replace(settings, service=service))

    @contextmanager
    def rehearse(self, tracer_provider: SdkTracerProvider, logger_provider: LoggerProvider) -> Iterator[None]:
        """Within it spans and feedback go to these providers, and to nobody else: see `otel_opto.testing.Rehearsal`.

        What was connected is disconnected; `configure` and `shutdown` do nothing, so that an application may call them.
        """
        self.shutdown()
        self.telemetry.choose(tracer_provider, logger_provider)
        self.telemetry.process()
        self._carry()
        self._rehearsing = self.registry.allows_code = True  # what is in force is the test's own word
        try:
            yield
        finally:
            self._rehearsing = self.registry.allows_code = False
            self.shutdown()

    def _carry(self) -> None:
        """What is injected anywhere in this process names the release, once."""
        propagate.set_global_textmap(carrying(propagate.get_global_textmap(), self.pins))

    def shutdown(self, timeout_seconds: float = 2.0) -> None:
        """Ends the connection; nothing is in force afterwards but the code's defaults. Safe twice and unconfigured."""
        if self._rehearsing:
            return
        client, self._client = self._client, None
        if client is not None:
            client.stop(timeout_seconds)
        self._threads.leave()
        self._settings = None
        self.registry.forget()
        self.telemetry.end(timeout_seconds)
        self.notices.forget()

    def _end(self) -> None:
        """A program that ends at once has said what it declared and judged, where there is a collector to hear it."""
        client = self._client
        connected = client is not None and client.connected
        deadline = time.monotonic() + (_AT_EXIT_SECONDS if connected else _AT_EXIT_ALONE_SECONDS)
        if client is not None:
            client.settle(_AT_EXIT_SECONDS / 2)
        self.telemetry.end(max(deadline - time.monotonic(), 0.0))

    def before_fork(self) -> None:
        """Nothing of ours speaks while the process is forked."""
        if self._client is not None:
            self._client.before_fork()
        self.telemetry.before_fork()

    def after_fork(self, *, child: bool) -> None:
        """In either process it goes on by itself."""
        if child:
            for one in (self.registry, self.pins, self._flows, self.counters, self.notices):
                one.renew()
        self.telemetry.after_fork(child=child)
        if self._client is not None:
            self._client.after_fork(child=child)

    def status(self) -> Status:
        """How it is: connected or not, what is in force, what is wrong, what was lost. Costs nothing to ask."""
        settings, client, current = self._settings, self._client, self.registry.current
        count = self.counters.of
        return Status(
            configured=settings is not None,
            service=settings.service if settings is not None else "",
            endpoint=settings.endpoint if settings is not None else "",
            connected=client is not None and client.connected,
            release=current.number if current is not None else None,
            confirmed=self.registry.confirmed,
            parameters=len(self.registry.specs()),
            troubles=self.notices.present(),
            feedback_queued=self.telemetry.queued,
            capture_failures=self.capture_failures.count,
            **{one.value: count(one) for one in Count},
        )

    @contextmanager
    def start_node(self, name: str, inputs: Mapping[str, object] | None = None) -> Iterator[Node]:
        """A node for code that is no function: ``with start_node("rank", {"found": found}) as node: ...``."""
        with self.nodes.start(Operation(name, {}), inputs or {}) as node:
            yield node

    def handle(self) -> str:
        """The current span as a text, for feedback that comes later: ``feedback(0.5, target=handle)``. "" without one.

        It is a W3C ``traceparent``, survives JSON and a database, and is taken by SDK, HTTP, gRPC and command line.
        """
        return handle_of(trace.get_current_span().get_span_context())

    def feedback(  # noqa: PLR0913 - keywords, one for each way to name what is judged
        self,
        score: float | None = None,
        text: str = "",
        *,
        name: str = "quality",
        label: str = "",
        target: trace.Span | trace.SpanContext | str | None = None,
        response_id: str = "",
        by: tuple[str, str] | None = None,
        source: str = "application",
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Judges the output of a span: the current one unless something names another, of this process or not.

        Where no span is current, as under instrumentations that never make theirs so, it is the one with which the last
        trace began in this thread or task.

        Args:
            target: A span, its context, or its handle (`handle`).
            response_id: ``gen_ai.response.id`` of the judged answer of a model.
            by: An attribute and its value, ``("session.id", "abc")``: the root of the newest trace that has it.
            score: Finite; which way is better is the study's business.
            text: An explanation. Optimizers that read make more of it than of the score.
            name: The metric.
            source: Who says so.
            attributes: For a study's filter.
        """
        try:
            self.feedback_events.emit(
                self._logger_provider,
                self._judged(target, response_id, by),
                naming=naming(response_id, by),
                name=name,
                score=score,
                label=label,
                text=text,
                attributes={"source": source, **(attributes or {})},
            )
        except Exception as error:  # noqa: BLE001 - the application comes first
            self.feedback_events.drop(
                "fault", f"feedback {name!r:.80} could not be sent: {type(error).__name__}: {error}"
            )

    @property
    def _logger_provider(self) -> LoggerProvider | None:
        return self.telemetry.loggers()

    def _judged(
        self, target: trace.Span | trace.SpanContext | str | None, response_id: str, by: tuple[str, str] | None
    ) -> trace.Span | trace.SpanContext | None:
        """The span that is judged; None where something else names it."""
        if isinstance(target, str):
            return span_context_of(target)
        if target is not None or response_id or by:
            return target
        current = trace.get_current_span().get_span_context()
        return current if current.is_valid else self.pins.entered()


def _target(settings: Settings) -> Target:
    return Target(
        address=settings.address,
        secure=settings.secure,
        service=settings.service,
        instance_id=settings.instance_id,
        certificate=settings.certificate,
        headers=settings.headers,
        origin=settings.origin,
        client_certificate=settings.client_certificate,
        client_key=settings.client_key,
    )
