"""Starting without code: what ``opentelemetry-instrument`` calls when everything else is set up.

It is OpenTelemetry's entry point ``opentelemetry_post_instrument``, of which there may be any number: it replaces
nobody's distro or configurator. It does nothing unless one of OTEL_OPTO_SERVICE, OTEL_OPTO_PARAMETERS and
OTEL_OPTO_ENDPOINT is set.
"""

import importlib.util
import logging
import os
from collections.abc import Mapping

import otel_opto
from otel_opto import semconv

_LOG = logging.getLogger("otel_opto")
_STARTING = ("OTEL_OPTO_SERVICE", "OTEL_OPTO_PARAMETERS", "OTEL_OPTO_ENDPOINT")


def start() -> None:
    """Configures the SDK from the environment, and OpenFeature where it is installed and has no provider yet.

    OTEL_OPTO_WAIT_SECONDS waits for the collector's first answer, for programs that end soon.
    """
    try:
        _start(os.environ)
    except Exception:  # noqa: BLE001 - the application comes first
        _LOG.exception("otel_opto could not be started; the application goes on without it")


def _start(environment: Mapping[str, str]) -> None:
    disabled = environment.get("OTEL_OPTO_DISABLED", "").lower() in ("1", "true", "yes")
    if disabled or not any(environment.get(name) for name in _STARTING):
        return
    otel_opto.configure(wait_seconds=_seconds(environment.get("OTEL_OPTO_WAIT_SECONDS", "")))
    _warn_of_another_name(environment.get("OTEL_OPTO_SERVICE", ""))
    if environment.get("OTEL_OPTO_OPENFEATURE", "").lower() not in ("off", "0", "false", "no"):
        _provide()


def _seconds(said: str) -> float:
    try:
        return max(float(said or 0), 0.0)
    except ValueError:
        _LOG.warning("OTEL_OPTO_WAIT_SECONDS: found %r, allowed is a number of seconds; it does not wait", said)
        return 0.0


def _warn_of_another_name(service: str) -> None:
    from opentelemetry import trace  # noqa: PLC0415 - set up by now

    resource = getattr(trace.get_tracer_provider(), "resource", None)
    named = resource.attributes.get(semconv.SERVICE_NAME) if resource is not None else None
    if service and named is not None and named != service:
        _LOG.warning(
            "OTEL_OPTO_SERVICE is %r, but spans say %r: set OTEL_SERVICE_NAME=%s, too", service, named, service
        )


def _provide() -> None:
    """What the application sets later takes its place."""
    if importlib.util.find_spec("openfeature") is None:
        return
    from openfeature import api  # noqa: PLC0415 - an extra

    from otel_opto.openfeature import OptoProvider  # noqa: PLC0415 - an extra

    if api.get_provider_metadata().name == "No-op Provider":
        api.set_provider(OptoProvider())
