"""The workers of a collector: a queue of work, and the few processes that do it."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from collector.core.errors import TooLarge, Unavailable
from collector.workers.process import WorkerProcess
from collector.workers.wire import Kind

Answering = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What workers may cost.

    Attributes:
        processes: At the same time; none is there before it is needed.
        memory_bytes: Of addresses in each; beyond it its work fails.
        waiting: So much work waits at most; more is refused.
        idle_seconds: A process that nobody has needed for so long is ended.
        inline_bytes: Work on less than this is done by threads of the collector, so that it waits for nothing large.
    """

    processes: int = 2
    memory_bytes: int = 2 * 2**30
    waiting: int = 64
    idle_seconds: float = 30.0
    inline_bytes: int = 128 * 2**10


class Workers:
    """Runs functions in processes.

    A function is named by its module and is given and gives back what can be pickled; it may be a generator: what it
    yields is a question, and what it is sent the answer. One whose caller is cancelled is killed, wherever it is.
    """

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self._room = asyncio.Semaphore(self.limits.processes)
        self._threads = ThreadPoolExecutor(self.limits.processes, thread_name_prefix="otel-opto-worker")
        self._small = ThreadPoolExecutor(2, thread_name_prefix="otel-opto-small-work")
        self._idle: list[tuple[WorkerProcess, asyncio.TimerHandle]] = []
        self._busy: set[WorkerProcess] = set()
        self._waiting = 0

    async def run(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        size: int,
        seconds: float | None = None,
        answer: Answering | None = None,
    ) -> Any:
        """The function's result.

        Args:
            function: Of a module's top level, or a `functools.partial` of one.
            arguments: Of the function.
            size: Of what it works on, in bytes; decides whether a thread will do.
            seconds: It may take from its turn on; None: any time.
            answer: Answers the questions of a generator.

        Raises:
            TooLarge: it took longer, or more memory than a worker may have.
            WorkerLost: its process ended.
            Unavailable: too much work waits already.
            Exception: what the function raised.
        """
        if size <= self.limits.inline_bytes:
            return await self._in_thread(function, arguments, answer)
        if self._waiting >= self.limits.waiting:
            raise Unavailable("too much is being computed already; try again when that is done", 5)
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._in_process(function, arguments, seconds, answer)
        finally:
            self._room.release()

    async def _in_thread(self, function: Callable[..., Any], arguments: Any, answer: Answering | None) -> Any:
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._small, function, *arguments)
        if not isinstance(result, Generator):
            return result
        done, value = await loop.run_in_executor(self._small, _step, result, None)
        while not done:
            assert answer is not None
            done, value = await loop.run_in_executor(self._small, _step, result, await answer(value))
        return value

    async def _in_process(
        self, function: Callable[..., Any], arguments: Any, seconds: float | None, answer: Answering | None
    ) -> Any:
        process = self._taken()
        try:
            async with asyncio.timeout(seconds) as time:
                kind, content = await self._exchanged(process, Kind.WORK, (function, arguments))
                while kind is Kind.QUESTION:
                    assert answer is not None
                    kind, content = await self._exchanged(process, Kind.ANSWER, await answer(content))
        except BaseException as error:  # cancelled, late or lost: its process is in the middle of something
            self._discard(process)
            if isinstance(error, TimeoutError) and time.expired():
                raise TooLarge(f"it took longer than {seconds:g} s to compute") from None
            raise
        self._rest(process)
        if kind is Kind.NO_MEMORY:
            raise TooLarge(f"it needs more than {self.limits.memory_bytes:,} bytes of memory to compute")
        if kind is Kind.FAULT:
            raise content
        return content

    async def _exchanged(self, process: WorkerProcess, kind: Kind, content: Any) -> tuple[Kind, Any]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, process.exchange, kind, content)

    def _taken(self) -> WorkerProcess:
        if self._idle:
            process, retiring = self._idle.pop()
            retiring.cancel()
        else:
            process = WorkerProcess(self.limits.memory_bytes)
        self._busy.add(process)
        return process

    def _rest(self, process: WorkerProcess) -> None:
        self._busy.discard(process)
        retiring = asyncio.get_running_loop().call_later(self.limits.idle_seconds, self._retire, process)
        self._idle.append((process, retiring))

    def _retire(self, process: WorkerProcess) -> None:
        self._idle = [one for one in self._idle if one[0] is not process]
        self._threads.submit(process.close)

    def _discard(self, process: WorkerProcess) -> None:
        """Ends it at once; a thread waits for its end."""
        process.kill()
        if process in self._busy:
            self._busy.discard(process)
            self._threads.submit(process.close)

    async def stop(self) -> None:
        """Ends all processes. Safe twice and unstarted."""
        for process, retiring in self._idle:
            retiring.cancel()
            self._threads.submit(process.close)
        self._idle.clear()
        for process in tuple(self._busy):
            self._discard(process)
        for threads in (self._threads, self._small):
            await asyncio.to_thread(threads.shutdown)


def _step(work: Generator[Any, Any, Any], answer: Any) -> tuple[bool, Any]:
    """One question of a generator, or its result; a StopIteration cannot leave a thread as itself."""
    try:
        return False, work.send(answer)
    except StopIteration as end:
        return True, end.value
