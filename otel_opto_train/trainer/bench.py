"""The directory of a training: a collector's data directory, with every run, judgement and call in it.

`otel-opto collector --data-dir` runs on it, Jaeger shows its traces. One process has it at a time.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.core.errors import CollectorError
from collector.core.feedback import Feedback
from collector.core.folding import Fold
from collector.core.graph import TraceFeedback, TraceGraph
from collector.core.ledger import Change, Event
from collector.core.release import Release
from collector.core.span import SpanContext
from collector.core.telemetry import Signal, TraceBounds, TraceQuery
from collector.core.times import bounded
from collector.counters import Counters
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from collector.study.calls import LedgerCalls
from otel_opto.spec import ParameterSpec
from otel_opto_train.book import Counted
from otel_opto_train.traced import traced
from otel_opto_train.trainer.record import PREFIX, Evaluation, Record, record

_BOUNDS = TraceBounds(50_000, 64 * 2**20, "graph")
SOURCE = "guide"


class SystemClock:
    """The machine's time."""

    def now_unix_nano(self) -> int:
        """See `Clock`."""
        return bounded(time.time_ns())

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


async def _no_release(_: int) -> Release | None:
    return None


class Bench:
    """Where one training keeps everything; durable before it goes on.

    Args:
        directory: Made if it is not there.
        name: Of the training: a directory may hold several.
        service: Whose parameters are trained.
    """

    def __init__(self, directory: Path, name: str, service: str) -> None:
        clock = SystemClock()
        self._clock = clock
        self._store = FileStore(directory, clock)
        self._pipeline = Pipeline(self._store, clock, Counters(), lambda: None, _no_release)
        self._name, self._service = name, service
        self._stream = PREFIX + name
        self._fold: Fold[Record] = Fold(self._store.ledger, Record(), record)
        self._gate = asyncio.Lock()
        self._waiting: list[Event] = []
        self.calls = Counted(LedgerCalls(self._store.ledger, name, service))

    async def __aenter__(self) -> Self:
        await self._store.start()
        await self.calls.spent()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._store.stop()

    async def record(self) -> Record:
        """All that has happened."""
        return (await self._fold.of(self._stream)).state

    async def add(self, event: Event) -> None:
        """One more thing has happened; durable on return. What happens meanwhile is written together."""
        self._waiting.append(event)
        async with self._gate:
            if not any(one is event for one in self._waiting):
                return  # somebody else has written it
            events, self._waiting = tuple(self._waiting), []
            version = (await self._fold.of(self._stream)).version
            await self._store.ledger.append([Change(self._stream, version, events)], f"training:{self._name}")

    async def declare(self, specs: Sequence[ParameterSpec]) -> None:
        """The parameters as the service declares them, for whoever looks at the directory later."""
        await self._store.parameters.declare(self._service, specs)

    async def keep(self, otlp: bytes, feedback: Sequence[Feedback]) -> None:
        """The spans of a run and what was said of it, as a collector keeps them."""
        await asyncio.gather(self._pipeline.ingest(Signal.TRACES, otlp), self._pipeline.submit(feedback))

    async def traces(self, query: TraceQuery) -> Sequence[str]:
        """The ids of stored traces, the newest first."""
        return [found.trace_id for found in await self._store.search.find(query)]

    async def graph(self, trace_id: str) -> TraceGraph:
        """The graph of a stored trace with its feedback. Raises as `Pipeline.assemble`."""
        return await self._pipeline.assemble(trace_id)

    async def told(
        self, evaluation: Evaluation, metric: str, specs: Mapping[str, ParameterSpec], keys: Sequence[str]
    ) -> TraceFeedback | None:
        """τ of an evaluation, made of the spans that are kept; None where they make no graph."""
        if not evaluation.judged:
            return None
        target = SpanContext(evaluation.trace_id, evaluation.judged)
        feedback = Feedback(target, metric, evaluation.score, evaluation.label, evaluation.text, SOURCE)
        try:
            body = await self._store.log.trace_data(evaluation.trace_id, _BOUNDS)
            found = await asyncio.to_thread(traced, body, (evaluation.trace_id, evaluation.root), specs)
            return found.leading_to(feedback, keys)
        except CollectorError:
            return None
