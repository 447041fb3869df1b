"""The collector as a whole: builds the parts, starts sinks before sources, stops sources before sinks."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import grpc

from collector.api import grpc_services, http
from collector.api.drawing import drawn
from collector.api.operations import Backend, Operations
from collector.config import Config
from collector.core.errors import CollectorError, ConfigError
from collector.counters import Counters
from collector.improver import Improver, ImproverSettings
from collector.listeners import GrpcListener, HttpListener
from collector.optimizer.registry import OptimizerRegistry
from collector.pipeline import Pipeline
from collector.publisher.hub import ReleaseHub
from collector.receiver import otlp_grpc
from collector.receiver.limits import Budget, ReceiverLimits
from collector.receiver.otlp_http import OtlpHttp
from collector.storage.file_store import FileStore

_LOG = logging.getLogger(__name__)


class SystemClock:
    """The machine's time."""

    def now_unix_nano(self) -> int:
        """See `Clock`."""
        return time.time_ns()


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a started collector listens, HOST:PORT each."""

    otlp_grpc: str
    otlp_http: str
    api: str


class Collector:
    """One collector in this process. The only place where concrete classes are named.

    Raises:
        ConfigError: from `start`, if an address cannot be bound, the store cannot be opened or a study is wrong.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ready = False
        self._counters = Counters()
        self._hub = ReleaseHub()
        woken = asyncio.Event()
        clock = SystemClock()
        optimizers = OptimizerRegistry()
        self._limits = ReceiverLimits(
            config.receivers.otlp.max_request_bytes, config.receivers.otlp.max_in_flight_bytes
        )
        self._budget = Budget(self._limits.max_in_flight_bytes)
        self._store = FileStore(config.storage.directory, clock, under_way=self._budget.requests)
        self._pipeline = Pipeline(self._store, clock, self._counters, woken.set)
        settings = ImproverSettings(feedback_ttl_seconds=config.feedback.ttl_seconds)
        self._improver = Improver(
            self._store, self._pipeline, self._hub, optimizers.load, self._counters, settings, woken
        )
        self._operations = Operations(
            Backend(
                store=self._store,
                pipeline=self._pipeline,
                improver=self._improver,
                publisher=self._hub,
                load_optimizer=optimizers.load,
                counters=self._counters,
                clock=clock,
                wake=woken.set,
            )
        )
        self._listeners: list[GrpcListener | HttpListener] = []
        self._improving: asyncio.Task[None] | None = None

    async def start(self) -> Addresses:
        """Returns once data is accepted."""
        await self._store.start()
        try:
            addresses = self._listen()
            await self._begin_studies()
            self._improving = asyncio.create_task(self._improver.run())
            for listener in self._listeners:
                await listener.start()
        except BaseException:
            await self.stop()
            raise
        self._ready = True
        return addresses

    def _listen(self) -> Addresses:
        server = grpc.aio.server(options=otlp_grpc.server_options(self._limits))
        server.add_generic_rpc_handlers(otlp_grpc.handlers(self._pipeline, self._counters, self._budget))
        grpc_services.add_to(server, self._operations, self._hub)
        protocols = self._config.receivers.otlp.protocols
        otlp = GrpcListener(server, protocols.grpc.endpoint, "receivers.otlp.protocols.grpc.endpoint")
        self._listeners.append(otlp)
        receiver = OtlpHttp(self._pipeline, self._counters, self._limits, self._budget)
        over_http = HttpListener(receiver, protocols.http.endpoint, "receivers.otlp.protocols.http.endpoint")
        self._listeners.append(over_http)
        served = http.app(self._operations, lambda: self._ready)
        api = HttpListener(served, self._config.api.endpoint, "api.endpoint")
        self._listeners.append(api)
        return Addresses(otlp.address, over_http.address, api.address)

    async def _begin_studies(self) -> None:
        known = {record.study.name for record in await self._store.studies()}
        faults = []
        for document in self._config.studies:
            if document.name in known:
                continue
            try:
                await self._operations.create_study(document.study())
            except CollectorError as error:
                faults.append(f"config: studies: {error}")
        if faults:
            raise ConfigError(faults)

    async def stop(self) -> None:
        """Finishes what is under way, then closes the store. Safe twice and unstarted."""
        self._ready = False
        self._hub.close()
        for listener in self._listeners:
            await listener.stop()
        self._listeners.clear()
        if self._improving is not None:
            self._improving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._improving
            self._improving = None
        await self._store.stop()


async def drawn_from(directory: Path, trace_id: str, form: str) -> str:
    """A trace's graph out of a data directory on which no collector runs.

    Raises:
        ConfigError: there is no such directory, or a collector runs on it.
        NotFound: the trace is not stored.
    """
    if not await asyncio.to_thread(directory.is_dir):
        raise ConfigError([f"--data-dir: {directory} is no directory; a collector prints its own when it starts"])
    clock = SystemClock()
    store = FileStore(directory, clock)
    await store.start()
    try:
        pipeline = Pipeline(store, clock, Counters(), lambda: None)
        return drawn(await pipeline.assemble(trace_id.lower()), form)
    finally:
        await store.stop()
