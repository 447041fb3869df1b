"""Signed releases: an application that holds a public key applies only what the private one has signed.

The signature is Ed25519 (RFC 8032) in a DSSE envelope (Dead Simple Signing Envelope v1.0.2). What is signed is JSON of
the release's service, number, content and times; what is applied has to be exactly that, and not older than what was
applied before. Needs the extra ``signing``.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otel_opto.release import Release
from otel_opto.spec import ParameterValue

PAYLOAD_TYPE = "application/vnd.otel-opto.release+json"
_MAX_ENVELOPE_BYTES = 8 * 2**20


class Unverified(ValueError):
    """A release that is not to be applied: what was found, and what is needed."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature says.

    Attributes:
        service: The ``service.name`` it is for.
        release: The release's number.
        values: All values by key.
        issued_unix: When it was signed, in seconds; what is older than what was applied is refused.
        expires_unix: Until when it may be applied.
    """

    service: str
    release: int
    values: Mapping[str, ParameterValue]
    issued_unix: int
    expires_unix: int

    def document(self) -> dict[str, object]:
        """As JSON; signed in the canonical form of RFC 8785."""
        return {
            "service": self.service,
            "release": self.release,
            "values": dict(self.values),
            "issued_unix": self.issued_unix,
            "expires_unix": self.expires_unix,
        }


def pre_authentication(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is really signed."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Verifier:
    """Says whether a release may be applied. Used from one thread.

    Args:
        public_key: PEM.
        service: Whose releases.
        now: Seconds since 1970.

    Raises:
        ValueError: it is no Ed25519 public key, or the extra is not installed.
    """

    def __init__(self, public_key: bytes, service: str, now: Callable[[], float] = time.time) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - an extra
            from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
        except ImportError:
            raise ValueError("a public key is given and cannot be used: pip install 'otel-opto[signing]'") from None
        key = load_pem_public_key(public_key)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError(f"the public key is {type(key).__name__}; allowed is an Ed25519 key, PEM")
        self._key = key
        self._service = service
        self._now = now
        self._newest = 0

    def check(self, release: Release, envelope: bytes) -> Signed:
        """What was signed of the release.

        Raises:
            Unverified: it is not signed by the key, says something else, has expired, or is older than what is applied.
        """
        signed = self._opened(envelope)
        values = {key: released.value for key, released in release.values.items()}
        if (signed.service, signed.release) != (self._service, release.number) or not same_values(
            signed.values, values
        ):
            raise Unverified("its signature is one of another release, service or content")
        if signed.expires_unix <= self._now():
            raise Unverified(f"its signature expired {self._now() - signed.expires_unix:.0f} s ago; sign it again")
        if signed.issued_unix < self._newest:
            raise Unverified("it was signed before the one that is in force; to go back sign it again")
        return signed

    def applied(self, signed: Signed) -> None:
        """It is everybody's now: nothing older is."""
        self._newest = max(self._newest, signed.issued_unix)

    def _opened(self, envelope: bytes) -> Signed:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra

        if not envelope:
            raise Unverified("it is not signed, and a public key is configured: otel-opto releases sign NUMBER")
        payload, signatures = _parts(envelope)
        for signature in signatures:
            try:
                self._key.verify(signature, pre_authentication(payload))
            except InvalidSignature:
                continue
            return _signed(payload)
        raise Unverified("it is not signed by the configured key")


def stated(envelope: bytes) -> Signed:
    """What an envelope says, whoever signed it: nothing is verified.

    Raises:
        Unverified: it is no envelope of a release.
    """
    return _signed(_parts(envelope)[0])


def _parts(envelope: bytes) -> tuple[bytes, Sequence[bytes]]:
    """The payload and its signatures, of which none has been verified."""
    try:
        if len(envelope) > _MAX_ENVELOPE_BYTES:
            raise ValueError(f"of {len(envelope)} bytes")
        document = json.loads(envelope)
        payload = base64.b64decode(document["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in document["signatures"][:10]]
        if document["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"of {document['payloadType']!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unverified(f"its signature is no DSSE envelope: {error!r}") from None
    return payload, signatures


def _signed(payload: bytes) -> Signed:
    try:
        document = json.loads(payload)
        signed = Signed(*(document[key] for key in ("service", "release", "values", "issued_unix", "expires_unix")))
        found = [type(one) for one in (signed.service, signed.release, signed.issued_unix, signed.expires_unix)]
        if found != [str, int, int, int] or not isinstance(signed.values, dict):
            raise TypeError("a field of another type")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unverified(f"what is signed is no release: {error!r}") from None
    return signed


def same_values(one: Mapping[str, ParameterValue], other: Mapping[str, ParameterValue]) -> bool:
    """Equal, types and all: ``True`` is not ``1``. JSON has one kind of number, so ``1.0`` is ``1``."""
    return one.keys() == other.keys() and all(
        one[key] == other[key] and isinstance(one[key], bool) == isinstance(other[key], bool) for key in one
    )


def verifier_of(public_key: str | Path | bytes, service: str) -> Verifier:
    """A verifier for a key, or for the file that holds it. Raises as `Verifier`, and OSError."""
    return Verifier(public_key if isinstance(public_key, bytes) else Path(public_key).read_bytes(), service)
