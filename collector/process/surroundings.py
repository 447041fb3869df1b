"""What a collector's process knows of itself and of its machine, for `Doctor`."""

import importlib.metadata
import platform
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from collector.api.doctor import Finding, Level
from collector.process.config import Config, TlsConfig
from collector.process.servers import Addresses
from collector.storage.integrity.damage import Damage

_DISTRIBUTIONS = ("otel-opto", "opentelemetry-proto", "grpcio", "protobuf", "starlette", "uvicorn")
_LITTLE_BYTES, _TOO_LITTLE_BYTES = 2 * 2**30, 256 * 2**20
_SOON_DAYS = 14


def surroundings(
    config: Config, addresses: Addresses, damages: Sequence[Damage], now_unix_nano: int
) -> Sequence[Finding]:
    """Looks at them; reads files."""
    tls = {
        "receivers.otlp.protocols.grpc": config.receivers.otlp.protocols.grpc.tls,
        "receivers.otlp.protocols.http": config.receivers.otlp.protocols.http.tls,
        "api": config.api.tls,
        "jaeger.storage": config.jaeger.storage.tls,
    }
    now = datetime.fromtimestamp(now_unix_nano / 1e9, UTC)
    return [_versions(), _ports(addresses), _disk(config), _damaged(damages), *_certificates(tls, now)]


@lru_cache(maxsize=1)
def _versions() -> Finding:
    """What a process has imported does not change: reading it from disk is most of what a look costs."""
    said = [f"{name} {importlib.metadata.version(name)}" for name in _DISTRIBUTIONS if _installed(name)]
    says = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {', '.join(said)}"
    return Finding("versions", Level.GREEN, says)


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _ports(addresses: Addresses) -> Finding:
    said = f"OTLP/gRPC {addresses.otlp_grpc}, OTLP/HTTP {addresses.otlp_http}, API and page {addresses.api}"
    if not addresses.jaeger_storage:
        return Finding("ports", Level.GREEN, f"{said}; Jaeger's remote storage API is not served")
    return Finding("ports", Level.GREEN, f"{said}, Jaeger's remote storage {addresses.jaeger_storage}")


def _disk(config: Config) -> Finding:
    directory, kept = config.storage.directory, config.storage.retention
    free = shutil.disk_usage(directory).free
    bounded = kept.max_age_seconds is not None or kept.max_bytes is not None
    says = f"{free / 2**30:.1f} GiB are free where {directory} is; " + (
        "retention is limited" if bounded else "nothing is ever given up (storage.retention)"
    )
    cure = "make room, or set storage.retention.max_bytes; a full disk refuses what comes, and keeps what is there"
    if free < _TOO_LITTLE_BYTES:
        return Finding("disk", Level.RED, says, cure)
    return Finding("disk", Level.YELLOW, says, cure) if free < _LITTLE_BYTES else Finding("disk", Level.GREEN, says)


def _damaged(damages: Sequence[Damage]) -> Finding:
    if not damages:
        return Finding("store", Level.GREEN, "nothing damaged was met since the start")
    first = damages[0]
    says = f"{len(damages)} damaged stretches were met; the first in {first.file} at byte {first.offset}: {first.what}"
    return Finding("store", Level.RED, says, "look at the disk; `otel-opto doctor --data-dir DIR` reads every byte")


def _certificates(tls: Mapping[str, TlsConfig], now: datetime) -> Iterator[Finding]:
    for key, one in tls.items():
        if one.cert_file is None:
            continue
        ends = _not_after(one.cert_file)
        name = f"certificate of {key}"
        if ends is None:
            yield Finding(name, Level.GREEN, f"{one.cert_file} is in use; reading its end takes the extra `signing`")
            continue
        days = (ends - now).days
        says = f"{one.cert_file} is valid until {ends:%Y-%m-%d %H:%M} UTC"
        level = Level.RED if days < 0 else Level.YELLOW if days < _SOON_DAYS else Level.GREEN
        yield Finding(name, level, says, "" if level is Level.GREEN else "renew it, and start the collector again")


def _not_after(file: Path) -> datetime | None:
    try:
        from cryptography import x509  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        return None
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
