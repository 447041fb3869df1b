"""Rows of an SQLite file, read page by page without SQLite, which gives up a whole table for one damaged page.

Format: https://www.sqlite.org/fileformat2.html, sections 1.6 (b-tree pages) and 2.1 (records). A cell counts as a row
only where the lengths that it states add up exactly.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Value = None | int | float | str | bytes
Row = tuple[Value, ...]

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
_HEADER_BYTES = {INDEX_INTERIOR: 12, TABLE_INTERIOR: 12, INDEX_LEAF: 8, TABLE_LEAF: 8}
_FILE_HEADER_BYTES = 100
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_LONGEST_PAYLOAD = 2**30
_DEEPEST = 20


class Broken(Exception):
    """Bytes that are not what they should be."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A row as it lies in a page. `rowid`: None in b-trees of indexes and of tables without one."""

    rowid: int | None
    values: Row


class Pages:
    """The pages of a database, some of which may be damaged.

    Args:
        page: Gives a page by its number, the first is 1; empty where there is none.
        count: How many there are.
        size: Of each, in bytes.
    """

    def __init__(self, page: Callable[[int], bytes], count: int, size: int) -> None:
        self.page = page
        self.count = count
        self._size = size
        self.seen: set[int] = set()
        self.broken_cells = 0

    def tree(self, root: int, *, rows_have_ids: bool) -> Iterator[Cell]:
        """The rows under a root page, whatever of it is damaged. Its pages count as seen."""
        yield from self._under(root, rows_have_ids, 0)

    def _under(self, number: int, rows_have_ids: bool, depth: int) -> Iterator[Cell]:
        if number in self.seen or not 0 < number <= self.count or depth > _DEEPEST:
            return
        self.seen.add(number)
        data = self.page(number)
        kind = data[self._start(number)] if data else 0
        leaf, interior = (TABLE_LEAF, TABLE_INTERIOR) if rows_have_ids else (INDEX_LEAF, INDEX_INTERIOR)
        if kind == interior:
            for child in self._children(number, data):
                yield from self._under(child, rows_have_ids, depth + 1)
        if kind != interior or not rows_have_ids:
            yield from self.cells(number, kind if kind in (leaf, interior) else leaf)

    def leaves(self) -> Iterator[tuple[int, int]]:
        """Number and kind of the leaf pages that no tree led to, and that are not free."""
        free = self._free()
        for number in range(1, self.count + 1):
            data = self.page(number)
            kind = data[self._start(number)] if data else 0
            if number not in self.seen and number not in free and kind in (INDEX_LEAF, TABLE_LEAF):
                yield number, kind

    def cells(self, number: int, kind: int) -> list[Cell]:
        """The rows in one page. Where its own list of them leads astray, every place in it is tried."""
        data = self.page(number)
        start = self._start(number)
        (count,) = struct.unpack_from(">H", data, start + 3) if len(data) == self._size else (0,)
        first = start + _HEADER_BYTES[kind]
        found: list[Cell] = []
        astray = data[start : start + 1] != bytes([kind]) or first + 2 * count > self._size
        for at in range(first, min(first + 2 * count, self._size - 1), 2):
            try:
                found.append(self._cell(data, int.from_bytes(data[at : at + 2], "big"), kind))
            except Broken:
                astray = True
                self.broken_cells += 1
        if astray and data:
            known = set(found)
            for at in range(first, self._size - 3):
                try:
                    cell = self._cell(data, at, kind)
                except Broken:
                    continue
                if cell not in known and len(cell.values) > 1:
                    found.append(cell)
        return found

    def _start(self, number: int) -> int:
        return _FILE_HEADER_BYTES if number == 1 else 0

    def _children(self, number: int, data: bytes) -> Iterator[int]:
        start = self._start(number)
        (count,) = struct.unpack_from(">H", data, start + 3)
        (last,) = struct.unpack_from(">I", data, start + 8)
        for at in range(start + 12, min(start + 12 + 2 * count, self._size - 1), 2):
            place = int.from_bytes(data[at : at + 2], "big")
            if place <= self._size - 4:
                yield int.from_bytes(data[place : place + 4], "big")
        yield last

    def _free(self) -> set[int]:
        """The pages on the list of free ones."""
        found: set[int] = set()
        first = self.page(1)
        trunk = int.from_bytes(first[32:36], "big") if first else 0
        while 0 < trunk <= self.count and trunk not in found:
            found.add(trunk)
            data = self.page(trunk)
            following, count = struct.unpack_from(">II", data)
            places = range(8, min(8 + 4 * count, self._size), 4)
            found.update(int.from_bytes(data[at : at + 4], "big") for at in places)
            trunk = following
        return found

    def _cell(self, data: bytes, at: int, kind: int) -> Cell:
        if kind == INDEX_INTERIOR:
            at += 4
        length, at = _varint(data, at)
        rowid = None
        if kind == TABLE_LEAF:
            rowid, at = _varint(data, at)
            rowid = rowid - 2**64 if rowid >= 2**63 else rowid
        if not 2 <= length < _LONGEST_PAYLOAD:
            raise Broken
        return Cell(rowid, _record(self._payload(data, at, length, table=kind == TABLE_LEAF)))

    def _payload(self, data: bytes, at: int, length: int, *, table: bool) -> bytes:
        most = self._size - 35 if table else (self._size - 12) * 64 // 255 - 23
        if length <= most:
            local = length
        else:
            least = (self._size - 12) * 32 // 255 - 23
            local = least + (length - least) % (self._size - 4)
            local = local if local <= most else least
        parts, missing = [data[at : at + local]], length - local
        overflow = int.from_bytes(data[at + local : at + local + 4], "big") if missing else 0
        followed = []
        while missing > 0:
            page = self.page(overflow) if 0 < overflow <= self.count else b""
            if not page:
                raise Broken
            followed.append(overflow)
            parts.append(page[4 : 4 + missing])
            missing -= self._size - 4
            overflow = int.from_bytes(page[:4], "big")
            if overflow > self.count:  # a page of a b-tree, with rows of its own
                raise Broken
        self.seen.update(followed)
        payload = b"".join(parts)
        if len(payload) != length:
            raise Broken
        return payload


def _record(payload: bytes) -> Row:
    end, at = _varint(payload, 0)
    types = []
    while at < end:
        kind, at = _varint(payload, at)
        types.append(kind)
    if at != end or not types:
        raise Broken
    values = []
    for kind in types:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise Broken
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    size = _INTEGERS.get(kind, 8 if kind == 7 else (kind - 12) // 2)
    if kind in (10, 11) or at + size > len(payload):
        raise Broken
    data = payload[at : at + size]
    if kind in _INTEGERS:
        return int.from_bytes(data, "big", signed=True), at + size
    if kind == 7:
        return struct.unpack(">d", data)[0], at + size
    return (data.decode(errors="replace") if kind % 2 else data), at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(9):
        if at >= len(data):
            raise Broken
        byte = data[at]
        at += 1
        if index == 8:
            return value << 8 | byte, at
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    raise Broken
