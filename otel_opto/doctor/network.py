"""Whether what the application sends arrives: name, port, protocol, TLS, token, scope."""

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import grpc

from otel_opto.doctor.application import Application
from otel_opto.doctor.finding import Finding, Level
from otel_opto.process.counters import Counters
from otel_opto.process.exporters import Exporter, makers
from otel_opto.process.line import Line, Target
from otel_opto.process.notices import Notices
from otel_opto.process.settings import Settings, address_of, protocol_of
from otel_opto.process.trouble import explained
from otel_opto.v1 import release_pb2

_CONNECT_SECONDS: Final = 5.0
_CALL_SECONDS: Final = 5.0
_SOON_DAYS: Final = 14
_LOCAL = ("localhost", "127.0.0.1", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def collector(app: Application) -> Iterator[Finding]:
    """Asks the collector what is in force, as the SDK does."""
    settings = app.settings
    where = f"{settings.endpoint} ({settings.origin})"
    line = Line(
        Target(
            settings.address, settings.secure, settings.service, settings.instance_id, settings.certificate,
            settings.headers, settings.origin, settings.client_certificate, settings.client_key,
        )
    )  # fmt: skip
    try:
        request = release_pb2.GetAssignmentRequest(service=settings.service)
        answer = line.releases.GetAssignment(request, timeout=_CALL_SECONDS, metadata=settings.headers)
    except grpc.RpcError as error:
        says = f"{where}: {explained(error, settings.address)}"
        yield Finding("collector", Level.RED, says, "without it parameters keep the code's values, or the last on disk")
        return
    finally:
        line.stop()
    control = answer.assignment.control
    force = f"release {control} is in force" if control else "no release is in force yet"
    yield Finding("collector", Level.GREEN, f"{where} answers; for {settings.service!r} {force}")


def transport(app: Application) -> Iterator[Finding]:
    """Whether the way to the collector is encrypted, and for how long its certificate is valid."""
    settings = app.settings
    host, port = _host_and_port(settings.endpoint, 4317)
    if not settings.secure:
        token = any(name.lower() == "authorization" for name, _ in settings.headers)
        if token and host not in _LOCAL:
            says = f"the token goes to {settings.address} in clear text"
            yield Finding("tls", Level.YELLOW, says, "give the collector a certificate, and https:// in the address")
        else:
            yield Finding("tls", Level.GREEN, f"no TLS with {settings.address}")
        return
    try:
        days = _days_left(settings, host, port)
    except OSError as error:
        cure = "OTEL_EXPORTER_OTLP_CERTIFICATE names the authority's file; http:// is for a collector without TLS"
        yield Finding("tls", Level.RED, f"no TLS with {settings.address}: {error}", cure)
        return
    level = Level.YELLOW if days < _SOON_DAYS else Level.GREEN
    says = f"TLS with {settings.address}; its certificate is valid for {days} days"
    yield Finding("tls", level, says, "renew it" if level is Level.YELLOW else "")


def _days_left(settings: Settings, host: str, port: int) -> int:
    context = ssl.create_default_context(cafile=settings.certificate)
    context.set_alpn_protocols(["h2"])
    if settings.client_certificate is not None:
        context.load_cert_chain(settings.client_certificate, settings.client_key)
    with (
        socket.create_connection((host, port), _CONNECT_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        shown: Any = secured.getpeercert() or {}
    return math.floor((ssl.cert_time_to_seconds(shown["notAfter"]) - time.time()) / 86_400)


def spans(app: Application) -> Iterator[Finding]:
    """Sends an export request without spans on each way that the application's spans take."""
    own = [one for one in app.exporters() if not isinstance(one, Exporter)]
    if app.provider is not None and not own and not app.exporters():
        cure = "add a BatchSpanProcessor with an OTLP exporter to it, or let otel_opto.configure() set tracing up"
        yield Finding("spans", Level.RED, "the tracer provider has no exporter: spans reach nobody", cure)
        return
    if not own:
        where = _endpoint(app)
        make, _ = makers(app.settings, app.environment)
        yield _sent(where, make)
        return
    for exporter in own:
        kind = type(exporter)
        name = f"{kind.__module__}.{kind.__qualname__}"
        where = str(getattr(exporter, "_endpoint", ""))
        if "OTLP" not in kind.__name__ or not where:
            yield Finding("spans", Level.GREEN, f"the application's own exporter {name} is not tried")
        else:
            yield _sent(where, lambda one=exporter: one)  # type: ignore[misc] # of this round


def _endpoint(app: Application) -> str:
    """Where OpenTelemetry's exporter sends spans (its specification, "Endpoint URLs for OTLP/HTTP")."""
    if not app.settings.otlp:
        return app.settings.endpoint
    of_all, of_spans = app.says("OTEL_EXPORTER_OTLP_ENDPOINT"), app.says("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if protocol_of(app.environment) == "grpc":
        return of_spans or of_all or "http://localhost:4317"
    return of_spans or f"{(of_all or 'http://localhost:4318').rstrip('/')}/v1/traces"


def _sent(where: str, make: Callable[[], Any]) -> Finding:
    host, port = _host_and_port(where, 4317)
    cure = "OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL say where spans go: gRPC 4317, HTTP 4318"
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        return Finding("spans", Level.RED, f"{where}: {host}:{port} cannot be reached: {error}", cure)
    notices = Notices()
    exporter = Exporter(make, "an empty request", None, Counters(), notices)
    result = exporter.export(())
    if getattr(result, "name", "") == "SUCCESS":
        return Finding("spans", Level.GREEN, f"{where} takes them")
    said = "; ".join(notices.present())
    if any(
        word in said for word in ("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED", "Unauthorized", "Forbidden")
    ):
        cure = "OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer …' carries a token with the scope ingest"
    return Finding("spans", Level.RED, f"{where}: {said}", cure)


def _host_and_port(endpoint: str, otherwise: int) -> tuple[str, int]:
    """Of a URL, or of HOST:PORT."""
    parts = urlsplit(endpoint if "://" in endpoint else f"//{address_of(endpoint)}")
    return parts.hostname or "localhost", parts.port or _DEFAULT_PORTS.get(parts.scheme, otherwise)
