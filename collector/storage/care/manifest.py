"""What a finished backup consists of. It is written last: a backup without one was not finished."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from collector.storage.integrity.seal import checksum_of

MANIFEST = "backup.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a backup.

    Attributes:
        made_unix_nano: When.
        position: Up to where requests are in it.
        files: By name: length and XXH3, in hex digits.
    """

    made_unix_nano: int
    position: int
    files: Mapping[str, tuple[int, str]]

    def write(self, directory: Path, unfinished: Path) -> None:
        """Puts it in place of the mark of what is unfinished; durable on return."""
        document = json.dumps({"format": _FORMAT, **asdict(self)}, indent=2)
        with unfinished.open("w", encoding="ascii") as file:
            file.write(f"{document}\n{xxh3_64_hexdigest(document.encode())}\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(directory / MANIFEST)

    @classmethod
    def read(cls, directory: Path) -> "Manifest | None":
        """None where there is none, or one that is damaged or of a later format."""
        try:
            document, _, checksum = (directory / MANIFEST).read_text(encoding="ascii").rstrip("\n").rpartition("\n")
            if xxh3_64_hexdigest(document.encode()) != checksum:
                return None
            said = json.loads(document)
            files = {name: (size, digest) for name, (size, digest) in said["files"].items()}
            return cls(said["made_unix_nano"], said["position"], files) if said["format"] == _FORMAT else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def faults(self, directory: Path) -> dict[str, str]:
        """Which files are not what they were, and how."""
        found = {}
        for name, (size, digest) in self.files.items():
            path = directory / name
            if not path.is_file():
                found[name] = "it is missing from the backup"
            elif path.stat().st_size != size or checksum_of(path) != digest:
                found[name] = "it is not what the backup was made of"
        return found
