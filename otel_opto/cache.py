"""What was in force last, on disk: what an application starts with while the collector is away.

It is the whole assignment with its releases, so that a unit gets the arm that it had. What is read here decides what
the application runs. So the file is its own: in a directory that only this user may enter, one per service, and with a
key nothing is believed that was not written with it.
"""

import hashlib
import hmac
import logging
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_opto.assignment import Assignment
from otel_opto.release import Release
from otel_opto.spec import content_hash
from otel_opto.v1 import release_pb2
from otel_opto.wire import assignment_of

_LOG = logging.getLogger("otel_opto")
_MAX_BYTES = 32 * 2**20
_SEALED = b"otel-opto releases, hmac-sha256\n"
_SUMMED = b"otel-opto releases, sha256\n"
"""What a file begins with, written with a key or without one; the code of 32 bytes follows, then the releases."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was in force: the assignment, the control's release and those of the arms."""

    assignment: Assignment
    control: Release
    arms: tuple[Release, ...]


class ReleaseCache:
    """One file per service. Nothing here raises: without a disk an application only starts with its defaults.

    Args:
        directory: Where it is kept, in a directory ``otel-opto`` of this user alone; None keeps nothing.
        service: Whose releases they are; another service's are never loaded.
        key: Where given, only a file that was written with it is loaded. It keeps others from making up releases, not
            from bringing back an earlier one.
    """

    def __init__(self, directory: Path | None, service: str, key: bytes = b"") -> None:
        whole = service.encode("utf-8", "surrogatepass")
        readable = re.sub(r"[^A-Za-z0-9.-]", "_", service)[:40]
        self._service = service
        self._key = key
        self._head = _SEALED if key else _SUMMED
        self._path = (
            directory and directory / "otel-opto" / f"{readable}-{hashlib.sha256(whole).hexdigest()[:16]}.releases"
        )

    def store(self, message: release_pb2.WatchReleasesResponse) -> None:
        """Replaces the file in one step, so that a killed process leaves the old one or the new one."""
        if self._path is None:
            return
        try:
            content = message.SerializeToString()
            directory = self._path.parent
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make_private(directory)
            handle, temporary = tempfile.mkstemp(dir=directory, prefix=".release-")  # for its owner alone
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(self._head + self._code(content) + content)
                Path(temporary).replace(self._path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except Exception as error:  # noqa: BLE001 - the release is in force, whatever the disk says
            number = message.release.number
            _LOG.warning("release %d is in force but cannot be kept in %s: %s", number, self._path, error)

    def load(self) -> "Kept | None":
        """What was stored; None without a file, or if it is damaged, another service's, or may be somebody else's."""
        if self._path is None:
            return None
        try:
            message = release_pb2.WatchReleasesResponse.FromString(self._read(self._path))
            control, *arms = (self._release(one) for one in (message.release, *message.arms))
            return Kept(assignment_of(message), control, tuple(arms))
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever the file holds, the application starts
            _LOG.warning("the cached releases %s are passed over: %s", self._path, error)
            return None

    def _release(self, message: release_pb2.Release) -> Release:
        release = Release.from_proto(message)
        if message.service != self._service:
            raise ValueError(f"release {message.number} is one of the service {message.service!r}")
        if content_hash((key, value.value) for key, value in release.values.items()) != message.hash:
            raise ValueError(f"release {message.number} is damaged")
        return release

    def _read(self, path: Path) -> bytes:
        _require_private(path.parent.lstat(), "the directory")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            _require_private(found, "the file")
            if not stat.S_ISREG(found.st_mode):
                raise PermissionError("it is no file")
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ValueError(f"it is longer than {_MAX_BYTES} bytes")
        if content.startswith(_SEALED) and not self._key:
            raise ValueError("it was written with a key; give cache_key or OTEL_OPTO_CACHE_KEY")
        begin = len(self._head) + hashlib.sha256().digest_size
        code = self._code(content[begin:])
        if not hmac.compare_digest(content[:begin], self._head + code):
            raise ValueError("it was not written with this application's key" if self._key else "it is damaged")
        return content[begin:]

    def _code(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256") if self._key else hashlib.sha256(content).digest()


def _make_private(directory: Path) -> None:
    """A directory of an earlier version was open for reading.

    Raises:
        PermissionError: it is somebody else's, or a link.
    """
    if hasattr(os, "geteuid"):
        found = directory.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            directory.chmod(0o700)
        _require_private(directory.lstat(), "the directory")


def _require_private(found: os.stat_result, what: str) -> None:
    """Raises PermissionError if another user of this machine can have written there."""
    if not hasattr(os, "geteuid"):  # not a POSIX system: its own rules hold
        return
    if stat.S_ISLNK(found.st_mode):
        raise PermissionError(f"{what} is a symbolic link")
    if found.st_uid != os.geteuid():
        raise PermissionError(f"{what} belongs to user {found.st_uid}, this process is user {os.geteuid()}")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{what} can be written by others (mode {stat.S_IMODE(found.st_mode):o})")


def default_directory(environment: Mapping[str, str]) -> Path | None:
    """Where releases are kept unless the application says otherwise (XDG base directories).

    None without a home: what all users share is no place for it, they could make it first.
    """
    for name, below in (("XDG_CACHE_HOME", ""), ("HOME", ".cache")):
        base = environment.get(name, "")
        if Path(base).is_absolute():
            return Path(base) / below
    return None
