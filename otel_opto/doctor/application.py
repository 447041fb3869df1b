"""The application that is looked at: its environment, and what it has set up in this process so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_opto.process.found import sdk_provider
from otel_opto.process.settings import Settings, address_of, settings_of
from otel_opto.setup import Sdk


@dataclass(frozen=True, slots=True)
class Application:
    """What is known of it.

    Attributes:
        settings: As the SDK would run.
        provider: The tracer provider that it has set up; None where there is none of OpenTelemetry's SDK (yet).
        sdk: Of otel_opto in this process.
        imported: Whether its code was: what it declares and sets up is known then.
    """

    environment: Mapping[str, str]
    settings: Settings
    provider: TracerProvider | None
    sdk: Sdk
    imported: bool

    def says(self, name: str) -> str:
        """A variable of its environment; empty where it has none."""
        return self.environment.get(name, "").strip()

    def exporters(self) -> list[Any]:
        """Of its own tracer provider, as far as they can be seen."""
        multi = getattr(self.provider, "_active_span_processor", None)
        found = []
        for processor in getattr(multi, "_span_processors", ()):
            batch = getattr(processor, "_batch_processor", None)
            exporter = getattr(processor, "span_exporter", None) or getattr(batch, "_exporter", None)
            if exporter is not None:
                found.append(exporter)
        return found


def application(
    environment: Mapping[str, str], sdk: Sdk, global_provider: trace.TracerProvider, *, imported: bool
) -> Application:
    """The application of this process, with OpenTelemetry's tracer provider of it.

    Raises:
        ValueError: an address in its environment is none.
    """
    provider = sdk_provider(global_provider)
    settings = settings_of({}, environment, provider.resource if provider is not None else None)
    address_of(settings.endpoint)
    return Application(environment, settings, provider, sdk, imported)
