"""What the process knows of itself, for the doctor."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from collector.api.doctor import Finding, Level
from collector.process.config import Config, load
from collector.process.servers import Addresses
from collector.process.surroundings import surroundings
from collector.storage.integrity.damage import Damage

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
ADDRESSES = Addresses("127.0.0.1:4317", "127.0.0.1:4318", "127.0.0.1:4319", "")


def certificate(directory: Path, ends: datetime) -> tuple[Path, Path]:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=400))
        .not_valid_after(ends)
        .sign(key, None)
    )
    chain, private = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private


def found(config: Config, *damages: Damage) -> dict[str, Finding]:
    return {one.name: one for one in surroundings(config, ADDRESSES, damages, int(NOW.timestamp()) * 10**9)}


def of(directory: Path, more: str = "") -> Config:
    file = directory / "collector.yaml"
    file.write_text(f"storage: {{directory: {directory}}}\n{more}", encoding="utf-8")
    return load(file, {}, {})


@pytest.mark.parametrize(("days", "level"), [(-1, Level.RED), (3, Level.YELLOW), (90, Level.GREEN)])
def test_a_certificate_is_told_of_before_it_ends(tmp_path: Path, days: int, level: Level) -> None:
    chain, key = certificate(tmp_path, NOW + timedelta(days=days, hours=1))
    config = of(tmp_path, f"api: {{tls: {{cert_file: {chain}, key_file: {key}}}}}\n")
    (one,) = (finding for name, finding in found(config).items() if name.startswith("certificate"))
    assert (one.name, one.level, bool(one.cure)) == ("certificate of api", level, level is not Level.GREEN)


def test_what_was_damaged_is_red(tmp_path: Path) -> None:
    assert found(of(tmp_path))["store"].level is Level.GREEN
    one = found(of(tmp_path), Damage("segment", 7, 3, "a frame's checksum"))["store"]
    assert one.level is Level.RED
    assert "the first in segment at byte 7: a frame's checksum" in one.says


def test_ports_versions_and_the_limits_of_what_is_kept_are_said(tmp_path: Path) -> None:
    looked = found(of(tmp_path))
    assert "API and page 127.0.0.1:4319; Jaeger's remote storage API is not served" in looked["ports"].says
    assert "grpcio " in looked["versions"].says
    assert "nothing is ever given up" in looked["disk"].says
    kept = of(tmp_path).storage.retention.model_copy(update={"max_age_seconds": 3600.0})
    storage = of(tmp_path).storage.model_copy(update={"retention": kept})
    bounded = found(of(tmp_path).model_copy(update={"storage": storage}))
    assert "retention is limited" in bounded["disk"].says
