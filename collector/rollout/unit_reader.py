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
from collector.rollout.outcomes import JudgedTrace, outcome_of

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
        self, plan: RolloutPlan, unit: OpenUnit, number: int = 0, beside: Sequence[Signal | Metric] = ()
    ) -> Unit | None:
        """What a unit counts for; None where it counts nowhere.

        Args:
            number: The release that it was given; 0: the arm's, else the control's.
            beside: Of what else its values are told.
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
        number = number or (plan.release if unit.in_arm else await self._control(plan.service))
        release = await self._desk.release(number)
        if release is None:
            return None
        if long < SHORT_BYTES:
            return outcome_of(unit, traces, plan, release, beside)
        return await asyncio.to_thread(outcome_of, unit, traces, plan, release, beside)

    async def _control(self, service: str) -> int:
        assignment = await self._desk.assignment(service)
        return assignment.control if assignment is not None else 0
