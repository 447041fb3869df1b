"""Where telemetry leaves a collector: what it forwards, and what it says of itself."""

import secrets
from collections.abc import Mapping

from collector.core.errors import ConfigError
from collector.core.protocols import Clock
from collector.counters import Counters
from collector.exporter.destination import Destination, Sender
from collector.exporter.grpc_sender import GrpcSender
from collector.exporter.http_sender import HttpSender
from collector.exporter.own_spans import OwnSpans
from collector.process.config import Config, ExporterConfig, OwnTracesConfig
from collector.process.servers import Addresses


def own_spans(config: OwnTracesConfig, counters: Counters, clock: Clock) -> OwnSpans | None:
    """What tells of the collector's own steps; None where nobody is told."""
    if not config.endpoint:
        return None
    share = config.share
    return OwnSpans(
        config.service_name,
        counters,
        clock.now_unix_nano,
        secrets.token_bytes,
        lambda: secrets.randbelow(2**32) < share * 2**32,
    )


def sender(to: Destination) -> Sender:
    """The way there."""
    return HttpSender(to) if to.over_http else GrpcSender(to)


def destination(name: str, exporter: ExporterConfig | OwnTracesConfig) -> Destination:
    """What the configuration says of one."""
    return Destination(
        name=name,
        endpoint=exporter.endpoint,
        over_http=exporter.protocol == "http",
        headers={name: value.get_secret_value() for name, value in exporter.headers.items()},
        gzip=exporter.compression == "gzip",
        ca_file=exporter.ca_file,
        timeout_seconds=exporter.timeout_seconds,
        from_beginning=isinstance(exporter, ExporterConfig) and exporter.from_beginning,
    )


def endpoints(config: Config) -> Mapping[str, str]:
    """Where telemetry goes from here, by the key that says so."""
    found = {f"exporters.{name}.endpoint": exporter.endpoint for name, exporter in config.exporters.items()}
    own = config.telemetry.traces.endpoint
    return {**found, **({"telemetry.traces.endpoint": own} if own else {})}


def refuse_circles(endpoints: Mapping[str, str], addresses: Addresses) -> None:
    """No way out may lead to the receivers of what goes out.

    Raises:
        ConfigError: one does.
    """
    own = {address.rpartition(":")[2] for address in (addresses.otlp_grpc, addresses.otlp_http)}
    faults = []
    for key, endpoint in endpoints.items():
        host, _, port = endpoint.split("://", 1)[1].split("/", 1)[0].rpartition(":")
        if host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0") and port in own:  # noqa: S104 - compared, not bound
            faults.append(
                f"config: {key}: {endpoint} is this collector's own receiver: what it "
                "sends would come back; name another endpoint"
            )
    if faults:
        raise ConfigError(faults)
