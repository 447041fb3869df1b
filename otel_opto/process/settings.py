"""What the SDK runs with: argument, then environment variable, then default."""

import logging
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.sdk.resources import Resource
from opentelemetry.util.re import parse_env_headers

from otel_opto import semconv
from otel_opto.cache import default_directory

_LOG = logging.getLogger("otel_opto")
DEFAULT_ENDPOINT: Final = "http://127.0.0.1:4317"
UNKNOWN_SERVICE: Final = "unknown_service"
_GRPC_PORT: Final = 4317
_OTLP: Final = "OTEL_EXPORTER_OTLP_"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the SDK runs with.

    Attributes:
        endpoint: Where the collector's gRPC port is, a URL.
        origin: What says so, in words.
        otlp: Whether OpenTelemetry's own variables say where spans go, and by which protocol.
        named: Whether the service's name was given, and not taken from a tracer provider.
        certificate: Of the authorities, with `client_certificate` and `client_key` files in PEM.
        headers: Sent with every call.
    """

    endpoint: str
    service: str
    instance_id: str
    cache_directory: Path | None
    disabled: bool
    certificate: Path | None = None
    cache_key: bytes = field(default=b"", repr=False)
    public_key: str = ""
    headers: Headers = field(default=(), repr=False)
    parameters: Path | None = None
    origin: str = "the default"
    otlp: bool = False
    named: bool = True
    client_certificate: Path | None = None
    client_key: Path | None = None

    @property
    def secure(self) -> bool:
        """Whether the collector is asked over TLS."""
        return self.endpoint.startswith("https:")

    @property
    def address(self) -> str:
        """HOST:PORT of the collector, or what else gRPC takes for a target (``unix:/path``)."""
        return address_of(self.endpoint)


def settings_of(arguments: Mapping[str, object], environment: Mapping[str, str], resource: Resource | None) -> Settings:
    """The settings in force; arguments that are None were not given.

    Raises:
        ValueError: an address is none.
    """
    named = resource.attributes if resource is not None else {}

    def first(argument: str, *otherwise: object) -> str:
        return str(next((value for value in (arguments.get(argument), *otherwise) if value), ""))

    def file(name: str) -> Path | None:
        found = _otlp(environment, name)
        return Path(found) if found else None

    endpoint, origin = _endpoint(arguments, environment)
    cache = first("cache_dir", environment.get("OTEL_OPTO_CACHE_DIR"), default_directory(environment))
    parameters = environment.get("OTEL_OPTO_PARAMETERS", "")
    key = arguments.get("cache_key") or environment.get("OTEL_OPTO_CACHE_KEY", "")
    said = first("service_name", environment.get("OTEL_OPTO_SERVICE"), environment.get("OTEL_SERVICE_NAME"))
    return Settings(
        endpoint=endpoint,
        origin=origin,
        otlp=not arguments.get("endpoint") and _says_where(environment),
        service=said or str(named.get(semconv.SERVICE_NAME) or UNKNOWN_SERVICE),
        named=bool(said),
        instance_id=first("instance_id", named.get(semconv.SERVICE_INSTANCE_ID), uuid.uuid4()),
        cache_directory=Path(cache) if cache else None,
        cache_key=key if isinstance(key, bytes) else str(key).encode(),
        disabled=environment.get("OTEL_OPTO_DISABLED", "").lower() in ("1", "true", "yes"),
        certificate=file("CERTIFICATE"),
        client_certificate=file("CLIENT_CERTIFICATE"),
        client_key=file("CLIENT_KEY"),
        public_key=first("public_key", environment.get("OTEL_OPTO_PUBLIC_KEY")),
        parameters=Path(parameters) if parameters else None,
        headers=tuple(parse_env_headers(_otlp(environment, "HEADERS"), liberal=True).items()),
    )


def positive(name: str, environment: Mapping[str, str], otherwise: float) -> float:
    """A number above 0 that a variable says; what is none is passed over with a warning."""
    said = environment.get(name)
    if not said:
        return otherwise
    try:
        found = float(said)
    except ValueError:
        found = 0.0
    if 0.0 < found < math.inf:
        return found
    _LOG.warning("%s: found %r, allowed: a number above 0; it is %g", name, said, otherwise)
    return otherwise


def protocol_of(environment: Mapping[str, str], signal: str = "TRACES") -> str:
    """How OpenTelemetry's variables want a signal to be sent: ``grpc``, ``http/protobuf``, …"""
    return _otlp(environment, "PROTOCOL", signal).strip().lower() or "http/protobuf"


def address_of(endpoint: str) -> str:
    """HOST:PORT of a URL; what is no http address is gRPC's own to understand.

    Raises:
        ValueError: the port is none.
    """
    if not endpoint.startswith(("http://", "https://")):
        return endpoint
    parts = urlsplit(endpoint)
    host = parts.netloc.rpartition("@")[2]
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"found the address {endpoint!r}, allowed is http://HOST:PORT") from None
    return host if port is not None else f"{host.removesuffix(':')}:{_GRPC_PORT}"


def _endpoint(arguments: Mapping[str, object], environment: Mapping[str, str]) -> tuple[str, str]:
    """Where the collector's gRPC port is, and what says so."""
    own = environment.get("OTEL_OPTO_ENDPOINT")
    for said, origin in ((arguments.get("endpoint"), "endpoint="), (own, "OTEL_OPTO_ENDPOINT")):
        if said:
            return _url(str(said), "http"), origin
    name = next((one for one in (f"{_OTLP}TRACES_ENDPOINT", f"{_OTLP}ENDPOINT") if environment.get(one)), None)
    if name is None:
        return DEFAULT_ENDPOINT, "the default"
    if protocol_of(environment) == "grpc":
        insecure = _otlp(environment, "INSECURE").lower() == "true"
        return _url(environment[name].strip(), "http" if insecure else "https"), name
    parts = urlsplit(_url(environment[name].strip(), "http"))
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return (
        f"{parts.scheme}://{host}:{_GRPC_PORT}",
        f"the host of {name} at gRPC's port; OTEL_OPTO_ENDPOINT says another",
    )


def _url(said: str, scheme: str) -> str:
    """An address with a scheme: ``HOST:PORT`` gets the one that is meant."""
    if "://" in said or said.startswith(("unix:", "dns:", "ipv4:", "ipv6:", "xds:")):
        return said
    return f"{scheme}://{said}"


def _says_where(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's own variables say where spans go."""
    if _otlp(environment, "ENDPOINT"):
        return True
    return not environment.get("OTEL_OPTO_ENDPOINT") and _otlp(environment, "PROTOCOL").startswith("http")


def _otlp(environment: Mapping[str, str], name: str, signal: str = "TRACES") -> str:
    """One of OpenTelemetry's variables for exporters; that of the signal goes before that of all."""
    return environment.get(f"{_OTLP}{signal}_{name}") or environment.get(f"{_OTLP}{name}") or ""
