"""What a study's trials have to do with the rest of the traffic: rollouts, refusals, time."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.core.ledger import Change
from collector.core.protocols import Clock
from collector.core.rollout import Rollout
from collector.core.study import Study
from collector.rollout.rollouts import Rollouts
from collector.rollout.watch import ArmWatch
from collector.study.studies import Studies
from collector.study.window.measuring import Counted, Units
from collector.study.window.plans import watched
from collector.study.window.succession import succession


@dataclass(frozen=True)
class TrialArms:
    """The parts that a study's arms need.

    Attributes:
        studies: Are changed through it.
        rollouts: The winner goes on as one, where trials are arms.
        watch: Knows whether applications refuse a release.
        clock: For deadlines.
        units: Who has come in the studies' windows; None: what the store says.
    """

    studies: Studies
    rollouts: Rollouts
    watch: ArmWatch
    clock: Clock
    units: Units | None = None

    async def promote(self, study: Study, number: int, counted: Sequence[Counted]) -> tuple[Rollout, Sequence[str]]:
        """The winner's release is rolled out: on new traffic, and back at the first evidence of harm.

        Args:
            number: Of that release.

        Returns:
            The rollout, and which of the study's bounds it cannot hold, by name.
        """
        release = await self.studies.desk.release(number)
        assert release is not None  # it was made for this
        found = succession(study, release, counted)
        actor = f"study:{study.name}"
        await self.rollouts.draft(study.name, found.plan, actor)
        return await self.rollouts.begin(study.name, actor), found.left

    async def rollout_under_way(self, service: str) -> bool:
        """Whether a rollout has an arm of the service's traffic."""
        return bool(await self.rollouts.holder(service))

    async def for_everybody(self, service: str) -> Sequence[Change]:
        """What belongs to a release that everybody gets: that no rollout has an arm of the traffic.

        Raises:
            Conflict: one has.
        """
        return [await self.rollouts.without_one(service)]

    async def refused(self, study: Study, number: int, release: int) -> str:
        """Why applications refuse a trial's release; empty if none does.

        What is refused only together with an arm of another study is a fault of both: whoever looks first ends, and
        with it that they meet.
        """
        own = await self.watch.refused(watched(study, number, release))
        in_force = await self.studies.desk.assignment(study.service)
        crossings = in_force.crossings if in_force is not None and not own else ()
        for crossing in (one for one in crossings if release in one.of):
            said = await self.watch.refused(watched(study, number, crossing.release))
            alone = [await self.watch.refused(watched(study, number, part)) for part in crossing.of] if said else ()
            if said and not any(alone):
                others = ", ".join(str(part) for part in crossing.of if part != release)
                return f"{said}; it is refused beside release {others} of another study, and both alone are not"
        return own
