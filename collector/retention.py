"""The store is kept within an age and a size."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass

from collector.core.errors import CollectorError
from collector.core.protocols import Deliveries, TelemetryLog
from collector.counters import Counter, Counters
from collector.steady_time import SteadyTime

_LOG = logging.getLogger(__name__)
_FOREVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RetentionLimits:
    """How much is kept.

    Attributes:
        max_age_seconds: Of telemetry, from its reception; None keeps it forever.
        max_bytes: Of the whole store; None is no limit.
        interval_seconds: How often it is looked after.
    """

    max_age_seconds: float | None = None
    max_bytes: int | None = None
    interval_seconds: float = 10.0


class Retention:
    """Gives up the oldest telemetry, and counts it.

    Args:
        log: What is kept within limits.
        deliveries: What no destination has had yet is counted when it goes.
        time: For the age.
        limits: See there.
        counters: What is given up is counted.
        destinations: Whose undelivered items count as lost.
    """

    def __init__(
        self,
        log: TelemetryLog,
        deliveries: Deliveries,
        time: SteadyTime,
        limits: RetentionLimits,
        counters: Counters,
        destinations: Collection[str] = (),
    ) -> None:
        self._log = log
        self._deliveries = deliveries
        self._time = time
        self._limits = limits
        self._counters = counters
        self._destinations = destinations

    async def run(self) -> None:
        """Goes on until it is cancelled; returns at once where everything is kept forever."""
        while self._limits.max_age_seconds is not None or self._limits.max_bytes is not None:
            try:
                await self.look()
            except CollectorError as error:
                _LOG.warning("old telemetry could not be given up: %s", error)
            await asyncio.sleep(self._limits.interval_seconds)

    async def look(self) -> None:
        """Looks once."""
        age, size = self._limits.max_age_seconds, self._limits.max_bytes
        before = 0 if age is None else await self._time.now_unix_nano() - int(age * 1e9)
        positions = await self._deliveries.positions()
        gone = await self._log.forget(before, _FOREVER if size is None else size, positions)
        self._counters.add(Counter.STORAGE_FORGOTTEN_SPANS, gone.spans)
        self._counters.add(Counter.STORAGE_FORGOTTEN_LOG_RECORDS, gone.log_records)
        for destination in self._destinations:
            lost = gone.undelivered.get(destination, 0)
            self._counters.add(Counter.EXPORTER_DROPPED_ITEMS, lost)
            if lost:
                _LOG.warning("%d items were given up before %s took them", lost, destination)
        if gone.spans or gone.log_records:
            _LOG.info("given up: %d spans and %d log records, the oldest", gone.spans, gone.log_records)
