"""Applications that watch: gRPC channels of their own each, many in one process, in processes beside the collector."""

import asyncio
import multiprocessing
import os
import random
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import grpc

from otel_opto.process.line import CHANNEL_OPTIONS
from otel_opto.v1 import release_pb2, release_pb2_grpc

_OPTIONS = (*CHANNEL_OPTIONS, ("grpc.use_local_subchannel_pool", 1))  # otherwise they would share one connection
_AT_ONCE, _BREATH_SECONDS = 50, 0.15
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """What the watchers of a process, or of several, have seen so far.

    Attributes:
        live: How many watch now.
        releases: By number of the control: when each watcher received it, in seconds of the monotonic clock.
    """

    live: int
    releases: Mapping[int, Sequence[float]]


class Watchers:
    """Watchers in processes of their own.

    Args:
        address: HOST:PORT of the collector.
        service: Whose releases are watched.
        count: How many watchers, all processes together.
        processes: How many processes share them.
    """

    def __init__(self, address: str, service: str, count: int, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.count = count
        self._pipes: list[Connection] = []
        self._processes = []
        for number in range(processes):
            ours, theirs = context.Pipe()
            share = count // processes + (number < count % processes)
            process = context.Process(target=_watch_all, args=(theirs, address, service, share), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def seen(self) -> Seen:
        """Asks all processes."""
        for pipe in self._pipes:
            pipe.send("seen")
        answers: list[Seen] = [pipe.recv() for pipe in self._pipes]
        releases: defaultdict[int, list[float]] = defaultdict(list)
        for answer in answers:
            for number, times in answer.releases.items():
                releases[number] += times
        return Seen(sum(answer.live for answer in answers), releases)

    def connected(self, seconds: float) -> int:
        """How many watch, once all do or after that time."""
        return self._until(lambda seen: seen.live, seconds).live

    def received(self, release: int, seconds: float) -> Sequence[float]:
        """When each watcher received a release, in order, once all have it or after that time."""
        seen = self._until(lambda seen: len(seen.releases.get(release, ())), seconds)
        return sorted(seen.releases.get(release, ()))

    def _until(self, reached: Callable[[Seen], int], seconds: float) -> Seen:
        deadline = time.monotonic() + seconds
        while True:
            seen = self.seen()
            if reached(seen) >= self.count or time.monotonic() > deadline:
                return seen
            time.sleep(_LOOK_SECONDS)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Nobody of them reads meanwhile: their processes are stopped by a signal, their connections stay."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            assert process.pid is not None
            os.kill(process.pid, number)

    def end(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            process.kill()
            process.join()


def _watch_all(pipe: Connection, address: str, service: str, count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_Process(pipe, address, service).run(count))


class _Process:
    def __init__(self, pipe: Connection, address: str, service: str) -> None:
        self._pipe = pipe
        self._address = address
        self._service = service
        self._live = 0
        self._releases: defaultdict[int, list[float]] = defaultdict(list)

    async def run(self, count: int) -> None:
        """Until the pipe ends."""
        ended = asyncio.Event()

        def answer() -> None:
            try:
                self._pipe.recv()
                self._pipe.send(Seen(self._live, dict(self._releases)))
            except (EOFError, OSError):
                asyncio.get_running_loop().remove_reader(self._pipe.fileno())
                ended.set()

        asyncio.get_running_loop().add_reader(self._pipe.fileno(), answer)
        tasks = []
        for number in range(count):
            tasks.append(asyncio.create_task(self._watch(number)))
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(_BREATH_SECONDS)
        await ended.wait()
        os._exit(0)  # a thousand channels take their time to be closed one by one

    async def _watch(self, number: int) -> None:
        applied = revision = 0
        while True:
            async with grpc.aio.insecure_channel(self._address, options=_OPTIONS) as channel:
                request = release_pb2.WatchReleasesRequest(
                    service=self._service, instance_id=f"{os.getpid()}-{number}", applied=applied, revision=revision
                )
                try:
                    call = release_pb2_grpc.ReleaseServiceStub(channel).WatchReleases(request)
                    await call.initial_metadata()
                    self._live += 1
                    try:
                        async for message in call:
                            applied, revision = message.release.number, message.assignment.revision
                            self._releases[applied].append(time.monotonic())
                    finally:
                        self._live -= 1
                except grpc.aio.AioRpcError:
                    pass
            await asyncio.sleep(0.2 + random.random())
