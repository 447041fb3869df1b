"""What was found damaged: said, counted and kept aside, once each."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector.counters import Counter, Counters

_LOG = logging.getLogger(__name__)

ASIDE = "damaged"
"""The folder of a data directory in which damaged bytes are kept, each stretch in a file that bears its name."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One stretch of a file that cannot be read as what it was.

    Attributes:
        file: Its name, as it stands in the data directory.
        offset: Where the stretch begins.
        size: Its bytes; 0 where nothing is lost but the order or the trust in something.
        what: What is wrong.
        items: Spans and log records in it, as far as is known.
    """

    file: str
    offset: int
    size: int
    what: str
    items: int = 0

    @property
    def name(self) -> str:
        """Under which the bytes are kept aside."""
        return f"{self.file}.{self.offset}-{self.offset + self.size}"


class DamageLog:
    """Used from any thread.

    Args:
        directory: Where damaged bytes are kept aside.
        counters: What is found is counted.
        quiet: Notes only, neither says nor keeps aside.
    """

    def __init__(self, directory: Path, counters: Counters, *, quiet: bool = False) -> None:
        self.directory = directory
        self._quiet = quiet
        self.counters = counters
        self._found: dict[tuple[str, int], Damage] = {}
        self._lock = threading.Lock()

    def found(self, damage: Damage, keep: Callable[[Path], None] | None = None) -> bool:
        """Notes it, and counts what was not noted before. False where its bytes could not be kept aside.

        Args:
            damage: See there.
            keep: Writes the bytes into the file of that name.
        """
        with self._lock:
            known = self._found.setdefault((damage.file, damage.offset), damage)
        if known is not damage:
            return True
        self.counters.add(Counter.STORAGE_DAMAGED_STRETCHES)
        self.counters.add(Counter.STORAGE_DAMAGED_BYTES, damage.size)
        if self._quiet:
            return True
        _LOG.error(
            "%s is damaged at byte %d, %d bytes: %s; what follows is read, `otel-opto doctor --data-dir` lists it",
            damage.file, damage.offset, damage.size, damage.what,
        )  # fmt: skip
        return keep is None or self._kept(damage.name, keep)

    def knows(self, file: str, offset: int) -> bool:
        """Whether damage that begins there was noted before."""
        return (file, offset) in self._found

    def torn(self, file: str, offset: int, end: int, keep: Callable[[Path], None]) -> bool:
        """Counts the end of a write that was never acknowledged. False where it could not be kept aside."""
        self.counters.add(Counter.STORAGE_TORN_BYTES, end - offset)
        if self._quiet:
            return True
        _LOG.warning("%s ends at byte %d: %d bytes behind it are no whole request", file, offset, end - offset)
        return self._kept(f"{file}.{offset}-{end}", keep)

    def _kept(self, name: str, keep: Callable[[Path], None]) -> bool:
        try:
            self.directory.mkdir(parents=True, mode=0o700, exist_ok=True)
            keep(self.directory / name)
        except OSError as error:
            _LOG.warning("%s cannot be kept aside and stays where it is: %s", name, error.strerror or error)
            return False
        return True

    def rebuilt(self, file: str, why: str) -> None:
        """An index was made again from what it is the index of."""
        self.counters.add(Counter.STORAGE_REBUILT_INDEXES)
        _LOG.warning("%s is made again from its segment: %s", file, why)

    def all(self) -> list[Damage]:
        """Everything that was found, by file and offset."""
        with self._lock:
            return sorted(self._found.values(), key=lambda damage: (damage.file, damage.offset))

    def size_bytes(self) -> int:
        """Of what is kept aside."""
        return sum(path.stat().st_size for path in self.directory.glob("*") if path.is_file())

    def forget(self, file: str) -> None:
        """Removes what was kept aside of a file that is gone: it must not outlive the rest."""
        for path in self.directory.glob(f"{file}.*"):
            path.unlink(missing_ok=True)
