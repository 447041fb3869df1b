"""Group commit: what waits together is made durable together, by one thread."""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from collector.core.errors import Unavailable

_T = TypeVar("_T")
_GATHER_SECONDS, _REST_SECONDS = 0.003, 0.002
_GROUP_BYTES = 2**20


@dataclass(slots=True)
class Job(Generic[_T]):
    """One thing to be made durable. The committer sets `result`, or `error`."""

    work: _T
    size_bytes: int
    done: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class GroupCommit(Generic[_T]):
    """A queue in front of a thread that commits all that waits at once; used from one event loop.

    A group is what came while the one before it was committed, and two milliseconds longer; where more is known to be
    on its way it is waited for, three milliseconds at most. Each commit costs a sync of the disk, and who sends one
    request after the other must not wait for nobody. A mebibyte waits for nothing. Bounded by bytes.

    Args:
        commit: Makes a group durable; what it raises fails every job of the group that has no error of its own.
        max_pending_bytes: Of jobs that wait; beyond it `put` raises `Unavailable`.
        name: Of the thread.
        under_way: How many jobs there will be at once, those that wait included, as far as is known.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Job[_T]]], None],
        max_pending_bytes: int,
        name: str,
        under_way: Callable[[], int] = lambda: 0,
    ) -> None:
        self._commit = commit
        self._under_way = under_way
        self._max_pending_bytes = max_pending_bytes
        self._name = name
        self._pending: list[Job[_T]] = []
        self._pending_bytes = 0
        self._gathered_bytes = 0
        self._rested_at = 0.0
        self._committing = False
        self._timer: asyncio.TimerHandle | None = None
        self._groups: queue.SimpleQueue[list[Job[_T]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    async def put(self, work: _T, size_bytes: int) -> Any:
        """Returns the job's result once its group is durable.

        Raises:
            Unavailable: too much waits, or the queue is not started.
        """
        if self._thread is None:
            raise Unavailable("the store is closed; the collector is stopping")
        if self._pending_bytes and self._pending_bytes + size_bytes > self._max_pending_bytes:
            raise Unavailable(f"{self._pending_bytes} bytes wait to be stored; come back when they are")
        loop = asyncio.get_running_loop()
        job = Job(work, size_bytes, loop.create_future())
        self._pending.append(job)
        self._pending_bytes += size_bytes
        self._gathered_bytes += size_bytes
        self._schedule(loop)
        return await job.done

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sees to it that what waits is handed over, now or soon."""
        if self._committing or not self._pending:
            return
        now = loop.time()
        complete = len(self._pending) >= self._under_way()
        due = self._rested_at if complete else max(self._rested_at, now + _GATHER_SECONDS)
        if self._gathered_bytes >= _GROUP_BYTES or due <= now:
            self._hand_over()
        elif self._timer is None or due < self._timer.when():
            self._cancel_timer()
            self._timer = loop.call_at(due, self._hand_over)

    def stop(self) -> None:
        """Commits what waits, then ends the thread. Safe twice and unstarted."""
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        if self._pending:
            self._groups.put(self._pending)
            self._pending = []
        self._groups.put(None)
        thread.join()

    def _hand_over(self) -> None:
        """Gives the thread what waits."""
        self._cancel_timer()
        if self._pending and not self._committing:
            self._committing = True
            self._groups.put(self._pending)
            self._pending, self._gathered_bytes = [], 0

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        while (group := self._groups.get()) is not None:
            try:
                self._commit(group)
            except Exception as error:  # noqa: BLE001 - raised where the jobs came from; the thread goes on
                for job in group:
                    job.error = job.error or error
            loop = group[0].done.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._settle, group)

    def _settle(self, group: Sequence[Job[_T]]) -> None:
        for job in group:
            self._pending_bytes -= job.size_bytes
            if job.done.done():  # its coroutine was cancelled
                continue
            if job.error is not None:
                job.done.set_exception(job.error)
            else:
                job.done.set_result(job.result)
        self._committing = False
        loop = asyncio.get_running_loop()
        self._rested_at = loop.time() + _REST_SECONDS
        # Not at once: who was waiting goes on first, and is not under way any more.
        loop.call_soon(self._schedule, loop)
