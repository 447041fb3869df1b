"""Which service something is of (OpenTelemetry's resource semantic conventions, "Service")."""

from typing import Final

UNKNOWN_SERVICE: Final = "unknown_service"
"""What a service is called that does not say its name: the conventions' own word for it."""


def is_unknown(service: str) -> bool:
    """Whether it is the word for a service without a name, or an SDK's default: ``unknown_service:python``."""
    return service.partition(":")[0] == UNKNOWN_SERVICE


def service_of(name: object) -> str:
    """The service that an attribute ``service.name`` names; `UNKNOWN_SERVICE` if it is missing, empty or no text."""
    return name if isinstance(name, str) and name else UNKNOWN_SERVICE
