"""SQLite's write-ahead log, read without SQLite, which stops at the first frame that is damaged and says nothing.

Format: https://www.sqlite.org/fileformat2.html, section 4. A frame's checksum goes on from that of the frame before it,
which stands there too: so a damaged frame does not keep those behind it from being checked.
"""

import struct
from collections import Counter
from dataclasses import dataclass

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGICS = {0x377F0682: "<", 0x377F0683: ">"}
_MASK = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Log:
    """What is committed in a write-ahead log.

    Attributes:
        pages: The last content of each page, by its number.
        page_count: Of the database, behind the last commit; 0 if there is none.
        damaged: Frames in front of the last commit that are not whole, the log's header among them.
        end: Where the last commit ends in the log.
        torn_bytes: Behind it, of the same generation: a write that was not finished, or is damaged.
    """

    pages: dict[int, bytes]
    page_count: int
    damaged: int
    end: int
    torn_bytes: int


def read_log(data: bytes, page_size: int) -> Log:
    """Reads one, as far as it can be. Stale frames behind the end are no part of it."""
    if len(data) < _HEADER.size + _FRAME.size + page_size:
        return Log({}, 0, 0, 0, 0)
    magic, _, _, _, salt_1, salt_2, *stored = _HEADER.unpack_from(data)
    order = _MAGICS.get(magic, "<")
    whole = magic in _MAGICS and list(_checksum(data[:24], (0, 0), order)) == stored
    frames = [
        (at, _FRAME.unpack_from(data, at))
        for at in range(_HEADER.size, len(data) - _FRAME.size - page_size + 1, _FRAME.size + page_size)
    ]
    if not whole:  # the frames say it, too
        ((salt_1, salt_2), _), *_ = Counter((frame[2], frame[3]) for _, frame in frames).most_common(1)
    return _committed(data, page_size, frames, (salt_1, salt_2), (stored[0], stored[1]), order, whole)


def _committed(
    data: bytes,
    page_size: int,
    frames: list[tuple[int, tuple[int, ...]]],
    salts: tuple[int, int],
    seed: tuple[int, int],
    order: str,
    whole: bool,
) -> Log:
    seeds = {seed}
    good: list[bool] = []
    last = end = 0
    for number, (at, (_, commit, salt_1, salt_2, *stored)) in enumerate(frames, 1):
        content = data[at : at + 8] + data[at + _FRAME.size : at + _FRAME.size + page_size]
        sums = {_checksum(content, seed, order) for seed in seeds}
        is_good = (stored[0], stored[1]) in sums and (salt_1, salt_2) == salts
        good.append(is_good)
        if is_good and commit:
            last = number
        if (salt_1, salt_2) == salts:
            end = number
        elif number - end > 1:  # one that is damaged is passed over; stale ones come in a row
            break
        seeds = {(stored[0], stored[1])} | (set() if is_good else sums)
    pages = {}
    for at, (page, *_) in frames[:last]:
        pages[page] = data[at + _FRAME.size : at + _FRAME.size + page_size]
    count = frames[last - 1][1][1] if last else 0
    damaged = good[:last].count(False) + (last > 0 and not whole)
    frame_bytes = _FRAME.size + page_size
    return Log(pages, count, damaged, _HEADER.size + last * frame_bytes, max(end - last, 0) * frame_bytes)


def _checksum(data: bytes, seed: tuple[int, int], order: str) -> tuple[int, int]:
    one, two = seed
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        one = (one + even + two) & _MASK
        two = (two + odd + one) & _MASK
    return one, two
