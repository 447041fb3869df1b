"""Who called whom in one segment, and when: counted once, then read from a file beside the segment."""

import contextlib
import json
import struct
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_HEAD = struct.Struct("<4sIQQ")
"""Magic, checksum of what follows, size of the segment that was counted, length of the pairs."""

_MAGIC = b"OTC1"
_LATEST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Calls:
    """When child spans began, in Unix nanoseconds and ascending, by the services of parent and child."""

    starts: Mapping[tuple[str, str], "array[int]"]

    @classmethod
    def of(cls, found: Iterable[tuple[str, str, int]]) -> "Calls":
        """Of parents, children and starts in any order."""
        starts: dict[tuple[str, str], array[int]] = {}
        for parent, child, start in found:
            starts.setdefault((parent, child), array("Q")).append(start)
        return cls({pair: array("Q", sorted(begun)) for pair, begun in starts.items()})

    def between(self, start: int, end: int) -> Counter[tuple[str, str]]:
        """How many began in that time, both ends included."""
        earliest, latest = max(start, 0), min(end, _LATEST)
        counted = {pair: bisect_right(at, latest) - bisect_left(at, earliest) for pair, at in self.starts.items()}
        return Counter({pair: count for pair, count in counted.items() if count > 0})

    def save(self, path: Path, segment_bytes: int) -> None:
        """All or nothing. Eight bytes for each call, and the size of the segment in which they were counted.

        Raises:
            OSError: nothing was kept.
        """
        pairs = json.dumps([[parent, child, len(at)] for (parent, child), at in self.starts.items()]).encode()
        data = b"".join((pairs, *(_swapped(at).tobytes() for at in self.starts.values())))
        unfinished = path.with_suffix(".calls-unfinished")
        try:
            unfinished.write_bytes(_HEAD.pack(_MAGIC, zlib.crc32(data), segment_bytes, len(pairs)) + data)
            unfinished.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path, segment_bytes: int) -> "Calls | None":
        """None where there are none, or where the file is damaged or of another segment: they can be counted again."""
        try:
            magic, checksum, counted_bytes, length = _HEAD.unpack_from(whole := path.read_bytes())
            data = whole[_HEAD.size :]
        except (OSError, struct.error):
            return None
        if magic != _MAGIC or counted_bytes != segment_bytes or zlib.crc32(data) != checksum:
            return None
        starts, at = {}, length
        for parent, child, count in json.loads(data[:length]):
            begun = array("Q")
            begun.frombytes(data[at : at + 8 * count])
            starts[parent, child] = _swapped(begun)
            at += 8 * count
        return cls(starts)


def _swapped(times: "array[int]") -> "array[int]":
    """Little endian in the file."""
    if sys.byteorder == "big":
        times = array("Q", times)
        times.byteswap()
    return times
