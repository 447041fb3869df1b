"""Reading from a disk that cannot read all of it: what it cannot is zeros, and fails its checksum."""

import errno
import os
from pathlib import Path

_SECTOR_BYTES = 4_096


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Bytes of a file from an offset on; fewer at its end.

    Raises:
        OSError: for another reason than a sector that cannot be read.
    """
    try:
        return os.pread(descriptor, length, offset)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    end = min(offset + length, os.fstat(descriptor).st_size)
    starts = range(offset, end, _SECTOR_BYTES)
    return b"".join(_sector(descriptor, min(_SECTOR_BYTES, end - start), start) for start in starts)


def read_all(path: Path) -> bytes:
    """A whole file; nothing where there is none.

    Raises:
        OSError: as above.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return read_at(descriptor, os.fstat(descriptor).st_size, 0)
    finally:
        os.close(descriptor)


def _sector(descriptor: int, length: int, offset: int) -> bytes:
    try:
        return os.pread(descriptor, length, offset)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    return bytes(length)
