"""Takes every rollout forward: looks at what came, and does what the evidence says."""

import logging

from collector.core.errors import CollectorError
from collector.core.protocols import Clock
from collector.core.rollout import Rollout, RolloutState
from collector.core.study import Policy
from collector.rollout.decision import Decision, Step, decide
from collector.rollout.rollouts import Rollouts
from collector.rollout.watch import ArmWatch

_LOG = logging.getLogger(__name__)


class RolloutRunner:
    """The loop over all rollouts of one collector.

    Args:
        rollouts: Are changed through it.
        watch: Knows what the units say.
        clock: Says how long a stage has taken, and sleeps.
        seconds: Between two looks.
    """

    def __init__(self, rollouts: Rollouts, watch: ArmWatch, clock: Clock, seconds: float = 1.0) -> None:
        self._rollouts = rollouts
        self._watch = watch
        self._clock = clock
        self._seconds = seconds

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
        for rollout in await self._rollouts.live():
            try:
                await self._watch.look(rollout)
                await self._do(rollout, await self.next_step(rollout))
            except CollectorError as error:
                _LOG.warning("rollout %s is delayed: %s", rollout.name, error)
            except Exception:  # noqa: BLE001 - one rollout's fault holds no other up: said with its traceback, tried again
                _LOG.exception("looking after rollout %s failed; it is tried again", rollout.name)

    async def next_step(self, rollout: Rollout) -> Decision:
        """What there is to do with a rollout on live traffic now, or what it waits for."""
        refused = await self._watch.refused(rollout)
        if refused:
            return Decision(Step.ABORT, refused)
        decision = decide(rollout, await self._watch.comparison(rollout), self._clock.now_unix_nano())
        if decision.step is Step.PROMOTE and not _may_promote(rollout):
            return Decision(Step.ASK, decision.message)
        return decision

    async def _do(self, rollout: Rollout, decision: Decision) -> None:
        steps = {
            Step.ADVANCE: self._rollouts.advance,
            Step.PROMOTE: self._rollouts.promote,
            Step.ABORT: self._rollouts.abort,
            Step.PAUSE: self._rollouts.pause,
            Step.ASK: self._rollouts.ask,
        }
        if decision.step not in steps:
            return
        _LOG.info("rollout %s: %s: %s", rollout.name, decision.step.value, decision.message)
        changed = await steps[decision.step](rollout.name, decision.message, f"policy:{rollout.name}")
        if changed.state.ended:
            self._watch.forget(rollout.name)


def _may_promote(rollout: Rollout) -> bool:
    by_policy = rollout.plan.policy is Policy.AUTOMATIC or bool(rollout.approved_by)
    return rollout.state is RolloutState.RAMPING and by_policy
