"""One process at a time owns a data directory."""

import fcntl
from pathlib import Path
from typing import TextIO

from collector.core.errors import ConfigError

UNFINISHED = ("backup.unfinished", "restore.unfinished")
"""Files that say that the directory is being written by a backup or a restore, or was when that ended."""


class DirectoryLock:
    """Held from `take` to `release`, or to the end of the process.

    Args:
        directory: Made if it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: TextIO | None = None

    def take(self) -> None:
        """Takes it.

        Raises:
            ConfigError: another process has it, the directory cannot be used, or it is half a backup.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in UNFINISHED:
                if (self._directory / name).exists():
                    what = f"{self._directory} is a {name.partition('.')[0]} that was not finished"
                    raise ConfigError([f"storage.directory: {what}; remove it and do that again"])
            self._file = (self._directory / "lock").open("a", encoding="utf-8")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise ConfigError(
                [f"storage.directory: {self._directory} is in use by another collector; stop it or choose another one"]
            ) from None
        except OSError as error:
            self.release()
            raise ConfigError([f"storage.directory: {self._directory} cannot be used: {error.strerror}"]) from error

    def release(self) -> None:
        """Gives it back. Safe twice and without having it."""
        if self._file is not None:
            self._file.close()
            self._file = None


def is_held(directory: Path) -> bool:
    """Whether a collector runs on a directory. Changes nothing in it."""
    try:
        with (directory / "lock").open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
