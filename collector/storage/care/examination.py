"""Looks through a whole data directory, also while a collector runs on it, and changes nothing."""

import itertools
import re
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from collector.core.errors import ConfigError
from collector.counters import Counters
from collector.storage.care.manifest import MANIFEST, Manifest
from collector.storage.database import DATABASE
from collector.storage.integrity.damage import ASIDE, Damage, DamageLog
from collector.storage.integrity.mending import Mending
from collector.storage.lock import UNFINISHED, is_held
from collector.storage.migrations import migrations
from collector.storage.segments.segment import Segment, numbers_in
from collector.storage.segments.segment_file import Gap

_OURS = re.compile(r"[0-9]{8}\.[a-z-]+")


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found.

    Attributes:
        running: Whether a collector runs on the directory; what it is writing at the moment is not judged.
        segments: So many were read.
        requests: So many whole ones are in them.
        bytes: Of all of them.
        damages: What is damaged, by file and place.
        aside: Names of files that hold damaged bytes that were set aside before.
    """

    running: bool
    segments: int
    requests: int
    bytes: int
    damages: tuple[Damage, ...]
    aside: tuple[str, ...]


def examine(directory: Path) -> Examination:
    """Reads every byte: about a second for a gigabyte.

    Raises:
        ConfigError: it is no data directory.
    """
    segments = directory / "segments"
    if not segments.is_dir() and not (directory / DATABASE).exists():
        raise ConfigError([f"--data-dir: {directory} is no data directory; a collector prints its own when it starts"])
    running = is_held(directory)
    damages = DamageLog(directory / ASIDE, Counters(), quiet=True)
    for name in UNFINISHED:
        if (directory / name).exists():
            damages.found(Damage(name, 0, 0, "it was not finished"))
    numbers = numbers_in(segments) if segments.is_dir() else []
    requests = size = 0
    for number in numbers:
        newest = number == numbers[-1]
        try:
            whole, length = _segment(segments, number, damages, growing=newest, running=running)
        except FileNotFoundError:  # retention was faster
            continue
        requests, size = requests + whole, size + length
    _names(segments, numbers, damages)
    _database(directory, damages, running=running, has_segments=bool(requests))
    _manifest(directory, damages)
    aside = tuple(sorted(path.name for path in (directory / ASIDE).glob("*")))
    return Examination(running, len(numbers), requests, size, tuple(damages.all()), aside)


def _segment(directory: Path, number: int, damages: DamageLog, *, growing: bool, running: bool) -> tuple[int, int]:
    segment = Segment.sealed(directory, number, damages, writable=False)
    name, requests = segment.path.name, 0
    try:
        for piece in segment.file.pieces():
            if not isinstance(piece, Gap):
                requests += segment.can_be_read(piece)
                continue
            at_the_end = growing and piece.end == segment.file.size
            torn = at_the_end and (piece.torn or segment.file.is_blank(piece))
            if at_the_end and running:
                continue
            what = "a torn end, which the next start cuts off" if torn else "no whole request lies there"
            damages.found(Damage(name, piece.offset, piece.end - piece.offset, what, piece.items))
        if not growing or segment.looks_sealed():
            index = segment.trusted()
            if index is not None:
                index.close()
            elif not running:
                what = "not what was written for the segment; it is made again when it is needed"
                damages.found(Damage(segment.path.with_suffix(".index").name, 0, 0, what))
        return requests, segment.file.size
    finally:
        segment.close()


def _names(directory: Path, numbers: list[int], damages: DamageLog) -> None:
    for before, number in itertools.pairwise(numbers):
        if number > before + 1:
            damages.found(Damage(f"{before + 1:08d}.otlp", 0, 0, f"missing, and all up to segment {number}"))
    known = {f"{number:08d}" for number in numbers}
    for path in directory.glob("*"):
        if not _OURS.fullmatch(path.name) or path.name[:8] not in known or not path.is_file():
            damages.found(Damage(path.name, 0, 0, "no file of a collector; it is left alone"))


def _database(directory: Path, damages: DamageLog, *, running: bool, has_segments: bool) -> None:
    path = directory / DATABASE
    if not path.exists() or path.stat().st_size == 0:
        if has_segments:
            damages.found(Damage(DATABASE, 0, 0, "it is not there; a start makes a new one, without what it held"))
        return
    try:
        faults = _faults(path, running=running)
    except sqlite3.OperationalError:  # a directory that cannot be written to, with a log in it: SQLite needs more
        with tempfile.TemporaryDirectory() as copy:
            for suffix in ("", "-wal"):
                if path.with_name(DATABASE + suffix).exists():
                    shutil.copy(path.with_name(DATABASE + suffix), copy)
            faults = _faults(Path(copy) / DATABASE, running=False)
    for fault in faults:
        damages.found(Damage(DATABASE, len(damages.all()), 0, fault))


def _faults(path: Path, *, running: bool) -> list[str]:
    mending = Mending(path, migrations(), DamageLog(path.parent / ASIDE, Counters(), quiet=True))
    return mending.faults(whole=True, log=not running)


def _manifest(directory: Path, damages: DamageLog) -> None:
    if not (directory / MANIFEST).exists():
        return
    manifest = Manifest.read(directory)
    if manifest is None:
        damages.found(Damage(MANIFEST, 0, 0, "it cannot be read"))
        return
    for name, fault in manifest.faults(directory).items():
        damages.found(Damage(name, 0, 0, fault))
