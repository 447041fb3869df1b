"""Brings what came to one destination, in order, at least once. The store is the queue: nothing is kept twice."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from collector.core.errors import Unavailable
from collector.core.hops import header_of
from collector.core.protocols import Deliveries, TelemetryLog
from collector.core.telemetry import Signal, StoredRequest
from collector.counters import Counter, Counters
from collector.exporter.destination import Delivery, Destination, Outcome, Sender

_LOG = logging.getLogger(__name__)
_READ_AHEAD_BYTES = 4 * 2**20
_IDLE_SECONDS = 0.1
_FIRST_BACKOFF_SECONDS, _LAST_BACKOFF_SECONDS, _GROWTH = 1.0, 30.0, 1.5
_LONGEST_HINT_SECONDS = 300.0
_SENT = {
    Signal.TRACES: Counter.EXPORTER_SENT_SPANS,
    Signal.LOGS: Counter.EXPORTER_SENT_LOG_RECORDS,
}


class Forwarder:
    """Goes on from where it was, also after a restart. A destination that is away is asked again until it answers.

    Args:
        destination: Where to.
        sender: The way there.
        log: Holds the requests.
        deliveries: Remember how far they were forwarded.
        instance_id: Of this collector; requests that it has forwarded before do not come here again.
        counters: Sent and lost items, failed attempts.
        rng: Gives a number in [0, 1) for the jitter of attempts.
    """

    def __init__(
        self,
        destination: Destination,
        sender: Sender,
        log: TelemetryLog,
        deliveries: Deliveries,
        instance_id: str,
        counters: Counters,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._destination = destination
        self._sender = sender
        self._log = log
        self._deliveries = deliveries
        self._instance_id = instance_id
        self._counters = counters
        self._rng = rng

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        try:
            while True:
                try:
                    await self._forward()
                except Unavailable as error:  # the store's fault, and passing
                    _LOG.warning("forwarding to %s is delayed: %s", self._destination.name, error)
                    await asyncio.sleep(_FIRST_BACKOFF_SECONDS)
        finally:
            await self._sender.close()

    async def _forward(self) -> None:
        name = self._destination.name
        position, end = await self._deliveries.position(name), await self._log.newest_position()
        if position is None:
            position = 0 if self._destination.from_beginning else end
            await self._deliveries.set_position(name, position)
        position = min(position, end)  # a log that lost its end gives the places behind it anew
        while True:
            waiting: Sequence[StoredRequest] = ()
            if position < await self._log.newest_position():
                waiting = await self._log.requests_after(position, _READ_AHEAD_BYTES)
            if not waiting:
                await asyncio.sleep(_IDLE_SECONDS)
            for request in waiting:
                self._count_lost(request)
                await self._deliver(request)
                position = request.position
            if waiting:
                await self._deliveries.set_position(name, position)

    def _count_lost(self, request: StoredRequest) -> None:
        """What stood in front of it in the store and cannot be read any more."""
        self._counters.add(Counter.EXPORTER_DAMAGED_BYTES, request.lost_bytes)
        self._counters.add(Counter.EXPORTER_DROPPED_ITEMS, request.lost_items)
        if request.lost_bytes:
            _LOG.warning(
                "%d damaged bytes of the store, at least %d items, do not go to %s",
                request.lost_bytes, request.lost_items, self._destination.name,
            )  # fmt: skip

    async def _deliver(self, request: StoredRequest) -> None:
        """Returns once the destination has taken the request, or refused it for good."""
        hops = header_of((*request.hops, self._instance_id))
        backoff = _FIRST_BACKOFF_SECONDS
        complained = False
        while True:
            delivery = await self._sender.send(request.signal, request.body, hops)
            if delivery.outcome is not Outcome.RETRY:
                self._settle(request, delivery)
                return
            self._counters.add(Counter.EXPORTER_SEND_FAILED_REQUESTS)
            if not complained:
                _LOG.warning(
                    "%s does not take requests, which wait for it: %s", self._destination.name, delivery.message
                )
                complained = True
            await asyncio.sleep(self._pause(backoff, delivery))
            backoff = min(backoff * _GROWTH, _LAST_BACKOFF_SECONDS)

    def _pause(self, backoff: float, delivery: Delivery) -> float:
        hint = delivery.retry_after_seconds
        if hint is not None:
            return min(hint, _LONGEST_HINT_SECONDS)
        return backoff * (0.7 + 0.6 * self._rng())

    def _settle(self, request: StoredRequest, delivery: Delivery) -> None:
        lost = request.items if delivery.outcome is Outcome.REFUSED else delivery.rejected
        self._counters.add(_SENT[request.signal], request.items - lost)
        self._counters.add(Counter.EXPORTER_DROPPED_ITEMS, lost)
        if lost:
            _LOG.warning("%s refused %d items: %s", self._destination.name, lost, delivery.message)
