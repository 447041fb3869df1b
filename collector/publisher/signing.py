"""Keys and signatures of releases, made where the private key is: it need not be where the collector is."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.core.errors import InvalidRequest
from collector.core.ledger import Json
from collector.core.protocols import Clock
from collector.core.release import Release
from otel_opto.signing import PAYLOAD_TYPE, Signed, Unverified, pre_authentication, same_values, stated

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DAYS = 365.0
"""For which a release is signed, where nobody says otherwise."""

_EXTRA = "signing needs the extra: pip install 'otel-opto[signing]'"


def make_keys(private: Path, public: Path) -> None:
    """Writes a new Ed25519 key pair, PEM; the private one for its owner alone.

    Raises:
        FileExistsError: one of the files is there.
        ValueError: the extra is not installed.
    """
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    except ImportError:
        raise ValueError(_EXTRA) from None
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
    with public.open("xb") as file:
        file.write(
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )


def envelope_of(signed: Signed, private_key: bytes) -> str:
    """The DSSE envelope of what is signed, as JSON.

    Raises:
        ValueError: it is no Ed25519 private key, or the extra is not installed.
    """
    try:
        import rfc8785  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
    except ImportError:
        raise ValueError(_EXTRA) from None
    key = load_pem_private_key(private_key, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"the private key is {type(key).__name__}; allowed is an Ed25519 key, PEM")
    document: Any = signed.document()
    payload = rfc8785.dumps(document)
    signature = key.sign(pre_authentication(payload))
    return json.dumps(
        {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": _key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
        }
    )


def checked_envelope(envelope: str, release: Release, now_unix_nano: int) -> Mapping[str, Json]:
    """What a signature is, whenever it was made: by which keys, and for how long. Whether a key made it is for others.

    Raises:
        InvalidRequest: it is no signature of this release, or has expired.
    """
    try:
        signed = stated(envelope.encode())
        keys = [str(one.get("keyid", one["sig"])) for one in json.loads(envelope)["signatures"][:10]]
    except (Unverified, AttributeError) as error:
        raise InvalidRequest(f"envelope: {error}; otel-opto releases sign {release.number} makes one") from None
    if (signed.service, signed.release) != (release.service, release.number):
        raise InvalidRequest(
            f"envelope: found the signature of release {signed.release} of {signed.service[:80]!r}, and this is "
            f"release {release.number} of {release.service!r}"
        )
    if not same_values(signed.values, {key: released.value for key, released in release.values.items()}):
        raise InvalidRequest(f"envelope: other values are signed than those of release {release.number}")
    if signed.expires_unix * 10**9 <= now_unix_nano:
        raise InvalidRequest(
            f"envelope: it expired {now_unix_nano // 10**9 - signed.expires_unix} s ago; sign it for longer"
        )
    return {"seconds": signed.expires_unix - signed.issued_unix, "keys": keys}


def _key_id(public_key: "Ed25519PublicKey") -> str:
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()[:16]


class Signer:
    """Signs what the collector publishes by itself, for a year: releases of trials, and rollbacks.

    Args:
        private_key: PEM.
        clock: Says when.

    Raises:
        ValueError: it is no Ed25519 private key, or the extra is not installed.
    """

    def __init__(self, private_key: bytes, clock: Clock) -> None:
        self._key = private_key
        self._clock = clock
        envelope_of(Signed("", 0, {}, 0, 0), private_key)

    def envelope(self, release: Release) -> str:
        """The signature of a release, now."""
        now = self._clock.now_unix_nano() // 10**9
        values = {key: released.value for key, released in release.values.items()}
        signed = Signed(release.service, release.number, values, now, now + int(DAYS * 86_400))
        return envelope_of(signed, self._key)
