"""What is where in one segment: a small SQLite database, a file once the segment is sealed."""

import heapq
import sqlite3
import struct
import threading
import weakref
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from collector.core.identity.services import UNKNOWN_SERVICE, service_of
from collector.core.telemetry import Operation, OtlpRequest, Signal, TraceQuery
from collector.core.times import LATEST

VERSION = 1
_SIGNALS = {Signal.TRACES: 1, Signal.LOGS: 2}
_SORTED_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class Place:
    """Where the body of a request lies in its segment."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request that may hold spans that a search looks for, none of which began after `latest_start`."""

    latest_start: int
    place: Place


@dataclass(frozen=True, slots=True)
class Extent:
    """What a segment holds. Times in Unix nanoseconds; 0 where there is nothing."""

    spans: int
    log_records: int
    last_received: int
    latest_start: int


class SegmentIndex:
    """An index that is written by one thread and read by any. It can be made again from its segment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._operations: dict[Operation, bytes] = {}
        # Which requests touch a trace, while the segment grows: a dictionary costs a fifth of a table of random keys.
        # Mostly one does: lists would be looked through again and again by the garbage collector.
        self._growing: dict[Signal, dict[bytes, int | list[int]]] = {signal: {} for signal in Signal}
        self.entries = 0
        self.close = weakref.finalize(self, connection.close)

    @classmethod
    def in_memory(cls) -> "SegmentIndex":
        """An empty one."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        schema = files("collector.storage.segments").joinpath("segment.sql").read_text(encoding="utf-8")
        connection.executescript(schema)
        return cls(connection)

    @classmethod
    def in_file(cls, path: Path) -> "SegmentIndex":
        """One that was saved and does not change any more.

        Raises:
            sqlite3.Error: it is not one, or of another version.
        """
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != VERSION:
                raise sqlite3.DatabaseError(f"index version {version}, known is {VERSION}")
        except sqlite3.Error:
            connection.close()
            raise
        return cls(connection)

    def add(self, requests: Sequence[tuple[int, OtlpRequest]]) -> None:
        """Takes in requests with the offsets of their bodies."""
        with self._lock:
            known = len(self._operations)
            self._connection.execute("BEGIN")
            try:
                for offset, request in requests:
                    self._add(offset, request)
            except BaseException:
                self._connection.execute("ROLLBACK")
                while len(self._operations) > known:  # their rows are gone again
                    self._operations.popitem()
                raise
            self._connection.execute("COMMIT")
            for offset, request in requests:
                growing = self._growing[request.signal]
                for trace_id in request.trace_ids:
                    earlier = growing.setdefault(trace_id, offset)
                    if isinstance(earlier, list):
                        earlier.append(offset)
                    elif earlier != offset:
                        growing[trace_id] = [earlier, offset]
                self.entries += len(request.trace_ids) + 1

    def _add(self, offset: int, request: OtlpRequest) -> None:
        signal, contents = _SIGNALS[request.signal], request.contents
        operations = b"".join(map(self._id, contents.operations))
        self._connection.execute(
            "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                offset,
                len(request.body),
                signal,
                request.items,
                request.received_unix_nano,
                operations,
                contents.earliest_start,
                contents.latest_start,
                contents.shortest,
                contents.longest,
            ),
        )

    def _id(self, operation: Operation) -> bytes:
        known = self._operations.get(operation)
        if known is None:
            number = len(self._operations) + 1
            row = (number, operation.service, operation.name, operation.kind)
            self._connection.execute("INSERT INTO operations VALUES (?, ?, ?, ?)", row)
            known = self._operations[operation] = number.to_bytes(4, "little")
            self.entries += 1
        return known

    def save(self, path: Path) -> None:
        """Writes it into a file, all or nothing."""
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with self._lock:
            rows = (
                (trace_id, _SIGNALS[signal], offset)
                for signal, traces in self._growing.items()
                for trace_id in _in_order(list(traces))
                for offset in _listed(traces[trace_id])
            )
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR IGNORE INTO trace_requests VALUES (?, ?, ?)", rows)
            self._connection.execute("COMMIT")
            self._connection.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.replace(path)

    def places(self, trace_id: bytes, signal: Signal) -> list[Place]:
        """Where a trace's requests lie, in the order of their coming."""
        with self._lock:
            growing = [*_listed(self._growing[signal].get(trace_id, ()))]
        if growing:
            return self.places_at(growing)
        rows = self._rows(
            "SELECT offset, length FROM trace_requests JOIN requests USING (offset)"
            " WHERE trace_id = ? AND trace_requests.signal = ? ORDER BY offset",
            (trace_id, _SIGNALS[signal]),
        )
        return [Place(offset, length) for offset, length in rows]

    def last_place(self, trace_id: bytes, signal: Signal, before: int) -> int | None:
        """The offset of the last request in front of an offset that touches a trace; None if there is none."""
        with self._lock:
            growing = _listed(self._growing[signal].get(trace_id, ()))
            if growing:
                count = bisect_left(growing, before)
                return growing[count - 1] if count else None
        ((found,),) = self._rows(
            "SELECT max(offset) FROM trace_requests WHERE trace_id = ? AND signal = ? AND offset < ?",
            (trace_id, _SIGNALS[signal], before),
        )
        return None if found is None else int(found)

    def newest_places(self, before: int, limit: int) -> list[Place]:
        """Requests of spans in front of an offset, the last first."""
        rows = self._rows(
            "SELECT offset, length FROM requests WHERE signal = 1 AND offset < ? ORDER BY offset DESC LIMIT ?",
            (before, limit),
        )
        return [Place(offset, length) for offset, length in rows]

    def places_behind(self, offset: int) -> list[Place]:
        """Requests of spans behind an offset, in the order of their coming."""
        rows = self._rows(
            "SELECT offset, length FROM requests WHERE signal = 1 AND offset > ? ORDER BY offset", (offset,)
        )
        return [Place(*row) for row in rows]

    def places_at(self, offsets: Sequence[int]) -> list[Place]:
        """The requests whose bodies begin there; one that is none is left out."""
        length = "SELECT offset, length FROM requests WHERE offset = ?"
        return [Place(*row) for offset in offsets for row in self._rows(length, (offset,))]

    def candidates(self, query: TraceQuery) -> list[Candidate]:
        """Requests that may hold what the query looks for, the newest spans first, of equal ones the last."""
        bounds = {
            "start_min": min(query.start_min_unix_nano, LATEST),
            "start_max": min(query.start_max_unix_nano, LATEST),
            "duration_min": min(query.duration_min_nano, LATEST),
            "duration_max": LATEST if query.duration_max_nano is None else min(query.duration_max_nano, LATEST),
        }
        rows = self._rows(
            "SELECT min(latest_start, :start_max) AS latest, offset, length, operations FROM requests WHERE signal = 1"
            " AND latest_start >= :start_min AND earliest_start <= :start_max"
            " AND longest >= :duration_min AND shortest <= :duration_max"
            " ORDER BY latest DESC, offset DESC",
            bounds,
        )
        wanted = self._wanted(query.service, query.operation)
        return [
            Candidate(latest, Place(offset, length))
            for latest, offset, length, operations in rows
            if wanted is None or not wanted.isdisjoint(_numbers_in(operations))
        ]

    def _wanted(self, service: str, name: str) -> frozenset[int] | None:
        """The ids of the operations that are looked for; None if any will do."""
        if not service and not name:
            return None
        rows = self._rows(
            "SELECT id FROM operations WHERE (? = '' OR service IN (?, ?)) AND (? = '' OR name = ?)",
            (service, service, _written(service), name, name),
        )
        return frozenset(number for (number,) in rows)

    def operations(self, service: str) -> set[Operation]:
        """Of a service; of all if it is empty."""
        rows = self._rows(
            "SELECT service, name, kind FROM operations WHERE ? = '' OR service IN (?, ?)",
            (service, service, _written(service)),
        )
        return {Operation(service_of(found), name, kind) for found, name, kind in rows}

    def services(self) -> set[str]:
        """The services that spans came from."""
        return {service_of(service) for (service,) in self._rows("SELECT DISTINCT service FROM operations", ())}

    def extent(self) -> Extent:
        """What the segment holds."""
        ((spans, log_records, last_received),) = self._rows(
            "SELECT coalesce(sum(items) FILTER (WHERE signal = 1), 0),"
            " coalesce(sum(items) FILTER (WHERE signal = 2), 0), coalesce(max(received_unix_nano), 0) FROM requests",
            (),
        )
        ((latest,),) = self._rows("SELECT coalesce(max(latest_start), 0) FROM requests WHERE signal = 1", ())
        return Extent(spans, log_records, last_received, latest)

    def items_after(self, offset: int) -> int:
        """Spans and log records in bodies behind an offset."""
        ((items,),) = self._rows("SELECT coalesce(sum(items), 0) FROM requests WHERE offset > ?", (offset,))
        return int(items)

    def trace_ids(self) -> Iterator[bytes]:
        """The traces of which there are spans, in order."""
        with self._lock:
            growing = list(self._growing[Signal.TRACES])
        if growing:
            return _in_order(growing)
        rows = self._rows("SELECT DISTINCT trace_id FROM trace_requests WHERE signal = 1 ORDER BY trace_id", ())
        return (trace_id for (trace_id,) in rows)

    def trace_count(self) -> int:
        """How many these are."""
        with self._lock:
            growing = len(self._growing[Signal.TRACES])
        if growing:
            return growing
        ((count,),) = self._rows("SELECT count(DISTINCT trace_id) FROM trace_requests WHERE signal = 1", ())
        return int(count)

    def _rows(self, statement: str, values: tuple[object, ...] | Mapping[str, object]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def _listed(offsets: int | Sequence[int]) -> Sequence[int]:
    return (offsets,) if isinstance(offsets, int) else offsets


def _in_order(trace_ids: Sequence[bytes]) -> Iterator[bytes]:
    """Sorted in stretches: to sort all at once would hold everything else up."""
    stretches = range(0, len(trace_ids), _SORTED_AT_ONCE)
    return heapq.merge(*(sorted(trace_ids[start : start + _SORTED_AT_ONCE]) for start in stretches))


def _numbers_in(operations: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(operations) // 4}I", operations)


def _written(service: str) -> str:
    """How a service may stand in an index that an earlier version saved: one without a name was empty there."""
    return "" if service == UNKNOWN_SERVICE else service
