"""The release on disk: one service's, this user's, and with a key only what was written with it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_opto.assignment import Arm, Assignment
from otel_opto.cache import ReleaseCache, default_directory
from otel_opto.process.settings import settings_of
from otel_opto.spec import content_hash, value_hash
from otel_opto.v1 import release_pb2
from otel_opto.wire import assignment_to_proto


def release(service: str = "qa", value: str = "good {question}", number: int = 7) -> release_pb2.Release:
    made = release_pb2.Release(number=number, service=service, hash=content_hash([("prompt", value)]))
    released = made.values.add(key="prompt", version=number, hash=value_hash(value))
    released.value.text = value
    return made


def message(service: str = "qa", value: str = "good {question}") -> release_pb2.WatchReleasesResponse:
    """A control and an arm of a third of the units."""
    assignment = Assignment(service, 4, 7, (Arm(8, 0, 3_333),), "salt")
    return release_pb2.WatchReleasesResponse(
        release=release(service, value), assignment=assignment_to_proto(assignment),
        arms=[release(service, "of the arm", 8)],
    )  # fmt: skip


def file_of(directory: Path) -> Path:
    (found,) = (directory / "otel-opto").iterdir()
    return found


def loaded(cache: ReleaseCache) -> object:
    kept = cache.load()
    return kept and kept.control.values["prompt"].value


def test_what_was_stored_is_loaded_and_nobody_else_may_look(tmp_path: Path) -> None:
    cache = ReleaseCache(tmp_path, "qa")
    assert cache.load() is None
    cache.store(message())
    cache.store(message(value="better {question}"))
    assert loaded(cache) == "better {question}"
    assert (tmp_path / "otel-opto").stat().st_mode & 0o777 == 0o700
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600


@given(st.lists(st.text(max_size=80), unique=True, min_size=2, max_size=6))
def test_services_share_no_file_whatever_they_are_called(
    tmp_path_factory: pytest.TempPathFactory, services: list[str]
) -> None:
    tmp_path = tmp_path_factory.mktemp("cache")
    for service in ("a/b", "a_b", "../../x", ".", "", "x" * 500, *services):
        cache = ReleaseCache(tmp_path, service)
        assert cache.load() is None or service in ("a/b", "a_b", "../../x", ".", "")
        cache.store(message(service, f"of {service!r}"))
        assert loaded(cache) == f"of {service!r}"
    assert [path.name for path in tmp_path.iterdir()] == ["otel-opto"]


def test_what_is_kept_is_the_whole_assignment(tmp_path: Path) -> None:
    ReleaseCache(tmp_path, "qa").store(message())
    kept = ReleaseCache(tmp_path, "qa").load()
    assert kept is not None
    assert kept.assignment == Assignment("qa", 4, 7, (Arm(8, 0, 3_333),), "salt")
    assert [(arm.number, arm.values["prompt"].value) for arm in kept.arms] == [(8, "of the arm")]


def test_any_flipped_byte_is_damage(tmp_path: Path) -> None:
    cache = ReleaseCache(tmp_path, "qa")
    cache.store(message())
    whole = file_of(tmp_path).read_bytes()
    for position in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[position] ^= 1
        file_of(tmp_path).write_bytes(flipped)
        assert cache.load() is None


def test_another_service_s_release_is_passed_over(tmp_path: Path) -> None:
    cache = ReleaseCache(tmp_path, "qa")
    cache.store(message("other"))
    assert cache.load() is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 100, os.urandom(5000), message().SerializeToString().replace(b"good", b"evil"), bytes(40 * 2**20)],
)
def test_damaged_files_are_passed_over(tmp_path: Path, content: bytes) -> None:
    cache = ReleaseCache(tmp_path, "qa")
    cache.store(message())
    file_of(tmp_path).write_bytes(content)
    assert cache.load() is None


def test_what_others_may_have_written_is_passed_over(tmp_path: Path) -> None:
    cache = ReleaseCache(tmp_path, "qa")
    cache.store(message())
    path, directory = file_of(tmp_path), tmp_path / "otel-opto"
    path.chmod(0o666)
    assert cache.load() is None
    path.chmod(0o600)
    directory.chmod(0o770)
    assert cache.load() is None
    directory.chmod(0o755)  # as an earlier version made it
    assert loaded(cache) == "good {question}"
    cache.store(message())
    assert directory.stat().st_mode & 0o777 == 0o700


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    ReleaseCache(elsewhere, "qa").store(message())
    cache = ReleaseCache(tmp_path / "here", "qa")
    cache.store(message(value="own"))
    path = file_of(tmp_path / "here")
    path.unlink()
    path.symlink_to(file_of(elsewhere))
    assert cache.load() is None
    path.unlink()
    os.mkfifo(path, 0o600)
    assert cache.load() is None
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "otel-opto").symlink_to(elsewhere / "otel-opto")
    assert ReleaseCache(linked, "qa").load() is None
    ReleaseCache(linked, "qa").store(message(value="not there"))
    assert loaded(ReleaseCache(elsewhere, "qa")) == "good {question}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_another_user_s_directory_and_file_are_passed_over(tmp_path: Path) -> None:
    cache = ReleaseCache(tmp_path, "qa")
    cache.store(message())
    os.chown(file_of(tmp_path), 12345, 12345)
    assert cache.load() is None
    os.chown(file_of(tmp_path), 0, 0)
    assert cache.load() is not None
    os.chown(tmp_path / "otel-opto", 12345, 12345)
    assert cache.load() is None
    cache.store(message(value="not kept"))
    os.chown(tmp_path / "otel-opto", 0, 0)
    assert loaded(cache) == "good {question}"


def test_with_a_key_a_made_up_release_is_not_applied(tmp_path: Path) -> None:
    keyed = ReleaseCache(tmp_path, "qa", b"secret")
    keyed.store(message())
    assert loaded(keyed) == "good {question}"
    assert ReleaseCache(tmp_path, "qa", b"another").load() is None
    assert ReleaseCache(tmp_path, "qa").load() is None
    sealed = file_of(tmp_path).read_bytes()
    for forged in (message(value="evil").SerializeToString(), sealed[:40] + message(value="evil").SerializeToString()):
        file_of(tmp_path).write_bytes(forged)
        assert keyed.load() is None
    for position in range(0, len(sealed), 7):
        flipped = bytearray(sealed)
        flipped[position] ^= 1
        file_of(tmp_path).write_bytes(flipped)
        assert keyed.load() is None


def test_without_a_home_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    assert default_directory({}) is None
    assert default_directory({"HOME": "relative", "XDG_CACHE_HOME": ""}) is None
    assert default_directory({"HOME": str(tmp_path)}) == tmp_path / ".cache"
    assert default_directory({"HOME": "/h", "XDG_CACHE_HOME": str(tmp_path)}) == tmp_path
    cache = ReleaseCache(None, "qa")
    cache.store(message())
    assert cache.load() is None
    assert settings_of({}, {}, None).cache_directory is None
    nowhere = ReleaseCache(Path("/dev/null/no"), "qa")
    nowhere.store(message())
    assert nowhere.load() is None


def test_the_key_comes_from_the_application_or_the_environment_and_is_not_shown() -> None:
    environment = {"OTEL_OPTO_CACHE_KEY": "from-environment"}
    assert settings_of({}, environment, None).cache_key == b"from-environment"
    given = settings_of({"cache_key": b"given"}, environment, None)
    assert given.cache_key == b"given"
    assert "given" not in repr(given)
