"""One OTLP endpoint that requests are forwarded to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from collector.core.telemetry import Signal


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and how.

    Attributes:
        name: Under which its progress is remembered.
        endpoint: ``http://HOST:PORT`` or ``https://HOST:PORT``; for OTLP/HTTP without ``/v1/…``.
        over_http: OTLP/HTTP; else OTLP/gRPC.
        headers: Sent along, for example ``authorization``.
        gzip: Whether requests are compressed.
        ca_file: Of authorities that sign the endpoint's certificate; None means the system's.
        timeout_seconds: For one request.
        from_beginning: Whether a new destination gets what is stored already.
    """

    name: str
    endpoint: str
    over_http: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    gzip: bool = True
    ca_file: Path | None = None
    timeout_seconds: float = 10.0
    from_beginning: bool = False


class Outcome(Enum):
    """What became of one attempt."""

    TAKEN = "taken"
    RETRY = "retry"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The answer to one attempt.

    Attributes:
        rejected: Items that the destination did not keep of a request that it took.
        message: Why it was refused or has to be tried again.
        retry_after_seconds: What the destination asked for; None if it did not say.
    """

    outcome: Outcome
    rejected: int = 0
    message: str = ""
    retry_after_seconds: float | None = None


class Sender(Protocol):
    """The way to one destination. Used by one task at a time."""

    async def send(self, signal: Signal, body: bytes, hops: str) -> Delivery:
        """Makes one attempt. Never raises but for cancellation.

        Args:
            signal: What the body is an export request of.
            body: The request, as it came.
            hops: The value of the header that names the collectors it passed.
        """
        ...

    async def close(self) -> None:
        """Lets the connection go. Safe twice."""
        ...
