"""Setting the SDK up. One precedence rule: argument, then environment variable, then default."""

import logging
import os
import uuid
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from opentelemetry import _logs, propagate, trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import TracerProvider
from opentelemetry.util.re import parse_env_headers

from otel_opto import providers, semconv
from otel_opto.cache import ReleaseCache, default_directory
from otel_opto.capture import Capture, Failures, Hook
from otel_opto.client import Client, Target
from otel_opto.dataflow import DataflowSpanProcessor
from otel_opto.declarations import declare
from otel_opto.feedback import FeedbackEvents
from otel_opto.handles import handle_of, naming, span_context_of
from otel_opto.node import Mode, Node, Operation
from otel_opto.pinning import Pins, ReleaseSpanProcessor
from otel_opto.propagation import carrying
from otel_opto.registry import Registry
from otel_opto.signing import verifier_of
from otel_opto.wrapping import Nodes

_LOG = logging.getLogger("otel_opto")
DEFAULT_ENDPOINT = "http://127.0.0.1:4317"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the SDK runs with."""

    endpoint: str
    service: str
    instance_id: str
    cache_directory: Path | None
    disabled: bool
    certificate: Path | None = None
    cache_key: bytes = field(default=b"", repr=False)
    public_key: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    parameters: Path | None = None


def settings_of(arguments: Mapping[str, object], environment: Mapping[str, str], resource: Resource | None) -> Settings:
    """The settings in force; arguments that are None were not given."""
    named = resource.attributes if resource is not None else {}

    def first(argument: str, *otherwise: object) -> str:
        return str(next((value for value in (arguments.get(argument), *otherwise) if value), ""))

    exporter = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    over_grpc = environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf") == "grpc"
    certificate = environment.get("OTEL_EXPORTER_OTLP_CERTIFICATE", "")
    cache = first("cache_dir", environment.get("OTEL_OPTO_CACHE_DIR"), default_directory(environment))
    parameters = environment.get("OTEL_OPTO_PARAMETERS", "")
    key = arguments.get("cache_key") or environment.get("OTEL_OPTO_CACHE_KEY", "")
    return Settings(
        endpoint=first(
            "endpoint", environment.get("OTEL_OPTO_ENDPOINT"), exporter if over_grpc else None, DEFAULT_ENDPOINT
        ),
        service=first(
            "service_name",
            environment.get("OTEL_OPTO_SERVICE"),
            environment.get("OTEL_SERVICE_NAME"),
            named.get(semconv.SERVICE_NAME),
            "unknown_service",
        ),
        instance_id=first("instance_id", named.get(semconv.SERVICE_INSTANCE_ID), uuid.uuid4()),
        cache_directory=Path(cache) if cache else None,
        cache_key=key if isinstance(key, bytes) else str(key).encode(),
        disabled=environment.get("OTEL_OPTO_DISABLED", "").lower() in ("1", "true", "yes"),
        certificate=Path(certificate) if certificate else None,
        public_key=first("public_key", environment.get("OTEL_OPTO_PUBLIC_KEY")),
        parameters=Path(parameters) if parameters else None,
        headers=tuple(parse_env_headers(environment.get("OTEL_EXPORTER_OTLP_HEADERS", ""), liberal=True).items()),
    )


class Sdk:
    """The SDK of one application. `otel_opto`'s functions are the methods of one instance."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.pins = Pins(self.registry)
        self.feedback_events = FeedbackEvents()
        self.capture_failures = Failures()
        capture = Capture(self.capture_failures)
        self._flows = DataflowSpanProcessor(capture.shapes, capture.digest)
        self.nodes = Nodes(self._flows, capture, lambda: self._tracer_provider)
        self._client: Client | None = None
        self._tracer_provider: TracerProvider | None = None
        self._logger_provider: LoggerProvider | None = None
        self._processed: weakref.WeakSet[SdkTracerProvider] = weakref.WeakSet()
        self._rehearsing = False

    def configure(  # noqa: PLR0913 - keywords only, one per setting
        self,
        *,
        service_name: str | None = None,
        endpoint: str | None = None,
        cache_dir: str | Path | None = None,
        cache_key: str | bytes | None = None,
        public_key: str | Path | None = None,
        tracer_provider: TracerProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        instance_id: str | None = None,
        capture: Mode | None = None,
        redact: Hook | None = None,
        capture_milliseconds: float | None = None,
        wait_seconds: float = 0.0,
    ) -> bool:
        """Connects the application to its collector. Returns at once; nothing that fails reaches the caller.

        Without an OpenTelemetry SDK in the application it sets one up that exports to the same endpoint. Called again,
        it replaces what was set up before; a process that was forked calls it anew. What the file that
        OTEL_OPTO_PARAMETERS names declares is declared, too (`otel_opto.declarations`).

        Args:
            service_name: Else OTEL_OPTO_SERVICE, else OTEL_SERVICE_NAME, else the tracer provider's ``service.name``.
            endpoint: The collector's gRPC address. Else OTEL_OPTO_ENDPOINT, else OTEL_EXPORTER_OTLP_ENDPOINT where
                OTEL_EXPORTER_OTLP_PROTOCOL is grpc, else ``http://127.0.0.1:4317``. OTEL_EXPORTER_OTLP_HEADERS
                (a bearer token, for example) and OTEL_EXPORTER_OTLP_CERTIFICATE hold for it, too.
            cache_dir: Keeps what was in force last, in a directory ``otel-opto`` of this user alone. Else
                OTEL_OPTO_CACHE_DIR, else the user's cache directory; without a home nothing is kept.
            cache_key: A secret; a release on disk not written with it is not applied. Else OTEL_OPTO_CACHE_KEY.
            public_key: The file of an Ed25519 public key; only releases that its private key signed are applied. Else
                OTEL_OPTO_PUBLIC_KEY. Needs the extra ``signing``.
            tracer_provider: Else the global one; so with `logger_provider`, which carries feedback.
            instance_id: Else the provider's ``service.instance.id``, else a random one.
            capture: How much nodes record at most, see docs/nodes.md: full, metadata or off. Else OTEL_OPTO_CAPTURE.
            redact: Gets the name of each input (or ``return``) and its JSON text, and gives the text to record.
            capture_milliseconds: That one value may take. Else OTEL_OPTO_CAPTURE_MILLISECONDS, else 1.
            wait_seconds: Waits so long at most for the collector's first answer, and until what it has in force is
                applied: for programs that end soon.

        Returns:
            Whether the collector has answered; False where it was not waited for.
        """
        given = {
            "service_name": service_name,
            "endpoint": endpoint,
            "cache_dir": cache_dir,
            "cache_key": cache_key,
            "public_key": public_key,
            "instance_id": instance_id,
        }
        if self._rehearsing:
            return True
        try:
            self.nodes.limit(capture, redact, capture_milliseconds, os.environ)
            self.shutdown()
            return self._configure(given, tracer_provider, logger_provider, wait_seconds)
        except Exception:  # noqa: BLE001 - the application comes first
            _LOG.exception("otel_opto could not be set up; parameters keep their defaults")
            return False

    def _configure(
        self,
        given: Mapping[str, object],
        tracer_provider: TracerProvider | None,
        logger_provider: LoggerProvider | None,
        wait_seconds: float,
    ) -> bool:
        found = tracer_provider or trace.get_tracer_provider()
        resource = found.resource if isinstance(found, SdkTracerProvider) else None
        settings = settings_of(given, os.environ, resource)
        if settings.disabled:
            return False
        if isinstance(found, trace.ProxyTracerProvider):
            found = providers.set_up(settings.service, settings.instance_id, settings.endpoint)
        self._tracer_provider = found
        self._logger_provider = logger_provider or _logs.get_logger_provider()
        self._process(found)
        if settings.parameters is not None:
            declare(self.registry, settings.parameters)
        cache = ReleaseCache(settings.cache_directory, settings.service, settings.cache_key)
        self.pins.serve(settings.service)
        self._carry()
        verifier = verifier_of(settings.public_key, settings.service) if settings.public_key else None
        self._client = Client(self.registry, _target(settings), cache, verifier=verifier)
        self._client.start()
        return self._client.wait(wait_seconds) if wait_seconds > 0 else False

    @property
    def tracer_provider(self) -> TracerProvider | None:
        """Where spans of nodes come from; None while that is the global provider."""
        return self._tracer_provider

    def _process(self, provider: TracerProvider) -> None:
        if isinstance(provider, SdkTracerProvider) and provider not in self._processed:
            provider.add_span_processor(ReleaseSpanProcessor(self.pins))
            provider.add_span_processor(self._flows)
            self._processed.add(provider)

    @contextmanager
    def rehearse(self, tracer_provider: TracerProvider, logger_provider: LoggerProvider) -> Iterator[None]:
        """Within it spans and feedback go to these providers, and to nobody else: see `otel_opto.testing.Rehearsal`.

        What was connected is disconnected; `configure` and `shutdown` do nothing, so that an application may call them.
        """
        self.shutdown()
        self._tracer_provider, self._logger_provider = tracer_provider, logger_provider
        self._process(tracer_provider)
        self._carry()
        self._rehearsing = True
        try:
            yield
        finally:
            self._rehearsing = False
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
        self.registry.forget()
        self._tracer_provider = self._logger_provider = None

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
                span_context_of(target) if isinstance(target, str) else target,
                naming=naming(response_id, by),
                name=name,
                score=score,
                label=label,
                text=text,
                attributes={"source": source, **(attributes or {})},
            )
        except Exception:  # noqa: BLE001 - the application comes first
            _LOG.exception("feedback could not be sent")


def _target(settings: Settings) -> Target:
    endpoint = settings.endpoint if "://" in settings.endpoint else f"http://{settings.endpoint}"
    parts = urlsplit(endpoint)
    return Target(
        address=f"{parts.hostname}:{parts.port or 4317}",
        secure=parts.scheme == "https",
        service=settings.service,
        instance_id=settings.instance_id,
        certificate=settings.certificate,
        headers=settings.headers,
    )
