"""The seal of a segment: what its index was made of, and a checksum that says whether it is still that index."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from xxhash import xxh3_64, xxh3_64_hexdigest

_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Seal:
    """Written beside an index when it is saved. An index without one is not trusted.

    Attributes:
        identity: Of the segment file, in hex digits; empty for files that have none.
        segment_bytes: The length of the segment file, all of which the index covers.
        index_version: Of the index.
        index_bytes: Its length.
        index_checksum: XXH3 of all its bytes, in hex digits.
    """

    identity: str
    segment_bytes: int
    index_version: int
    index_bytes: int
    index_checksum: str

    def write(self, path: Path) -> None:
        """All or nothing; durable on return.

        Raises:
            OSError: it cannot be written.
        """
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="ascii") as file:
            line = json.dumps(asdict(self))
            file.write(f"{line}\n{xxh3_64_hexdigest(line.encode())}\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Seal | None":
        """None where there is none, or one that is damaged."""
        try:
            line, checksum = path.read_text(encoding="ascii").splitlines()
            return cls(**json.loads(line)) if xxh3_64_hexdigest(line.encode()) == checksum else None
        except (OSError, ValueError, TypeError):
            return None


def checksum_of(path: Path) -> str:
    """XXH3 of a file, in hex digits.

    Raises:
        OSError: it cannot be read.
    """
    digest = xxh3_64()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
