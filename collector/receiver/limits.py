"""How much one sender may send at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """Limits on one request.

    Attributes:
        max_request_bytes: Before and after decompression; OTLP recommends 64 MiB.
    """

    max_request_bytes: int = 64 * 2**20
