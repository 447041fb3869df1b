"""The last known release on disk: what an application starts with while the collector is away."""

import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from otel_opto.release import Release
from otel_opto.spec import content_hash
from otel_opto.v1 import release_pb2

_LOG = logging.getLogger("otel_opto")


class ReleaseCache:
    """One file per service. Nothing here raises: without a disk an application only starts with its defaults."""

    def __init__(self, directory: Path, service: str) -> None:
        name = "".join(character if character.isalnum() or character in "-." else "_" for character in service)
        self._path = directory / f"{name}.release"

    def store(self, message: release_pb2.Release) -> None:
        """Replaces the file in one step, so that a killed process leaves the old one or the new one."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".release-")
            with os.fdopen(handle, "wb") as file:
                file.write(message.SerializeToString())
            Path(temporary).replace(self._path)
        except OSError as error:
            _LOG.warning("release %d is in force but cannot be kept in %s: %s", message.number, self._path, error)

    def load(self) -> Release | None:
        """The release; None if there is no file or it is damaged."""
        try:
            message = release_pb2.Release.FromString(self._path.read_bytes())
            release = Release.from_proto(message)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever the file holds, the application starts
            _LOG.warning("the cached release %s cannot be read and is passed over: %s", self._path, error)
            return None
        if content_hash((key, value.value) for key, value in release.values.items()) != message.hash:
            _LOG.warning("the cached release %s is damaged and is passed over", self._path)
            return None
        return release


def default_directory(environment: Mapping[str, str]) -> Path:
    """Where releases are kept unless the application says otherwise (XDG base directories)."""
    base = environment.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "otel-opto"
    home = environment.get("HOME")
    return (Path(home) / ".cache" if home else Path(tempfile.gettempdir())) / "otel-opto"
