"""Who reaches the servers: without tokens that must be this machine alone, unless somebody says otherwise."""

import ipaddress
import socket
from collections.abc import Iterator

from collector.process.config.sections import Config, TlsConfig


def faults_of(config: Config) -> Iterator[str]:
    """Every server that other machines reach and that asks nobody who they are."""
    if config.auth.tokens or config.auth.insecure:
        return
    for key, endpoint, tls in _servers(config):
        if endpoint and tls.client_ca_file is None and not loopback(endpoint.rpartition(":")[0]):
            yield (
                f"config: {key}: {endpoint} can be reached from other machines, and nobody has to show a token; give "
                "auth.tokens, or tls.client_ca_file for clients with certificates, or listen on 127.0.0.1, or say "
                "that it is meant: --insecure (auth.insecure: true)"
            )


def _servers(config: Config) -> Iterator[tuple[str, str, TlsConfig]]:
    protocols = config.receivers.otlp.protocols
    yield "receivers.otlp.protocols.grpc.endpoint", protocols.grpc.endpoint, protocols.grpc.tls
    yield "receivers.otlp.protocols.http.endpoint", protocols.http.endpoint, protocols.http.tls
    yield "api.endpoint", config.api.endpoint, config.api.tls
    yield "jaeger.storage.endpoint", config.jaeger.storage.endpoint, config.jaeger.storage.tls


def loopback(host: str) -> bool:
    """Whether a host is this machine alone, under every address that it has; a name that nobody knows is not."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return bool(found) and all(_is_loopback(str(address[0])) for *_, address in found)


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
