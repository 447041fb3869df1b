"""Through which collectors a request came, so that none goes in a circle."""

from collections.abc import Sequence

HOP_HEADER = "x-otel-opto-hop"
"""HTTP header and gRPC metadata of forwarded requests: ids of collectors, the first first, with commas between."""

_MAX_LENGTH = 1024


def hops_of(value: str) -> tuple[str, ...]:
    """The ids in the header; () if there is none."""
    return tuple(part.strip() for part in value[:_MAX_LENGTH].split(",") if part.strip())


def header_of(hops: Sequence[str]) -> str:
    """The header's value."""
    return ",".join(hops)
