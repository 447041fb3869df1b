"""What became of a unit, read off the store."""

import asyncio
import logging
from collections.abc import Sequence

from collector.core.errors import TooLarge
from collector.core.page import PageRequest
from collector.core.protocols import Store
from collector.core.rollout import Metric, RolloutPlan, Signal
from collector.core.telemetry import TraceBounds
from collector.core.units import OpenUnit, Unit
from collector.otlp.decode import SHORT_BYTES, spans_of
from collector.publisher.desk import Desk
from collector.rollout.outcomes import JudgedTrace, outcome_of, releases_in

_LOG = logging.getLogger(__name__)
_BOUNDS = TraceBounds(50_000, 64 * 2**20, "rollout")
"""What is larger is no unit that says anything of an arm, and would be many gigabytes in memory."""


class UnitReader:
    """Reads traces of units and what was said of them.

    Args:
        store: Traces and feedback are read from it.
        desk: Knows releases and assignments.
    """

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    async def outcome(
        self, plan: RolloutPlan, unit: OpenUnit, *, beside: Sequence[Signal | Metric] = (), named: bool = False
    ) -> Unit | None:
        """What a unit counts for; None where it counts nowhere.

        Args:
            beside: Of what else its values are told.
            named: Whether it may have run with whatever release its traces name: one of several that are the same to
                who asks. Else it is the arm's, or the control's.
        """
        traces, long = [], 0
        for trace_id in unit.trace_ids:
            try:
                data = await self._store.log.trace_data(trace_id, _BOUNDS)
            except TooLarge:
                _LOG.warning(
                    "service %s: a comparison goes on without a unit: its trace %s has more than %d spans or %d bytes",
                    plan.service, trace_id, _BOUNDS.spans, _BOUNDS.bytes,
                )  # fmt: skip
                return None
            spans = spans_of(data) if len(data) < SHORT_BYTES else await asyncio.to_thread(spans_of, data)
            long += len(data)
            judged = await self._store.feedback.listed(PageRequest(), trace_id=trace_id)
            traces.append(JudgedTrace(spans, judged.items))
        if named:
            numbers = {number for trace in traces for number in releases_in(trace, plan.service)}
        else:
            numbers = {plan.release if unit.in_arm else await self._control(plan.service)}
        known = [await self._desk.release(number) for number in numbers if isinstance(number, int)]
        releases = {release.number: release for release in known if release is not None}
        if not releases:
            return None
        if long < SHORT_BYTES:
            return outcome_of(unit, traces, plan, releases, beside)
        return await asyncio.to_thread(outcome_of, unit, traces, plan, releases, beside)

    async def _control(self, service: str) -> int:
        assignment = await self._desk.assignment(service)
        return assignment.control if assignment is not None else 0
