"""Group commit: what waits together is made durable together, by one thread."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from collector.core.errors import Unavailable

_T = TypeVar("_T")


@dataclass(slots=True)
class Job(Generic[_T]):
    """One thing to be made durable. The committer sets `result`, or `error`."""

    work: _T
    size_bytes: int
    done: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class GroupCommit(Generic[_T]):
    """A queue in front of a thread that commits all that waits at once.

    Nothing lingers: a job that finds the thread idle is committed alone, and jobs that come while it is busy make the
    next group. Bounded by bytes.

    Args:
        commit: Makes a group durable; what it raises fails every job of the group that has no error of its own.
        max_pending_bytes: Of jobs that wait; beyond it `put` raises `Unavailable`.
        name: Of the thread.
    """

    def __init__(self, commit: Callable[[Sequence[Job[_T]]], None], max_pending_bytes: int, name: str) -> None:
        self._commit = commit
        self._max_pending_bytes = max_pending_bytes
        self._name = name
        self._pending: deque[Job[_T]] = deque()
        self._pending_bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def pending_bytes(self) -> int:
        """Of jobs that are not durable yet."""
        return self._pending_bytes

    def start(self) -> None:
        """Starts the thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    async def put(self, work: _T, size_bytes: int) -> Any:
        """Returns the job's result once its group is durable.

        Raises:
            Unavailable: too much waits, or the queue is not started.
        """
        job = Job(work, size_bytes, asyncio.get_running_loop().create_future())
        with self._changed:
            if self._stopping or self._thread is None:
                raise Unavailable("the store is closed; the collector is stopping")
            if self._pending_bytes and self._pending_bytes + size_bytes > self._max_pending_bytes:
                raise Unavailable(f"{self._pending_bytes} bytes wait to be stored; come back when they are")
            self._pending.append(job)
            self._pending_bytes += size_bytes
            self._changed.notify()
        return await job.done

    def stop(self) -> None:
        """Commits what waits, then ends the thread. Safe twice and unstarted."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._stopping)
                if not self._pending:
                    return
                group = list(self._pending)
                self._pending.clear()
            try:
                self._commit(group)
            except Exception as error:  # noqa: BLE001 - raised where the jobs came from; the thread goes on
                for job in group:
                    job.error = job.error or error
            with self._changed:
                self._pending_bytes -= sum(job.size_bytes for job in group)
            _resolve(group)


def _resolve(group: Sequence[Job[Any]]) -> None:
    """Wakes the waiting coroutines, each event loop once for all of its jobs."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job[Any]]] = {}
    for job in group:
        by_loop.setdefault(job.done.get_loop(), []).append(job)
    for loop, jobs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, jobs)


def _settle(jobs: Sequence[Job[Any]]) -> None:
    for job in jobs:
        if job.done.done():  # its coroutine was cancelled
            continue
        if job.error is not None:
            job.done.set_exception(job.error)
        else:
            job.done.set_result(job.result)
