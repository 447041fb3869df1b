"""An application with a public key applies what the private key signed, and nothing else."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from collector.publisher.signing import envelope_of, make_keys
from otel_opto.assignment import Arm, Assignment, unit_of
from otel_opto.cache import ReleaseCache
from otel_opto.parameter import Parameter, spec_of
from otel_opto.release import Release, ReleasedValue
from otel_opto.setup import Sdk
from otel_opto.signing import Signed, Unverified, Verifier, pre_authentication
from otel_opto.spec import Constraint, content_hash
from otel_opto.testing import FakeReleaseServer, SpanCapture
from otel_opto.v1 import release_pb2
from otel_opto.wire import assignment_to_proto, value_to_proto
from tests.integration.running import eventually

NOW = int(time.time())
VALUES = {"k": 5, "on": True, "x": 0.5, "prompt": "Zoë"}


@dataclass
class Keys:
    private: bytes
    public: Path


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    make_keys(tmp_path / "r.key", tmp_path / "r.pub")
    return Keys((tmp_path / "r.key").read_bytes(), tmp_path / "r.pub")


def release(number: int = 7, **values: Any) -> Release:
    return Release(number, {key: ReleasedValue(value, number, "") for key, value in {**VALUES, **values}.items()})


SIGNED = Signed("shop", 7, VALUES, NOW, NOW + 9_999)


def test_keys_are_made_once_and_the_private_one_is_for_its_owner(tmp_path: Path) -> None:
    make_keys(tmp_path / "a.key", tmp_path / "a.pub")
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        make_keys(tmp_path / "a.key", tmp_path / "b.pub")


def test_what_was_signed_is_applied(keys: Keys) -> None:
    verifier = Verifier(keys.public.read_bytes(), "shop")
    assert verifier.check(release(), envelope_of(SIGNED, keys.private).encode()) == SIGNED


def test_the_form_is_dsses_own_example() -> None:
    assert pre_authentication(b"hello") == b"DSSEv1 38 application/vnd.otel-opto.release+json 5 hello"


@pytest.mark.parametrize(
    ("given", "said", "words"),
    [
        (release(k=6), SIGNED, "another release, service or content"),
        (release(k=True), replace(SIGNED, values={**VALUES, "k": 1}), "another release, service or content"),
        (release(8), SIGNED, "another release, service or content"),
        (release(more=1), SIGNED, "another release, service or content"),
        (release(), replace(SIGNED, service="other"), "another release, service or content"),
        (release(), replace(SIGNED, expires_unix=NOW - 1), "expired"),
    ],
)
def test_anything_else_is_refused_with_the_reason(keys: Keys, given: Release, said: Signed, words: str) -> None:
    with pytest.raises(Unverified, match=words):
        Verifier(keys.public.read_bytes(), "shop").check(given, envelope_of(said, keys.private).encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda _: b"no json",
        lambda _: b"[]",
        lambda e: json.dumps({**e, "signatures": []}).encode(),
        lambda e: json.dumps({**e, "payloadType": "x"}).encode(),
        lambda e: json.dumps({**e, "payload": e["payload"][:-8] + "AAAAAAA="}).encode(),
        lambda e: json.dumps({**e, "signatures": [{"sig": "AAAA"}]}).encode(),
        lambda e: json.dumps({**e, "signatures": 5}).encode(),
    ],
)
def test_a_forged_envelope_is_refused(keys: Keys, change: Any) -> None:
    envelope = change(json.loads(envelope_of(SIGNED, keys.private)))
    with pytest.raises(Unverified):
        Verifier(keys.public.read_bytes(), "shop").check(release(), envelope)


def test_another_key_is_refused(keys: Keys, tmp_path: Path) -> None:
    make_keys(tmp_path / "o.key", tmp_path / "o.pub")
    with pytest.raises(Unverified, match="not signed by the configured key"):
        Verifier((tmp_path / "o.pub").read_bytes(), "shop").check(release(), envelope_of(SIGNED, keys.private).encode())


def test_what_is_older_than_what_was_applied_is_refused(keys: Keys) -> None:
    verifier = Verifier(keys.public.read_bytes(), "shop")
    newer = replace(SIGNED, issued_unix=NOW + 10)
    verifier.applied(verifier.check(release(), envelope_of(newer, keys.private).encode()))
    with pytest.raises(Unverified, match="to go back sign it again"):
        verifier.check(release(), envelope_of(SIGNED, keys.private).encode())


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_key_that_is_none_is_said(keys: Keys, content: bytes | None) -> None:
    with pytest.raises(ValueError):
        Verifier(keys.private if content is None else content, "shop")


# --- in an application ----------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[FakeReleaseServer]:
    with FakeReleaseServer() as running:
        yield running


def connected(
    server: FakeReleaseServer, keys: Keys, cache: Path, wait_seconds: float = 5.0
) -> tuple[Sdk, Parameter[Any]]:
    sdk = Sdk()
    k = Parameter(spec_of("k", 0, Constraint(), "", trainable=True), 0, sdk.pins)
    capture = SpanCapture()
    sdk.configure(
        service_name="shop", endpoint=server.endpoint, cache_dir=cache, public_key=keys.public,
        tracer_provider=capture.tracer_provider, logger_provider=capture.logger_provider, wait_seconds=wait_seconds,
    )  # fmt: skip
    return sdk, k


def test_an_application_refuses_what_is_not_signed_and_keeps_what_it_has(
    server: FakeReleaseServer, keys: Keys, tmp_path: Path
) -> None:
    sdk, k = connected(server, keys, tmp_path / "cache")
    server.add(1, {"k": 1}, envelope_of(Signed("shop", 1, {"k": 1}, NOW, NOW + 9_999), keys.private))
    server.assign(Assignment("shop", 0, 1))
    assert server.wait_for_acknowledgement(1).error == ""
    server.publish(2, {"k": 2})
    word = server.wait_for_acknowledgement(2)
    assert word.status == release_pb2.RELEASE_STATUS_FAILED
    assert "it is not signed, and a public key is configured" in word.error
    server.add(3, {"k": 3})
    server.assign(Assignment("shop", 0, 1, (Arm(3, 0, 10_000),), "s"))
    server.wait_for_acknowledgement(3)
    assert k.value == 1
    said = len(server.acknowledgements)
    server.assign(Assignment("shop", 0, 1, (Arm(3, 0, 5_000),), "s"))
    eventually(lambda: [one.release for one in server.acknowledgements[said:]] == [3])  # a refusal is said each time
    sdk.shutdown()
    again, other = connected(server, keys, tmp_path / "cache")
    assert other.value == 1
    again.shutdown()


def test_with_a_key_that_cannot_be_read_nothing_is_applied(
    server: FakeReleaseServer, keys: Keys, tmp_path: Path
) -> None:
    keys.public.unlink()
    server.publish(1, {"k": 1})
    sdk, k = connected(server, keys, tmp_path / "cache")
    assert (k.value, server.acknowledgements) == (0, [])
    sdk.shutdown()


def test_an_application_that_starts_alone_gives_every_unit_its_arm(keys: Keys, tmp_path: Path) -> None:
    """The collector is away; of what is on disk counts what is signed and has not expired."""

    def made(number: int, expires: int) -> release_pb2.Release:
        values = {"k": number}
        return release_pb2.Release(
            number=number, service="shop", hash=content_hash(values.items()),
            values=[release_pb2.ReleasedValue(key="k", value=value_to_proto(number), version=number)],
            envelope=envelope_of(Signed("shop", number, values, NOW, expires), keys.private).encode(),
        )  # fmt: skip

    later = NOW * 2
    assignment = Assignment("shop", 5, 1, (Arm(2, 0, 4_000), Arm(3, 4_000, 4_000)), "salt")
    message = release_pb2.WatchReleasesResponse(
        release=made(1, later), assignment=assignment_to_proto(assignment), arms=[made(2, later), made(3, NOW - 1)]
    )
    ReleaseCache(tmp_path, "shop").store(message)
    with FakeReleaseServer() as server:
        pass  # now nobody listens there
    sdk, k = connected(server, keys, tmp_path, wait_seconds=0.0)
    found = {}
    for unit in map(str, range(40)):
        with sdk.pins.targeting(unit), sdk.start_node("answer"):
            found[unit] = k.value
    meant = {unit: {1: 1, 2: 2, 3: 1}[assignment.release_for(unit_of(unit))] for unit in found}
    assert found == meant
    assert set(found.values()) == {1, 2}
    sdk.shutdown()
