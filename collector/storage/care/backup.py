"""A copy of a data directory that is whole at one moment, also while a collector runs on it; and the way back.

The moment is that at which the copying begins: requests up to the end of the newest segment then, and the database a
little later, so that it has all feedback that came with them. Where it says that more was forwarded, that is taken
back: what comes after a restore takes those places.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from xxhash import xxh3_64

from collector.core.errors import ConfigError
from collector.core.protocols import Clock
from collector.storage.care.manifest import MANIFEST, Manifest
from collector.storage.database import DATABASE
from collector.storage.segments.segment import numbers_in, position_of
from collector.storage.segments.segment_file import SegmentFile
from collector.storage.tables.deliveries import take_back

_UNFINISHED_BACKUP, _UNFINISHED_RESTORE = "backup.unfinished", "restore.unfinished"
_CHUNK_BYTES = 2**20


def back_up(directory: Path, target: Path, clock: Clock, *, link: bool = False) -> Manifest:
    """Makes a backup.

    Args:
        directory: A data directory; a collector may be running on it. A backup is one, too.
        target: An empty directory, or none yet, that is not inside the other.
        clock: Says when.
        link: Sealed segments are linked, not copied: quick and small, but a damaged disk damages both.

    Raises:
        ConfigError: one of the directories is not what it must be.
        OSError, sqlite3.Error: it could not be written; nothing of it is left.
    """
    if not (directory / DATABASE).exists():
        raise ConfigError([f"--data-dir: {directory} is no data directory; a collector prints its own when it starts"])
    with _written(directory, target, _UNFINISHED_BACKUP) as unfinished:
        segments = _ends(directory / "segments")
        position = max((position_of(number, end) for number, end in segments.items()), default=0)
        files = _database(directory, target, position)
        (target / "segments").mkdir(mode=0o700)
        for number, end in segments.items():
            growing = number == max(segments)
            for suffix in (".otlp",) if growing else (".otlp", ".index", ".seal"):
                name = f"segments/{number:08d}{suffix}"
                with contextlib.suppress(FileNotFoundError):  # retention was faster, or the index is not written yet
                    limit = end if suffix == ".otlp" else None
                    files[name] = _copied(directory / name, target / name, limit, link=link and not growing)
        manifest = Manifest(clock.now_unix_nano(), position, files)
        _sync(target / "segments")
        manifest.write(target, unfinished)
    return manifest


def restore(backup: Path, target: Path) -> Manifest:
    """Makes a data directory out of a backup, and checks every byte of it.

    Args:
        backup: A finished one.
        target: An empty directory, or none yet.

    Raises:
        ConfigError: the backup is not finished or not what it was, or the target is not empty.
        OSError: it could not be written; nothing of it is left.
    """
    manifest = Manifest.read(backup)
    if manifest is None:
        why = "it was not finished" if (backup / _UNFINISHED_BACKUP).exists() else f"{MANIFEST} is missing or damaged"
        raise ConfigError([f"{backup} is no backup: {why}; `otel-opto doctor --data-dir` looks through what is there"])
    with _written(backup, target, _UNFINISHED_RESTORE) as unfinished:
        (target / "segments").mkdir(mode=0o700)
        faults = []
        for name, said in manifest.files.items():
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ConfigError([f"{backup}: {name} does not lie in it"])
            try:
                if _copied(backup / name, target / name, None) != said:
                    faults.append(f"{backup}: {name} is not what the backup was made of")
            except FileNotFoundError:
                faults.append(f"{backup}: {name} is missing")
        if faults:
            cure = "restore another one, or copy it by hand: a collector reads what is whole of a damaged directory"
            raise ConfigError([*faults, cure])
        _sync(target / "segments")
        unfinished.unlink()
    return manifest


@contextlib.contextmanager
def _written(source: Path, target: Path, mark: str) -> Iterator[Path]:
    """A directory that bears the mark until it is finished, and is emptied again where it cannot be."""
    inside = target.resolve().is_relative_to(source.resolve()) or source.resolve().is_relative_to(target.resolve())
    if inside:
        raise ConfigError([f"{target} and {source} lie in each other; choose another directory"])
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(
            [f"{target} is there already and not empty; nothing is overwritten, choose another directory"]
        )
    is_new = not target.exists()
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = target / mark
    try:
        unfinished.write_text(
            "It is being written, or that was interrupted. Remove this directory then.\n", encoding="ascii"
        )
        yield unfinished
        _sync(target)
    except BaseException:
        for path in target.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if is_new:
            target.rmdir()
        raise


def _ends(directory: Path) -> dict[int, int]:
    """Where each segment ends now, by number; the newest one behind its last whole request."""
    numbers = numbers_in(directory) if directory.is_dir() else []
    found = {}
    for number in numbers:
        with contextlib.suppress(FileNotFoundError):
            file = SegmentFile(directory / f"{number:08d}.otlp", writable=False)
            ends = [frame.end for frame in file.frames()] if number == numbers[-1] else [file.size]
            found[number] = ends[-1] if ends else min(file.size, _beginning(file))
            file.close()
    return found


def _beginning(file: SegmentFile) -> int:
    return file.format.first if file.format is not None else 0


def _database(directory: Path, target: Path, position: int) -> dict[str, tuple[int, str]]:
    """A consistent copy through SQLite; where the database is too damaged for that, its bytes as they are."""
    source = directory / DATABASE
    try:
        reading = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
        writing = sqlite3.connect(target / DATABASE, isolation_level=None)
        try:
            reading.backup(writing)
            with contextlib.suppress(sqlite3.OperationalError):  # a table that an earlier schema did not have
                take_back(writing, position)
            writing.execute("PRAGMA journal_mode = DELETE")
        finally:
            reading.close()
            writing.close()
        return {DATABASE: _read(target / DATABASE)}
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY):
            raise
    names = [name for name in (f"{DATABASE}-wal", DATABASE) if (directory / name).exists()]
    return {name: _copied(directory / name, target / name, None) for name in names}


def _copied(source: Path, target: Path, end: int | None, *, link: bool = False) -> tuple[int, str]:
    if link:
        with contextlib.suppress(OSError):  # another file system: then it is copied
            target.hardlink_to(source)
            return _read(target)
    digest, size = xxh3_64(), 0
    with source.open("rb") as reading, target.open("wb") as writing:
        os.fchmod(writing.fileno(), 0o600)
        while chunk := reading.read(_CHUNK_BYTES if end is None else min(_CHUNK_BYTES, end - size)):
            writing.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return size, digest.hexdigest()


def _read(path: Path) -> tuple[int, str]:
    digest, size = xxh3_64(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
