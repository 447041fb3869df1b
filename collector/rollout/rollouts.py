"""Rollouts on the ledger: every way in which one changes, each together with what is in force, or not at all."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from collector.core.errors import AlreadyExists, Conflict, Damaged, NotFound, Outdated, some
from collector.core.folding import Fold
from collector.core.ledger import Change, Ledger
from collector.core.release import Release
from collector.core.rollout import Rollout, RolloutPlan, RolloutState
from collector.core.study import Policy
from collector.publisher.desk import Desk
from collector.rollout import history
from otel_opto.assignment import BUCKETS, Arm, Assignment

_LOG = logging.getLogger(__name__)

_LIVE = (RolloutState.RAMPING, RolloutState.PAUSED, RolloutState.INCONCLUSIVE)
"""With an arm of traffic. A pause keeps the arm as it is: taking it away would deal its keys anew."""


class Rollouts:
    """What is known of every rollout, and every way in which one changes.

    Args:
        ledger: Where they are kept.
        desk: Changes what is in force.
    """

    def __init__(self, ledger: Ledger, desk: Desk) -> None:
        self._ledger = ledger
        self._desk = desk
        self._rollouts: Fold[Rollout | None] = Fold(ledger, None, history.rollout, unreadable=_LOG.error)
        self._holders: Fold[str] = Fold(ledger, "", history.holder)

    async def all(self) -> Sequence[Rollout]:
        """In order of creation."""
        return [rollout for rollout in await self._rollouts.all(history.PREFIX) if rollout is not None]

    async def live(self) -> Sequence[Rollout]:
        """Those with an arm of traffic."""
        found = [rollout for rollout in await self.all() if rollout.state in _LIVE]
        return [rollout for rollout in found if await self._holds(rollout)]

    async def rollout(self, name: str) -> Rollout:
        """One rollout.

        Raises:
            NotFound: there is no such rollout.
        """
        found = (await self._rollouts.of(history.rollout_stream(name))).state
        if found is None:
            raise NotFound(f"rollout {name!r}: there is none of that name; `otel-opto rollouts` lists them")
        return found

    async def at(self, name: str, version: int) -> Rollout:
        """One rollout as it was when its stream had that version. Raises as `rollout`."""
        found = await self._rollouts.at(history.rollout_stream(name), version)
        return found or await self.rollout(name)

    async def holder(self, service: str) -> str:
        """The rollout that has the service's traffic; empty if none has."""
        name = (await self._holders.of(history.traffic_stream(service))).state
        return name if name and await self._is_live(name) else ""

    async def draft(self, name: str, plan: RolloutPlan, actor: str) -> Rollout:
        """Plans a rollout; nothing changes for applications yet.

        Raises:
            AlreadyExists: a rollout has that name, and another plan. The same plan again changes nothing.
            Conflict: its release is in force already, in content or in a trial, or one of it and the control is signed
                and the other is not.
        """
        if (await self._rollouts.of(history.rollout_stream(name))).state is None:
            await self._check_worth(name, plan)
        try:
            await self._ledger.append([Change(history.rollout_stream(name), 0, (history.drafted(plan),))], actor)
        except Outdated:
            found = await self.rollout(name)
            if found.plan != plan:
                raise AlreadyExists(
                    f"rollout {name!r} is there already with another plan; choose another name"
                ) from None
            return found
        return await self.rollout(name)

    async def approve(self, name: str, content_hash: str, actor: str) -> Rollout:
        """A person's word that the release of this very content may become the control.

        Raises:
            NotFound: there is no such rollout.
            Conflict: the rollout's release has another content, or it has ended.
        """
        known = await self._known(name)
        found = known[0]
        if found.plan.content_hash != content_hash:
            raise Conflict(
                f"rollout {name!r} is of content {found.plan.content_hash[:16]}… and not of {content_hash[:16]}…: "
                "an approval holds for what was looked at"
            )
        if found.state.ended:
            raise Conflict(f"rollout {name!r} is {found.state.value} and needs no approval")
        if not found.approved_by:
            event = history.approved(found, content_hash, actor)
            await self._ledger.append([Change(history.rollout_stream(name), known[1], (event,))], actor)
        return await self.rollout(name)

    async def begin(self, name: str, actor: str) -> Rollout:
        """Gives the release its first share of the traffic.

        Where it has to be approved first it only waits for that, and nothing changes for applications.

        Raises:
            NotFound: there is no such rollout.
            Conflict: another rollout has the service's traffic, or this one has ended; and as `draft`.
        """
        found, version = await self._known(name)
        if found.state in _LIVE:
            return found
        if found.state not in (RolloutState.DRAFT, RolloutState.AWAITING_APPROVAL):
            raise Conflict(f"rollout {name!r} is {found.state.value} and cannot begin")
        stream = history.rollout_stream(name)
        if found.plan.policy is Policy.APPROVAL and not found.approved_by:
            if found.state is RolloutState.DRAFT:
                waiting = history.moved(
                    found, RolloutState.AWAITING_APPROVAL, "waits for the approval of a person", stage=0, start=0
                )
                await self._ledger.append([Change(stream, version, (waiting,))], actor)
            return await self.rollout(name)
        traffic = history.traffic_stream(found.plan.service)
        holder = await self._holders.of(traffic)
        if other := await self.holder(found.plan.service):
            raise Conflict(
                f"service {found.plan.service!r} has the rollout {other!r} on its traffic; a second one waits: "
                f"promote or abort that one first, then start {name!r} again as it is"
            )
        await self._check_worth(name, found.plan)
        event = history.moved(found, RolloutState.RAMPING, "began", stage=0, start=0)
        changes = [
            Change(stream, version, (event,)),
            Change(traffic, holder.version, (history.taken(found),)),
        ]
        await self._assign(found, _with_share(found, 0), "begins", actor, changes)
        return await self.rollout(name)

    async def advance(self, name: str, message: str, actor: str) -> Rollout:
        """Goes to the next stage of the ramp.

        Raises:
            NotFound: there is no such rollout.
            Conflict: it is not ramping, or in its last stage.
        """
        found, version = await self._known(name)
        following = found.stage + 1
        if found.state is not RolloutState.RAMPING or following >= len(found.plan.stages):
            raise Conflict(f"rollout {name!r} is {found.state.value}, stage {found.stage + 1}, and has no next stage")
        event = history.moved(found, RolloutState.RAMPING, message, stage=following, start=found.start)
        changes = [Change(history.rollout_stream(name), version, (event,))]
        await self._assign(found, _with_share(found, following), message, actor, changes)
        return await self.rollout(name)

    async def pause(self, name: str, message: str, actor: str) -> Rollout:
        """Stays where it is until somebody says more. Its arm keeps its keys, and guardrails still hold."""
        return await self._hold(name, RolloutState.PAUSED, message, actor, {RolloutState.RAMPING})

    async def ask(self, name: str, message: str, actor: str) -> Rollout:
        """The evidence does not suffice; a person decides. Its arm keeps its keys, and guardrails still hold."""
        allowed = {RolloutState.RAMPING, RolloutState.PAUSED}
        return await self._hold(name, RolloutState.INCONCLUSIVE, message, actor, allowed)

    async def resume(self, name: str, message: str, actor: str) -> Rollout:
        """Goes on in the stage where it stood; the stage's time begins anew."""
        allowed = {RolloutState.PAUSED, RolloutState.INCONCLUSIVE}
        return await self._hold(name, RolloutState.RAMPING, message, actor, allowed)

    async def promote(self, name: str, message: str, actor: str) -> Rollout:
        """The release becomes the control and the arm ends, in one step.

        Raises:
            NotFound: there is no such rollout.
            Conflict: it has no arm of traffic.
        """

        def promoted(now: Assignment) -> Assignment:
            # Arms of studies hold the old control's values: each study deals its own anew, beside the new ones.
            return replace(now, control=found.plan.release, arms=_others(now, found), layers=(), crossings=())

        found = await self.rollout(name)
        return await self._end(name, RolloutState.PROMOTED, message, actor, promoted)

    async def abort(self, name: str, message: str, actor: str) -> Rollout:
        """The arm ends and its keys go back to the control, in one step. A draft is only closed."""

        def aborted(now: Assignment) -> Assignment:
            return replace(now, arms=_others(now, found))

        found = await self.rollout(name)
        return await self._end(name, RolloutState.ABORTED, message, actor, aborted)

    async def without_one(self, service: str) -> Change:
        """A change that is refused where a rollout takes the service's traffic meanwhile, and changes nothing itself.

        For whoever gives a release to everybody, which would end every arm.

        Raises:
            Conflict: a rollout has the traffic.
        """
        stream = history.traffic_stream(service)
        holder = await self._holders.of(stream)
        if name := await self.holder(service):
            raise Conflict(f"service {service!r} has the rollout {name!r} on its traffic")
        return Change(stream, holder.version, ())

    async def aborting(self, service: str, message: str) -> Sequence[Change]:
        """The changes that end a service's rollout, for whoever makes them together with another assignment."""
        name = await self.holder(service)
        if not name:
            return ()
        found, version = await self._known(name)
        return await self._ending(found, version, RolloutState.ABORTED, message)

    async def _check_worth(self, name: str, plan: RolloutPlan) -> None:
        """Whether there is something to compare, and whether applications that verify signatures could apply it."""
        number, in_force = plan.release, await self._desk.assignment(plan.service)
        if in_force is None:
            return
        if not await self.holder(plan.service) and number in in_force.releases[1:]:
            raise Conflict(
                f"rollout {name!r}: release {number} is the arm of a trial; stop its study first, or propose the same "
                "values again as another release"
            )
        control = await self._desk.release(in_force.control)
        if control is not None and control.hash == plan.content_hash:
            raise Conflict(
                f"rollout {name!r}: release {number} has the content of release {control.number}, which is in force "
                "for everybody already: there is nothing to roll out"
            )
        await self._check_beside(name, plan, control)
        lacking = await self._desk.unsigned_beside(in_force.control, number)
        if lacking:
            raise Conflict(
                f"rollout {name!r}: release {lacking} is not signed, and of {in_force.control} (in force) and {number} "
                "the other one is: applications that hold the public key would refuse it; sign it first: "
                f"otel-opto releases sign {lacking} --key FILE"
            )

    async def _check_beside(self, name: str, plan: RolloutPlan, control: Release | None) -> None:
        """Whether it would set back what has come into force since its release was made, and was not in it."""
        release = await self._desk.release(plan.release)
        if release is None or control is None or release.parent is None or await self._came_before(release, control):
            return
        beside = await self._desk.release(release.parent)
        undone = [
            key
            for key, now in control.values.items()
            if beside is not None
            and key in release.values
            and key in beside.values
            and release.values[key].hash == beside.values[key].hash != now.hash
        ]
        if undone:
            own = next((key for key in release.values if key not in undone), undone[0])
            raise Conflict(
                f"rollout {name!r}: release {release.number} was made beside release {release.parent}, and "
                f"{some(undone)} came into force since: it would set that back; propose its own values again: "
                f"otel-opto releases propose {plan.service} {own}=…"
            )

    async def _came_before(self, release: Release, control: Release) -> bool:
        """Whether the release was in force for everybody before the control: whoever wants it back wants all of it."""
        before: Release | None = control
        while before is not None and before.number > release.number:
            before = await self._desk.release(before.parent) if before.parent is not None else None
        return before is not None and before.number == release.number

    async def _is_live(self, name: str) -> bool:
        """Not where it has ended, or cannot be read any more: then it does not stand in the way of others."""
        try:
            return (await self.rollout(name)).state in _LIVE
        except (Damaged, NotFound):
            return False

    async def _holds(self, found: Rollout) -> bool:
        return (await self._holders.of(history.traffic_stream(found.plan.service))).state == found.name

    async def _known(self, name: str) -> tuple[Rollout, int]:
        found = await self.rollout(name)
        if found.state in _LIVE and not await self._holds(found):
            raise Damaged(
                f"rollout {name!r}: it reads {found.state.value} and has no traffic: its last events were damaged and "
                "are lost; start another one"
            )
        return found, (await self._rollouts.of(history.rollout_stream(name))).version

    async def _hold(
        self, name: str, state: RolloutState, message: str, actor: str, allowed: set[RolloutState]
    ) -> Rollout:
        found, version = await self._known(name)
        if found.state is state:
            return found
        if found.state not in allowed:
            words = ", ".join(sorted(one.value for one in allowed))
            raise Conflict(f"rollout {name!r} is {found.state.value}; to be {state.value} it has to be {words}")
        event = history.moved(found, state, message, stage=found.stage, start=found.start)
        await self._ledger.append([Change(history.rollout_stream(name), version, (event,))], actor)
        return await self.rollout(name)

    async def _end(
        self,
        name: str,
        state: RolloutState,
        message: str,
        actor: str,
        change: Callable[[Assignment], Assignment],
    ) -> Rollout:
        found, version = await self._known(name)
        if found.state is state:
            return found
        if found.state.ended or (state is RolloutState.PROMOTED and found.state not in _LIVE):
            raise Conflict(f"rollout {name!r} is {found.state.value} and cannot be {state.value}")
        changes = await self._ending(found, version, state, message)
        if found.state in _LIVE:
            await self._assign(found, change, f"{state.value}: {message}", actor, changes)
        else:
            await self._ledger.append(changes, actor)
        return await self.rollout(name)

    async def _ending(self, found: Rollout, version: int, state: RolloutState, message: str) -> Sequence[Change]:
        event = history.moved(found, state, message, stage=found.stage, start=found.start)
        changes = [Change(history.rollout_stream(found.name), version, (event,))]
        if found.state in _LIVE:
            traffic = history.traffic_stream(found.plan.service)
            changes.append(Change(traffic, (await self._holders.of(traffic)).version, (history.freed(found),)))
        return changes

    async def _assign(
        self,
        found: Rollout,
        change: Callable[[Assignment], Assignment],
        reason: str,
        actor: str,
        also: Sequence[Change],
    ) -> None:
        await self._desk.reassign(found.plan.service, change, f"rollout {found.name}: {reason}", actor, also)


def _with_share(found: Rollout, stage: int) -> Callable[[Assignment], Assignment]:
    """The arm with that stage's share; it begins with the first bucket, arms of studies stand at the other end.

    The salt is the rollout's own. Where arms of studies are there already, theirs stays: another would deal their units
    anew.
    """

    def change(now: Assignment) -> Assignment:
        arm, others = Arm(found.plan.release, found.start, found.plan.stages[stage].share), _others(now, found)
        free = min((other.start for other in others), default=BUCKETS)
        if arm.start + arm.share > free:
            raise Conflict(
                f"rollout {found.name!r}: stage {stage + 1} has {arm.share / BUCKETS:.0%} of the traffic, and arms of "
                f"studies begin at {free / BUCKETS:.0%}; it waits until they have ended"
            )
        return replace(now, arms=(arm, *others), salt=now.salt if now.arms else history.salt_of(found))

    return change


def _others(now: Assignment, found: Rollout) -> tuple[Arm, ...]:
    return tuple(arm for arm in now.arms if arm.release != found.plan.release)
