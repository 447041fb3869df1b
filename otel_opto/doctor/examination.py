"""Everything that is looked at, in the order in which to read it."""

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision

from otel_opto import semconv
from otel_opto.doctor import network
from otel_opto.doctor.application import Application, application
from otel_opto.doctor.finding import Finding, Level
from otel_opto.process.settings import UNKNOWN_SERVICE
from otel_opto.setup import Sdk

_DISTRIBUTIONS = ("otel-opto", "opentelemetry-sdk", "opentelemetry-exporter-otlp", "grpcio", "protobuf")
_PROBES: Final = 1_000
_LITTLE_CHARS: Final = 4_096
_YES = ("1", "true", "yes")


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: Of its findings.
        looks_at: What is looked at, for documents.
        red: What makes it red or yellow, and what it means.
        look: Looks.
    """

    name: str
    looks_at: str
    red: str
    look: Callable[[Application], Iterator[Finding]]


def _versions(_: Application) -> Iterator[Finding]:
    said = []
    for name in _DISTRIBUTIONS:
        try:
            said.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            said.append(f"{name} without metadata")
    yield Finding("versions", Level.GREEN, f"Python {platform.python_version()}, {', '.join(said)}")


def _switched_on(app: Application) -> Iterator[Finding]:
    off = [name for name in ("OTEL_SDK_DISABLED", "OTEL_OPTO_DISABLED") if app.says(name).lower() in _YES]
    if off:
        yield Finding("switched on", Level.RED, f"{' and '.join(off)} is set: nothing is traced", f"unset {off[0]}")
        return
    yield Finding("switched on", Level.GREEN, "neither OTEL_SDK_DISABLED nor OTEL_OPTO_DISABLED is set")


def _service(app: Application) -> Iterator[Finding]:
    settings = app.settings
    shown = str(app.provider.resource.attributes.get(semconv.SERVICE_NAME, "")) if app.provider is not None else ""
    spans = shown or app.says("OTEL_SERVICE_NAME") or settings.service
    if settings.service.startswith(UNKNOWN_SERVICE):
        says = "the application says no service.name: it shares parameters and releases with all others of that kind"
        yield Finding("service", Level.RED, says, "set OTEL_SERVICE_NAME, or configure(service_name=…)")
    elif spans != settings.service:
        says = f"spans say {spans!r}, parameters are asked for as {settings.service!r}: no feedback meets a release"
        yield Finding("service", Level.RED, says, f"set OTEL_SERVICE_NAME={settings.service}")
    else:
        yield Finding("service", Level.GREEN, settings.service)


def _sampler(app: Application) -> Iterator[Finding]:
    """Tried on trace ids that lie evenly, as random ones do."""
    provider = app.provider or TracerProvider(shutdown_on_exit=False)
    sampler = provider.sampler
    evenly = [(2 * number + 1) * (2**64 // (2 * _PROBES)) for number in range(_PROBES)]
    ids = [one << 64 | one for one in evenly]
    taken = sum(sampler.should_sample(None, one, "doctor").decision is Decision.RECORD_AND_SAMPLE for one in ids)
    says = f"{sampler.get_description()} keeps {taken / _PROBES:.0%} of the traces"
    cure = "OTEL_TRACES_SAMPLER=parentbased_always_on, for the service that is to be improved at least"
    if not taken:
        yield Finding("sampler", Level.RED, f"{says}: nothing can be learned", cure)
    elif taken < _PROBES:
        says = f"{says}: a study takes {_PROBES / taken:.0f} times as long"
        yield Finding("sampler", Level.YELLOW, says, cure)
    else:
        yield Finding("sampler", Level.GREEN, says)


def _limits(app: Application) -> Iterator[Finding]:
    names = ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")
    low = [name for name in names if app.says(name).isdecimal() and int(app.says(name)) < _LITTLE_CHARS]
    if low:
        says = f"{low[0]}={app.says(low[0])}: inputs and outputs are cut, and what was cut is not found in others"
        yield Finding("limits", Level.YELLOW, says, f"leave it out, or allow {_LITTLE_CHARS:,} at least")
        return
    yield Finding("limits", Level.GREEN, "values of attributes are not cut short")


def _propagation(app: Application) -> Iterator[Finding]:
    said = app.says("OTEL_PROPAGATORS")
    lacks = [one for one in ("tracecontext", "baggage") if said and one not in said.split(",")]
    if lacks:
        says = f"OTEL_PROPAGATORS={said} lacks {' and '.join(lacks)}: behind a call the trace or its release is lost"
        yield Finding(
            "propagation", Level.YELLOW, says, "OTEL_PROPAGATORS=tracecontext,baggage, and others beside them"
        )
        return
    yield Finding("propagation", Level.GREEN, "trace and release go along with calls")


def _parameters(app: Application) -> Iterator[Finding]:
    file = app.settings.parameters
    specs = app.sdk.registry.specs().values()
    if file is not None and not os.access(file, os.R_OK):
        cure = "name a file that the application may read"
        yield Finding("parameters", Level.RED, f"OTEL_OPTO_PARAMETERS: {file} cannot be read", cure)
    elif specs:
        keys = sorted(spec.key for spec in specs if spec.trainable)
        none = "" if keys else "; none of them is trainable"
        yield Finding("parameters", Level.GREEN, f"{len(specs)} declared: {', '.join(keys[:10])}{none}")
    elif app.imported:
        cure = "declare them with otel_opto.parameter() where the module is imported, or in OTEL_OPTO_PARAMETERS"
        yield Finding("parameters", Level.YELLOW, "none are declared when the module has been imported", cure)
    else:
        says = f"in {file}" if file is not None else "the code was not looked at; --import MODULE does"
        yield Finding("parameters", Level.GREEN, says)


def _disk(app: Application) -> Iterator[Finding]:
    directory = app.settings.cache_directory
    if directory is None:
        says = "no directory for the last known release: without the collector a restart has the code's values"
        yield Finding("cache", Level.YELLOW, says, "set OTEL_OPTO_CACHE_DIR to a directory that outlives a restart")
        return
    there = next(one for one in (directory, *directory.parents) if one.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        says = f"{directory} cannot be written: without the collector a restart has the code's values"
        yield Finding("cache", Level.YELLOW, says, "set OTEL_OPTO_CACHE_DIR to a directory that can be written")
        return
    yield Finding("cache", Level.GREEN, f"the last known release is kept in {directory}")


def _status(app: Application) -> Iterator[Finding]:
    status = app.sdk.status()
    if not status.configured:
        level = Level.YELLOW if app.imported else Level.GREEN
        cure = "call otel_opto.configure() where the application starts, or start it by opentelemetry-instrument"
        says = "otel_opto.configure() was not called" + ("" if app.imported else " here: the code was not looked at")
        yield Finding("status", level, says, cure if app.imported else "")
        return
    for trouble in status.troubles:
        yield Finding("status", Level.RED, trouble)
    lost = {
        name: getattr(status, name)
        for name in (
            "releases_refused",
            "feedback_dropped",
            "spans_not_sent",
            "log_records_not_sent",
            "capture_failures",
        )
    }
    told = ", ".join(f"{name} {count:,}" for name, count in lost.items() if count)
    if told:
        yield Finding("status", Level.YELLOW, f"lost so far: {told}", "the log otel_opto says of each what it was")
    elif not status.troubles:
        release = f"release {status.release}" if status.release is not None else "the code's own values"
        yield Finding("status", Level.GREEN, f"{release}; nothing was lost so far")


CHECKS: Sequence[Check] = (
    Check("versions", "Python and what the SDK stands on", "never", _versions),
    Check("switched on", "`OTEL_SDK_DISABLED`, `OTEL_OPTO_DISABLED`", "one of them is set", _switched_on),
    Check("service", "`service.name` of spans and of parameters", "there is none, or they are two", _service),
    Check("sampler", "the sampler in force, tried on 1,000 trace ids", "it drops traces", _sampler),
    Check("limits", "limits of attributes", "values are cut below 4,096 characters", _limits),
    Check("propagation", "`OTEL_PROPAGATORS`", "`tracecontext` or `baggage` is missing", _propagation),
    Check("parameters", "what is declared, in code or in a file", "nothing; the file cannot be read", _parameters),
    Check("cache", "where the last known release is kept", "nowhere", _disk),
    Check(
        "tls",
        "certificates on the way to the collector",
        "it is not trusted, it ends soon; a token goes in clear text",
        network.transport,
    ),
    Check(
        "collector",
        "the collector's gRPC port, asked what is in force",
        "it does not answer, refuses the token, is something else",
        network.collector,
    ),
    Check(
        "spans",
        "an export request without spans, sent as the application sends them",
        "it does not arrive, or is refused; nothing exports",
        network.spans,
    ),
    Check("status", "`otel_opto.status()`", "it names troubles or losses; not configured", _status),
)


def examine(
    environment: Mapping[str, str], sdk: Sdk, provider: trace.TracerProvider, *, imported: bool = False
) -> Sequence[Finding]:
    """Looks at everything, which takes some seconds where nobody answers.

    Args:
        environment: The application's.
        sdk: That of its process.
        provider: OpenTelemetry's tracer provider there.
        imported: Whether the application's code was imported here.
    """
    try:
        app = application(environment, sdk, provider, imported=imported)
    except ValueError as error:
        return [Finding("collector", Level.RED, str(error), "mend the address; it is http://HOST:PORT")]
    return [finding for check in CHECKS for finding in check.look(app)]
