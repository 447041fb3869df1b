"""What gRPC says of a collector that does not answer as it should, in words that say what to do."""

from typing import Any

import grpc


def explained(error: grpc.RpcError, address: str) -> str:
    """One line: what was found at the address and what to do about it; gRPC's own words where it is nothing known."""
    code, details = code_and_details(error)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return f"the collector at {address} wants another token: OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer …'"
    if code is grpc.StatusCode.PERMISSION_DENIED:
        return f"the token is known at {address}, but lacks a scope: {_short(details)}"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return f"{address} speaks gRPC but is no otel-opto collector; OTEL_OPTO_ENDPOINT names that one's gRPC port"
    if code is grpc.StatusCode.UNAVAILABLE:
        return _unreachable(details, address)
    return f"{code.name if code else type(error).__name__}: {_short(details)}"


def _unreachable(details: str, address: str) -> str:
    said = details.lower()
    for words, meaning in _MEANINGS:
        if any(word in said for word in words):
            return meaning.format(address=address)
    return f"{address} cannot be reached: {_short(details)}"


_MEANINGS = (
    (("refused",), "nothing listens at {address}: is the collector running, and is that its gRPC port?"),
    (
        ("resolv", "domain name", "lookup"),
        "the host of {address} is not known: OTEL_OPTO_ENDPOINT says where the collector is, as http://HOST:4317",
    ),
    (
        ("settings frame", "http1", "http/2"),
        "{address} speaks HTTP, not gRPC: OTEL_OPTO_ENDPOINT says the collector's gRPC port, else 4317",
    ),
    (("wrong_version_number",), "{address} speaks no TLS: its address begins with http://"),
    (
        ("verify_failed", "certificate"),
        "the certificate of {address} is not trusted: OTEL_EXPORTER_OTLP_CERTIFICATE names the file of its authority",
    ),
    (
        ("handshake", "ssl"),
        "there is no TLS with {address}: its address begins with http://, or it wants a certificate",
    ),
    (("socket closed", "reset"), "{address} hangs up: if it wants TLS, its address begins with https://"),
)


def code_and_details(error: grpc.RpcError) -> tuple[grpc.StatusCode | None, str]:
    """The status code, if it has one, and the words beside it."""
    found: Any = error
    if not callable(getattr(found, "code", None)):
        return None, str(error)
    return found.code(), str(found.details() or "")


def _short(details: str) -> str:
    return " ".join(details.split())[:300]
