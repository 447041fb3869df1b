"""Takes every rollout forward: looks at what came, judges units whose time is over, and does what the evidence says."""

import logging
from dataclasses import dataclass, replace

from collector.core.errors import CollectorError
from collector.core.protocols import Clock, Store
from collector.core.release import ReleaseStatus
from collector.core.rollout import Policy, Rollout, RolloutState
from collector.core.units import OpenUnit, Unit
from collector.publisher.desk import Desk
from collector.rollout.comparison import Comparison
from collector.rollout.decision import Decision, Step, decide
from collector.rollout.observation import Observer
from collector.rollout.outcomes import JudgedTrace, outcome_of
from collector.rollout.rollouts import Rollouts

_LOG = logging.getLogger(__name__)
_UNITS_AT_ONCE = 500
_UNSEEN = Decision(Step.WAIT, "it has not been looked at yet")


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a rollout on live traffic.

    Attributes:
        place: Of the last judged unit that the comparison knows.
        decision: What was to be done when it was looked at last.
    """

    comparison: Comparison
    place: int = 0
    decision: Decision = _UNSEEN


class RolloutRunner:
    """The loop over all rollouts of one collector. What it knows is made anew from the store after a restart.

    Args:
        store: Traces and feedback are read from it, and it keeps which units came and what became of them.
        rollouts: Are changed through it.
        desk: Knows releases and assignments.
        clock: Says when a unit's time is over, and sleeps.
        seconds: Between two looks.
    """

    def __init__(self, store: Store, rollouts: Rollouts, desk: Desk, clock: Clock, seconds: float = 1.0) -> None:
        self._store = store
        self._units = store.units
        self._rollouts = rollouts
        self._desk = desk
        self._clock = clock
        self._seconds = seconds
        self._observer = Observer(store, store.units, desk)
        self._progress: dict[str, Progress] = {}

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        while True:
            try:
                await self.round()
            except CollectorError as error:
                _LOG.warning("rollouts are delayed: %s", error)
            except Exception:  # noqa: BLE001 - the loop's boundary: said with its traceback, tried again at the next look
                _LOG.exception("looking after rollouts failed; it is tried again")
            await self._clock.sleep(self._seconds)

    async def round(self) -> None:
        """One look at every rollout that has an arm of traffic."""
        live = await self._rollouts.live()
        for rollout in live:
            await self._look(rollout)
        names = {rollout.name for rollout in live}
        self._progress = {name: known for name, known in self._progress.items() if name in names}

    async def progress(self, rollout: Rollout) -> Progress:
        """What is known of a rollout, whether it is looked after or has ended."""
        known = self._progress.get(rollout.name)
        return known if known is not None else await self._taken_in(rollout, Progress(Comparison()))

    async def _look(self, rollout: Rollout) -> None:
        await self._observer.look(rollout)
        await self._judge_due(rollout)
        known = self._progress.get(rollout.name, Progress(Comparison()))
        known = await self._taken_in(rollout, known)
        refused = await self._refused(rollout)
        decision = (
            Decision(Step.ABORT, refused) if refused else decide(rollout, known.comparison, self._clock.now_unix_nano())
        )
        self._progress[rollout.name] = replace(known, decision=decision)
        await self._do(rollout, decision)

    async def _do(self, rollout: Rollout, decision: Decision) -> None:
        steps = {
            Step.ADVANCE: self._rollouts.advance,
            Step.PROMOTE: self._rollouts.promote,
            Step.ABORT: self._rollouts.abort,
            Step.PAUSE: self._rollouts.pause,
            Step.ASK: self._rollouts.ask,
        }
        step = decision.step
        if step is Step.PROMOTE and not _may_promote(rollout):
            step = Step.ASK
        if step in steps:
            _LOG.info("rollout %s: %s: %s", rollout.name, step.value, decision.message)
            await steps[step](rollout.name, decision.message, f"policy:{rollout.name}")

    async def _judge_due(self, rollout: Rollout) -> None:
        """A unit is judged when its time for feedback is over: from its first trace on, so that it counts once."""
        before = self._clock.now_unix_nano() - int(rollout.plan.feedback_delay_seconds * 1e9)
        while due := await self._units.due(rollout.name, before, _UNITS_AT_ONCE):
            judged = [(unit, await self._outcome(rollout, unit)) for unit in due]
            await self._units.judge(rollout.name, judged)

    async def _outcome(self, rollout: Rollout, unit: OpenUnit) -> Unit | None:
        traces = []
        for trace_id in unit.trace_ids:
            spans = await self._store.trace(trace_id)
            traces.append(JudgedTrace(spans, await self._store.feedback(trace_id=trace_id)))
        number = rollout.plan.release
        if not unit.in_arm:
            assignment = await self._desk.assignment(rollout.plan.service)
            number = assignment.control if assignment is not None else 0
        release = await self._desk.release(number)
        return None if release is None else outcome_of(unit, traces, rollout.plan, release)

    async def _taken_in(self, rollout: Rollout, known: Progress) -> Progress:
        comparison, place = known.comparison, known.place
        while judged := await self._units.judged(rollout.name, place):
            for at, unit in judged:
                place = at
                if unit is None:
                    comparison = replace(comparison, mixed=comparison.mixed + 1)
                else:
                    comparison = comparison.with_unit(unit, rollout.plan)
        return replace(known, comparison=comparison, place=place)

    async def _refused(self, rollout: Rollout) -> str:
        """Why applications refuse the release; empty if none does."""
        for word in await self._store.acknowledgements(rollout.plan.release):
            if word.status is ReleaseStatus.FAILED and word.service == rollout.plan.service:
                return f"an application refuses the release: {word.instance_id}: {word.error}"
        return ""


def _may_promote(rollout: Rollout) -> bool:
    return rollout.state is RolloutState.RAMPING and (
        rollout.plan.policy is Policy.AUTOMATIC or bool(rollout.approved_by)
    )
