"""All segments: one that grows, and sealed ones."""

import asyncio
import errno
import itertools
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from collector.core.errors import ConfigError, Unavailable
from collector.core.telemetry import Forgotten, OtlpRequest, StoredRequest
from collector.storage.group_commit import GroupCommit, Job
from collector.storage.integrity.damage import Damage, DamageLog
from collector.storage.patience import OutOfTime, Patience
from collector.storage.segments.segment import IndexDamaged, Segment, numbers_in, segment_of
from collector.storage.segments.segment_file import Gap

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
_FURTHEST = 2**16
"""A position that lies more segments ahead than this was never given: it is damaged itself."""
_QUICK_READERS, _SLOW_READERS = 2, 2
_QUICK_SECONDS = 0.1
_MOST_WAITING = 64
"""Slow readings; what is more is told to come again."""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When a segment is full. Small ones cost every query, large ones memory and the time of a restart.

    Attributes:
        bytes: Of the requests in it.
        entries: Of its index, which is in memory while it grows: about 150 bytes each.
        pending_bytes: Of requests that wait to be written; beyond it they are refused.
    """

    bytes: int = 128 * 2**20
    entries: int = 250_000
    pending_bytes: int = 64 * 2**20


class Segments:
    """The directory ``segments/``. Appends are grouped, one ``fdatasync`` for each group.

    Args:
        directory: Made if it is not there; one process at a time (the database beside it holds the lock).
        limits: See there.
        appended: Called in the writing thread with requests that are durable, before their senders are told, and
            with the newest position.
        under_way: How many requests are being received or appended.
        damages: What is found damaged goes there.
    """

    def __init__(
        self,
        directory: Path,
        limits: SegmentLimits,
        appended: Callable[[Sequence[OtlpRequest], int], None],
        under_way: Callable[[], int],
        damages: DamageLog,
    ) -> None:
        self._directory = directory
        self._damages = damages
        self._limits = limits
        self._appended = appended
        self._queue: GroupCommit[Sequence[OtlpRequest]] = GroupCommit(
            self._commit, limits.pending_bytes, "otel-opto-segments", under_way
        )
        self._segments: tuple[Segment, ...] = ()  # oldest first, the last one grows; replaced, never changed
        self._changing = threading.Lock()  # of `_segments`, not of what they hold
        self._closing = threading.Event()
        self._sealing: ThreadPoolExecutor | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._slow_readers: ThreadPoolExecutor | None = None
        self._slow = 0

    def open(self, beyond: int = 0) -> None:
        """Opens what is there, whatever of it is damaged. Indexes are checked, and made again, behind it.

        Args:
            beyond: A position up to which something was forwarded: what comes stands behind it.

        Raises:
            ConfigError: it cannot be opened.
        """
        self._closing.clear()
        self._sealing = ThreadPoolExecutor(1, thread_name_prefix="otel-opto-sealing")
        self._readers = ThreadPoolExecutor(_QUICK_READERS, thread_name_prefix="otel-opto-segment-reader")
        self._slow_readers = ThreadPoolExecutor(_SLOW_READERS, thread_name_prefix="otel-opto-segment-search")
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            found = numbers_in(self._directory) or [1]
            self._note_missing(found)
            self._segments = tuple(Segment.sealed(self._directory, number, self._damages) for number in found[:-1])
            self._segments += (self._newest(found[-1]),)
            newest = self._segments[-1]
            if not newest.appendable or newest.position(newest.file.size) < beyond:
                self._go_on_behind(newest, segment_of(beyond)[0])
        except (OSError, sqlite3.Error) as error:
            raise ConfigError([f"storage.directory: {self._directory} cannot be opened: {error}"]) from error
        self._sealing.submit(self._check, self._segments[:-1])
        self._queue.start()

    def _newest(self, number: int) -> Segment:
        sealed = Segment.sealed(self._directory, number, self._damages)
        if sealed.looks_sealed():
            sealed.appendable = False
            return sealed
        sealed.close()
        return Segment.opened(self._directory, number, self._damages)

    def _go_on_behind(self, newest: Segment, number: int) -> None:
        """Begins another segment; where the disk is full the newest one grows on, if it can."""
        try:
            self._begin_next(max(newest.number, min(number, newest.number + _FURTHEST)) + 1)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not newest.file.appendable:
                raise
            _LOG.warning("segment %d grows on behind what is damaged: %s", newest.number, error.strerror)

    def _note_missing(self, found: Sequence[int]) -> None:
        for before, number in itertools.pairwise(found):
            if number > before + 1:
                name = f"{before + 1:08d}.otlp"
                what = f"it is missing, and all up to {number - 1:08d}.otlp" if number > before + 2 else "it is missing"
                self._damages.found(Damage(name, 0, 0, what))

    def _check(self, segments: Sequence[Segment]) -> None:
        """Looks at every sealed segment's index, the newest first, so that none has to be made when it is asked."""
        for segment in reversed(segments):
            if self._closing.is_set():
                return
            try:
                if segment.index and not segment.saved:
                    segment.sealing = True
                    self._seal(segment)
            except (OSError, sqlite3.Error) as error:
                _LOG.warning("the index of segment %d cannot be made now: %s", segment.number, error)

    def close(self) -> None:
        """Writes what waits, then closes. Safe twice and unopened."""
        self._closing.set()
        self._queue.stop()
        for executor in (self._sealing, self._readers, self._slow_readers):
            if executor is not None:
                executor.shutdown()
        self._sealing = self._readers = self._slow_readers = None
        for segment in self._segments:
            segment.close()
        self._segments = ()

    async def append(self, requests: Sequence[OtlpRequest]) -> None:
        """All of them, or none; durable and found by every read on return.

        Raises:
            Unavailable: too much waits, or the disk is full.
        """
        await self._queue.put(requests, sum(len(request.body) for request in requests))

    async def read(self, work: Callable[[Sequence[Segment]], _T]) -> _T:
        """Runs `work`, which does not take long, on the segments, oldest first, in a thread of its own.

        Raises:
            Unavailable: the disk fails, or the store is closed.
        """
        return await self._run(self._readers, work)

    async def search(self, work: Callable[[Sequence[Segment], Patience], _T], seconds: float | None) -> _T:
        """Runs `work`, which may take long, beside the reading of what is quickly read.

        Args:
            work: Asks its patience between its steps. Where the caller is cancelled it ends at the next step.
            seconds: It has so much patience from its beginning on; None: any.

        Raises:
            Unavailable: as above, or too many wait already.
        """
        if self._slow >= _MOST_WAITING:
            raise Unavailable(f"{_MOST_WAITING} searches are waiting already; try again when these are done", 5)
        patience = Patience(seconds)
        self._slow += 1
        try:
            return await self._run(self._slow_readers, lambda segments: work(segments, patience))
        finally:
            patience.leave()
            self._slow -= 1

    async def gather(self, work: Callable[[Sequence[Segment], Patience], _T]) -> _T:
        """Runs `work` that mostly is quick, all of it: what is not done after a moment begins anew among the slow ones.

        Raises:
            Unavailable: as above.
        """
        patience = Patience(_QUICK_SECONDS)
        try:
            return await self._run(self._readers, lambda segments: work(segments, patience))
        except OutOfTime:
            return await self.search(work, None)
        finally:
            patience.leave()

    async def _run(self, readers: ThreadPoolExecutor | None, work: Callable[[Sequence[Segment]], _T]) -> _T:
        if readers is None:
            raise Unavailable("the store is closed; the collector is stopping")
        return await asyncio.get_running_loop().run_in_executor(readers, self._read, work)

    def _read(self, work: Callable[[Sequence[Segment]], _T]) -> _T:
        try:
            try:
                return work(self._segments)
            except IndexDamaged:
                return work(self._segments)
            except sqlite3.DatabaseError:
                # An index that was whole when it was opened is not any more. Which one, its checksum says.
                if not [segment for segment in self._segments if segment.look_again()]:
                    raise
                return work(self._segments)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"the store cannot be read now: {error}", 3) from error

    async def size_bytes(self) -> int:
        """Of all files."""
        return await self.read(lambda segments: sum(segment.size_bytes() for segment in segments))

    def newest_position(self) -> int:
        """Behind the request that came last.

        Raises:
            Unavailable: the store is closed.
        """
        if not self._segments:
            raise Unavailable("the store is closed; the collector is stopping")
        newest = self._segments[-1]
        return newest.position(newest.file.size)

    def _commit(self, group: Sequence[Job[Sequence[OtlpRequest]]]) -> None:
        try:
            self._append([request for job in group for request in job.work])
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - one of them cannot be kept: it must not cost the others
            for job in group:
                try:
                    self._append(job.work)
                except Exception as error:  # noqa: BLE001 - raised where the job came from
                    job.error = error

    def _append(self, requests: Sequence[OtlpRequest]) -> None:
        growing = self._segments[-1]
        try:
            growing.append(requests)
        except OSError as error:
            raise Unavailable(
                f"the disk takes nothing now: {error.strerror}; nothing was kept, free space and it goes on", 3
            ) from error
        self._appended(requests, growing.position(growing.file.size))
        if growing.file.size >= self._limits.bytes or growing.index.entries >= self._limits.entries:
            self._roll(growing)

    def _roll(self, full: Segment) -> None:
        try:
            self._begin_next(full.number + 1)
        except OSError as error:  # the full one goes on growing until there is room for another
            _LOG.warning("segment %d is full and no further one can be begun: %s", full.number, error)
            return
        assert self._sealing is not None
        full.sealing = True
        self._sealing.submit(self._seal, full)

    def _begin_next(self, number: int) -> None:
        while (self._directory / f"{number:08d}.otlp").exists():  # something else of that name
            number += 1
        following = Segment.opened(self._directory, number, self._damages)
        with self._changing:
            self._segments = (*self._segments, following)

    def _seal(self, full: Segment) -> None:
        try:
            full.seal()
        except (OSError, sqlite3.Error) as error:  # its index stays in memory, and is tried again at the next start
            _LOG.warning("the index of segment %d stays in memory: %s", full.number, error)
        finally:
            full.sealing = False

    def forget(
        self, received_before_unix_nano: int, max_bytes: int, delivered: Mapping[str, int], now_unix_nano: int
    ) -> Forgotten:
        """Removes the oldest sealed segments beyond the limits.

        Args:
            received_before_unix_nano: Of the newest request in a segment, and of all that came before it: a clock that
                was late for a while makes nothing older than what it follows.
            max_bytes: Of all segments together.
            delivered: Up to which position each destination has been given what came.
            now_unix_nano: What was received later than now was so by a clock that was ahead.

        Raises:
            Unavailable: the disk fails.
        """
        try:
            return self._forget(received_before_unix_nano, max_bytes, delivered, now_unix_nano)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"old segments cannot be removed now: {error}", 3) from error

    def _forget(self, before: int, max_bytes: int, delivered: Mapping[str, int], now: int) -> Forgotten:
        segments = self._segments
        sizes = [segment.size_bytes() for segment in segments]
        too_much = sum(sizes) - max_bytes
        spans = log_records = freed = 0
        undelivered = dict.fromkeys(delivered, 0)
        times = _received(segments, now)
        for segment, size, received in zip(segments[:-1], sizes, times, strict=False):
            if segment.sealing or (received >= before and freed >= too_much):
                break
            extent = segment.extent()
            for destination, position in delivered.items():
                undelivered[destination] += _items_after(segment, position)
            spans, log_records, freed = spans + extent.spans, log_records + extent.log_records, freed + size
            with self._changing:
                self._segments = tuple(kept for kept in self._segments if kept is not segment)
            segment.delete()
        return Forgotten(spans, log_records, {name: lost for name, lost in undelivered.items() if lost})


def _received(segments: Sequence[Segment], now: int) -> Iterator[int]:
    """When the newest request of each segment, or one in front of it, was received.

    A segment that cannot say it (nothing in it can be read, or a clock was ahead) takes the time of the next that can.
    """
    latest = 0
    for place in range(len(segments)):
        said = (segment.extent().last_received for segment in segments[place:])
        latest = max(latest, next((time for time in said if 0 < time <= now), now))
        yield latest


def _items_after(segment: Segment, position: int) -> int:
    number, offset = segment_of(position)
    if number > segment.number:
        return 0
    return segment.index.items_after(offset - 1 if number == segment.number else -1)


def look_through(segments: Iterable[Segment]) -> None:
    """Reads every byte of them, and makes indexes anew that are not whole."""
    for segment in segments:
        for _ in segment.pieces(0):
            pass
        segment.look_again()
        _ = segment.index


def last_received(segments: Sequence[Segment]) -> int:
    """See `TelemetryLog.last_received`."""
    said = (segment.extent().last_received for segment in reversed(segments))
    return next((time for time in said if time), 0)


def requests_after(segments: Iterable[Segment], position: int, max_bytes: int) -> list[StoredRequest]:
    """See `TelemetryLog.requests_after`. What cannot be read is passed over, and said with what follows it."""
    wanted, offset = segment_of(position)
    found: list[StoredRequest] = []
    size = lost_bytes = lost_items = 0
    for segment in segments:
        if segment.number < wanted:
            continue
        for piece in segment.pieces(offset if segment.number == wanted else 0):
            if isinstance(piece, Gap):
                lost_bytes, lost_items = lost_bytes + piece.end - piece.offset, lost_items + piece.items
                continue
            size += len(piece.body)
            if found and size > max_bytes:
                return found
            behind = segment.position(piece.end)
            found.append(
                StoredRequest(behind, piece.signal, piece.body, piece.items, piece.hops, lost_bytes, lost_items)
            )
            lost_bytes = lost_items = 0
    return found
