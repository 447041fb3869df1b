"""The collector as a whole: builds the parts, starts sinks before sources, stops sources before sinks."""

import asyncio
import json
import logging
import shutil
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from collector.access.tokens import Access, Token
from collector.api.archives import shown
from collector.api.backend import Backend
from collector.api.bodies import Bodies
from collector.api.bulletins import Bulletins
from collector.api.discoveries import Discoveries
from collector.api.doctor import Doctor, Finding
from collector.api.drawing import Drawing, drawing
from collector.api.explained import explanation_document, explanation_text
from collector.api.measures import Measures
from collector.api.operations import Operations
from collector.api.rates import SpanRate
from collector.api.rollouts import RolloutOperations
from collector.api.services import Services
from collector.api.standing import Standings
from collector.assembly.assembly import Assembly, AssemblyLimits
from collector.core.errors import CollectorError, ConfigError
from collector.core.identity.ids import span_id_of, trace_id_of
from collector.core.protocols import Clock
from collector.core.requests import Caller, Requests
from collector.core.study import Reach
from collector.core.telemetry import TraceBounds
from collector.core.times import bounded
from collector.core.tracing import UNTRACED
from collector.counters import Counters
from collector.exporter.forwarder import Forwarder
from collector.heartbeat import Heartbeat
from collector.jaeger.reader import Reader
from collector.optimizer.drafting.checks import Checks
from collector.optimizer.registry import OptimizerRegistry
from collector.optimizer.tracing import traced
from collector.pipeline import Pipeline
from collector.process.config import Config, GraphConfig, SigningConfig
from collector.process.outlets import destination, endpoints, own_spans, refuse_circles, sender
from collector.process.servers import Addresses, Served, Servers
from collector.process.surroundings import surroundings
from collector.publisher.desk import Desk
from collector.publisher.hub import AssignmentHub
from collector.publisher.signing import Signer
from collector.reading.reader import RequestReader
from collector.receiver.limits import Budget, ReceiverLimits
from collector.retention import Retention, RetentionLimits
from collector.rollout.history import rollout_stream
from collector.rollout.rollouts import Rollouts
from collector.rollout.runner import RolloutRunner
from collector.rollout.wakings import Wakings
from collector.rollout.watch import ArmWatch
from collector.steady_time import SteadyTime
from collector.storage.file_store import FileStore
from collector.storage.integrity.damage import Damage
from collector.study.archive import Archive
from collector.study.arms import TrialArms
from collector.study.runner import RunnerSettings, StudyRunner
from collector.study.studies import Studies
from collector.workers.workers import WorkerLimits, Workers

_LOG = logging.getLogger(__name__)


class SystemClock:
    """The machine's time, bounded: a clock may be set before 1970."""

    def now_unix_nano(self) -> int:
        """See `Clock`."""
        return bounded(time.time_ns())

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


class Collector:
    """One collector in this process. The only place where concrete classes are named.

    Raises:
        ConfigError: if the signing key is none; from `start`, if an address cannot be bound, the store cannot be
            opened, a study is wrong, or an exporter leads back here.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ready = False
        self._clock = SystemClock()
        self._counters = Counters()
        self._hub = AssignmentHub()
        otlp = config.receivers.otlp
        self._limits = ReceiverLimits(
            otlp.max_request_bytes,
            otlp.max_in_flight_bytes,
            min(otlp.protocols.grpc.max_message_bytes, otlp.max_request_bytes),
        )
        self._bodies = Bodies(config.api.max_request_bytes)
        self._budget = Budget(self._limits.max_in_flight_bytes)
        self._store = FileStore(
            config.storage.directory,
            self._clock,
            under_way=self._budget.requests,
            counters=self._counters,
            search_seconds=config.queries.max_seconds,
        )
        self._workers = _workers(config.graph)
        self._readers = Workers(WorkerLimits(memory_bytes=2**30 + 12 * otlp.max_request_bytes))
        self._checks = Checks(config.storage.directory)
        self._wakings = Wakings()
        self._requests = Requests(self._store.ledger, self._wakings.appended)
        self._own = own_spans(config.telemetry.traces, self._counters, self._clock)
        tracing = self._own or UNTRACED
        self._desk = Desk(self._requests, self._hub, self._counters, _signer(config.signing, self._clock), tracing)
        self._studies = Studies(self._requests, self._desk)
        self._rollouts = Rollouts(self._requests, self._desk)
        self._servers: Servers | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Addresses:
        """Returns once data is accepted."""
        await self._store.start()
        try:
            instance_id = await self._store.instance_id()
            woken = asyncio.Event()
            release = self._desk.release
            assembly = Assembly(self._store, release, self._workers, _assembly_limits(self._config.graph))
            reader = RequestReader(self._clock, self._readers, instance_id)
            tracing = self._own or UNTRACED
            pipeline = Pipeline(
                self._store, self._clock, self._counters, woken.set, release, assembly, reader, tracing=tracing
            )
            watch = ArmWatch(
                self._store, self._desk, self._clock, lambda arm: self._wakings.changed(rollout_stream(arm.name))
            )
            rollout_runner = RolloutRunner(self._rollouts, watch, self._clock)
            arms = TrialArms(self._studies, self._rollouts, watch, self._clock)
            optimizers = OptimizerRegistry()
            settings = RunnerSettings(
                feedback_ttl_seconds=self._config.feedback.ttl_seconds,
                parent_grace_seconds=self._config.feedback.parent_grace_seconds,
            )
            load = traced(optimizers.load, tracing)
            runner = StudyRunner(self._store, pipeline, arms, load, self._counters, settings, woken)
            operations = Operations(self._backend(pipeline, runner, optimizers, woken.set))
            rollouts = RolloutOperations(
                self._requests, self._store.parameters, self._desk, self._rollouts, watch, rollout_runner, self._wakings
            )
            self._servers = self._bound(pipeline, operations, rollouts)
            refuse_circles(endpoints(self._config), self._servers.addresses)
            await self._begin_studies(operations)
            self._tasks = [
                asyncio.create_task(task)
                for task in (
                    runner.run(),
                    rollout_runner.run(),
                    self._retention().run(),
                    Heartbeat(self._counters).run(),
                    *self._forwarding(instance_id),
                    *self._telling(instance_id),
                )
            ]
            await self._servers.start()
        except BaseException:
            await self.stop()
            raise
        self._ready = True
        return self._servers.addresses

    def _backend(
        self, pipeline: Pipeline, runner: StudyRunner, optimizers: OptimizerRegistry, wake: Callable[[], None]
    ) -> Backend:
        return Backend(
            store=self._store,
            pipeline=pipeline,
            runner=runner,
            desk=self._desk,
            studies=self._studies,
            rollouts=self._rollouts,
            load_optimizer=optimizers.load,
            counters=self._counters,
            clock=self._clock,
            requests=self._requests,
            wake=wake,
            standings=Standings(self._store, self._desk, self._studies, self._hub.watchers, self._checks),
            checks=self._checks,
            rate=SpanRate(self._counters, time.monotonic),
            measures=Measures(self._store, self._studies, self._rollouts, self._free_bytes),
        )

    def _bound(self, pipeline: Pipeline, operations: Operations, rollouts: RolloutOperations) -> Servers:
        tokens = self._config.auth.tokens
        access = Access(
            [Token(token.name, token.token.get_secret_value(), frozenset(token.scopes)) for token in tokens]
        )
        queries = self._config.queries
        bounds = TraceBounds(queries.max_spans, queries.max_bytes, "queries")
        services = Services(self._store, self._desk, self._studies, self._rollouts, self._hub.watchers)
        served = Served(
            pipeline=pipeline,
            operations=operations,
            rollouts=rollouts,
            archive=Archive(self._requests, shown),
            services=services,
            doctor=Doctor(self._store, services, operations, self._clock, self._surroundings),
            discoveries=Discoveries(self._store, pipeline),
            bulletins=Bulletins(self._desk, self._hub),
            reader=Reader(self._store, self._desk.release, self._workers, bounds, self._counters, queries.max_seconds),
            clock=self._clock,
            counters=self._counters,
            limits=self._limits,
            budget=self._budget,
            bodies=self._bodies,
            ready=lambda: self._ready,
        )
        return Servers(self._config, access, served)

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._config.storage.directory).free

    def _surroundings(self) -> Sequence[Finding]:
        """Asked over a server's socket, so the servers are there."""
        assert self._servers is not None
        return surroundings(self._config, self._servers.addresses, self._store.damages(), self._clock.now_unix_nano())

    def _retention(self) -> Retention:
        kept = self._config.storage.retention
        limits = RetentionLimits(kept.max_age_seconds, kept.max_bytes)
        time = SteadyTime(self._store.marks, self._store.log, self._clock)
        log, deliveries = self._store.log, self._store.deliveries
        return Retention(log, deliveries, time, limits, self._counters, self._config.exporters)

    def _forwarding(self, instance_id: str) -> list[Coroutine[Any, Any, None]]:
        running = []
        for name, exporter in self._config.exporters.items():
            out = destination(name, exporter)
            log, deliveries = self._store.log, self._store.deliveries
            running.append(Forwarder(out, sender(out), log, deliveries, instance_id, self._counters).run())
        return running

    def _telling(self, instance_id: str) -> list[Coroutine[Any, Any, None]]:
        """What brings the collector's own spans to where they shall go."""
        if self._own is None:
            return []
        told = self._config.telemetry.traces
        return [self._own.run(sender(destination("own traces", told)), instance_id)]

    async def _begin_studies(self, operations: Operations) -> None:
        known = await self._studies.names()
        faults = []
        for document in self._config.studies:
            if document.name in known:
                continue
            try:
                await operations.create_study(document.study(), Caller("configuration", may_approve=True))
            except CollectorError as error:
                faults.append(f"config: studies: {error}")
        if faults:
            raise ConfigError(faults)

    async def stop(self) -> None:
        """Finishes what is under way, then closes the store. Safe twice and unstarted."""
        self._ready = False
        self._hub.close()
        if self._servers is not None:
            await self._servers.stop()
            self._servers = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._bodies.close()
        await self._workers.stop()
        await self._readers.stop()
        await self._store.stop()


def _signer(config: SigningConfig, clock: Clock) -> Signer | None:
    if config.key_file is None:
        return None
    try:
        return Signer(config.key_file.read_bytes(), clock)
    except (ValueError, OSError) as error:
        raise ConfigError([f"config: signing.key_file: {config.key_file}: {error}"]) from None


def _workers(config: GraphConfig) -> Workers:
    return Workers(WorkerLimits(processes=config.processes, memory_bytes=config.max_process_bytes))


def _assembly_limits(config: GraphConfig) -> AssemblyLimits:
    return AssemblyLimits(
        config.max_spans, config.max_bytes, config.max_seconds, frozenset(config.rules.off), config.min_confidence
    )


async def drawn_from(directory: Path, trace_id: str, form: str, reach: Reach, span_id: str = "") -> str:
    """A trace's graph out of a data directory on which no collector runs; of a span that is named why it is so.

    Raises:
        ConfigError: there is no such directory, or a collector runs on it.
        InvalidRequest: the trace id is none.
        NotFound: the trace is not stored.
        TooLarge: it is larger than the configuration's defaults allow.
    """
    limits = GraphConfig()
    if not await asyncio.to_thread(directory.is_dir):
        raise ConfigError([f"--data-dir: {directory} is no directory; a collector prints its own when it starts"])
    store, workers = FileStore(directory, SystemClock()), _workers(limits)
    await store.start()
    try:
        desk = Desk(store.ledger, AssignmentHub(), Counters())
        assembly = Assembly(store, desk.release, workers, _assembly_limits(limits))
        if span_id:
            found = await assembly.explained(trace_id_of(trace_id), reach, span_id_of(span_id))
            return explanation_text(found) if form == "text" else json.dumps(explanation_document(found))
        return (await assembly.made(trace_id_of(trace_id), reach, drawing(Drawing(form)))).decode()
    finally:
        await workers.stop()
        await store.stop()


async def repaired(directory: Path) -> tuple[Sequence[Damage], Mapping[str, int]]:
    """Mends a data directory on which no collector runs: what a start does, but for all of it and at once.

    Returns what was damaged, and what was counted.

    Raises:
        ConfigError: there is no such directory, a collector runs on it, or it cannot be mended.
    """
    if not await asyncio.to_thread(directory.is_dir):
        raise ConfigError([f"--data-dir: {directory} is no directory; a collector prints its own when it starts"])
    clock, counters = SystemClock(), Counters()
    store = FileStore(directory, clock, counters=counters)
    await store.start()
    try:
        await store.look_through()
        desk = Desk(store.ledger, AssignmentHub(), counters)
        await Pipeline(store, clock, counters, lambda: None, desk.release).recall()
        return store.damages(), counters.snapshot()
    finally:
        await store.stop()
