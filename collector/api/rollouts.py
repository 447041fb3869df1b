"""What a person or a script can ask of rollouts. Transport-free: dataclasses in and out."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from collector.api.pages import numbered
from collector.core.errors import Conflict, InvalidRequest, NotFound, some
from collector.core.ledger import Recorded
from collector.core.page import Page, PageRequest, cursor, key_of, page_of
from collector.core.parameter import validated
from collector.core.protocols import ParameterStore
from collector.core.record import tree_of
from collector.core.release import Release, ReleaseDraft
from collector.core.requests import Asked, Caller, Requests
from collector.core.rollout import Rollout, RolloutPlan, RolloutState
from collector.core.study import Policy
from collector.publisher.desk import Desk, aside
from collector.publisher.events import RELEASES
from collector.rollout.comparison import Comparison
from collector.rollout.decision import Decision, Step
from collector.rollout.history import BEGINS, rollout_stream
from collector.rollout.rollouts import Rollouts
from collector.rollout.runner import RolloutRunner
from collector.rollout.wakings import Wakings
from collector.rollout.watch import ArmWatch

MOST_REASON_CHARACTERS = 10_000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """A rollout, what its units say, and what it does or waits for next."""

    rollout: Rollout
    comparison: Comparison
    decision: Decision


class RolloutOperations:
    """The operations. They raise the errors of `collector.core.errors`; the transports map them."""

    def __init__(
        self,
        requests: Requests,
        parameters: ParameterStore,
        desk: Desk,
        rollouts: Rollouts,
        watch: ArmWatch,
        runner: RolloutRunner,
        wakings: Wakings,
    ) -> None:
        self._requests = requests
        self._parameters = parameters
        self._desk = desk
        self._rollouts = rollouts
        self._watch = watch
        self._runner = runner
        self._wakings = wakings

    async def propose_release(self, service: str, values: Mapping[str, object], reason: str, caller: Caller) -> Release:
        """A release that is in force for nobody yet; what it does not name stays as it is in force.

        Before the first one of a service what the application declared becomes a release, which is the control.

        Raises:
            InvalidRequest: a value does not fit its parameter, or nothing is named, or the reason is too long.
        """
        _check_reason("reason", reason)
        asked = Asked("propose_release", {"service": service, "values": values, "reason": reason}, RELEASES)
        return await self._requests.once(
            caller, asked, lambda: self._propose_release(service, values, reason, caller.actor), self._release
        )

    async def _propose_release(self, service: str, values: Mapping[str, object], reason: str, actor: str) -> Release:
        specs = await self._parameters.of(service)
        good, faults = await asyncio.to_thread(validated, values, specs)  # patterns may take their time
        if faults or not good:
            raise InvalidRequest("values: " + (some(faults, "; ") or "found none; name one parameter at least"))
        control = await self._desk.control(service)
        known = {key: released.value for key, released in control.values.items()} if control else {}
        whole = {spec.key: good.get(spec.key, known.get(spec.key, spec.default)) for spec in specs}
        draft = ReleaseDraft(service, whole, reason or "proposed by hand")
        own = ReleaseDraft(service, {spec.key: spec.default for spec in specs}, "the application's own values")
        return await self._desk.publish(draft, actor, aside, first=own)

    async def list(self, service: str, page: PageRequest) -> Page[Rollout]:
        """In order of creation; of every service if it is empty.

        Raises:
            InvalidRequest: the cursor is none of this list.
        """
        found = [rollout for rollout in await self._rollouts.all() if service in ("", rollout.plan.service)]
        return numbered("rollouts", found, page)

    async def report(self, name: str) -> RolloutReport:
        """One rollout with its evidence.

        Raises:
            NotFound: there is no such rollout.
        """
        rollout = await self._rollouts.rollout(name)
        comparison = await self._watch.comparison(rollout)
        live = rollout.state in (RolloutState.RAMPING, RolloutState.PAUSED, RolloutState.INCONCLUSIVE)
        decision = await self._runner.next_step(rollout) if live else Decision(Step.WAIT, rollout.message)
        return RolloutReport(rollout, comparison, decision)

    async def watch(self, name: str) -> AsyncGenerator[RolloutReport, None]:
        """A rollout as it is, then whenever it moves or more units are judged, until it has ended.

        Raises as `report`.
        """
        shown = None
        with self._wakings.of(rollout_stream(name)) as woken:
            while True:
                woken.clear()
                report = await self.report(name)
                if report != shown:
                    yield report
                if report.rollout.state.ended:
                    return
                shown = report
                await woken.wait()

    async def start(self, name: str, plan: RolloutPlan, caller: Caller) -> Rollout:
        """Plans a rollout and begins it, or has it wait for its approval.

        Args:
            plan: Its content hash is filled in where it is empty.

        Raises:
            NotFound: there is no such release.
            InvalidRequest: the plan contradicts itself, or the release is another service's.
            Conflict: an automatic policy without the right to sign it off; another rollout has the traffic; the
                release is in force already.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise InvalidRequest(f"name: found {len(name)} characters, allowed are 1 to {_LONGEST_NAME}")
        content = {"name": name, "plan": tree_of(plan)}
        asked = Asked("start_rollout", content, rollout_stream(name), BEGINS)
        return await self._requests.once(
            caller, asked, lambda: self._start(name, plan, caller), partial(self._rollouts.at, name)
        )

    async def _start(self, name: str, plan: RolloutPlan, caller: Caller) -> Rollout:
        release = await self._release(plan.release)
        faults = plan.faults()
        if release.service != plan.service:
            faults.append(f"service: found {plan.service!r}, but release {plan.release} is of {release.service!r}")
        if plan.content_hash not in ("", release.hash):
            faults.append(f"content_hash: found {plan.content_hash!r}, but release {plan.release} has {release.hash!r}")
        if faults:
            raise InvalidRequest("rollout: " + "; ".join(faults))
        if plan.policy is Policy.AUTOMATIC and not caller.may_approve:
            raise Conflict("policy: an automatic one is signed off by who creates it, which takes the scope 'approve'")
        await self._rollouts.draft(name, plan.of(release.hash), caller.actor)
        return await self._rollouts.begin(name, caller.actor)

    async def _release(self, number: int) -> Release:
        release = await self._desk.release(number)
        if release is None:
            raise NotFound(f"release {number}: there is none of that number; `otel-opto releases` lists them")
        return release

    async def approve(self, name: str, content_hash: str, caller: Caller) -> Rollout:
        """A person's word for this very content; a rollout that waited for it begins."""
        content = {"name": name, "content_hash": content_hash}
        asked = Asked("approve_rollout", content, rollout_stream(name), BEGINS)
        return await self._requests.once(
            caller, asked, lambda: self._approve(name, content_hash, caller.actor), partial(self._rollouts.at, name)
        )

    async def _approve(self, name: str, content_hash: str, actor: str) -> Rollout:
        rollout = await self._rollouts.approve(name, content_hash, actor)
        if rollout.state in (RolloutState.DRAFT, RolloutState.AWAITING_APPROVAL):
            return await self._rollouts.begin(name, actor)
        return rollout

    async def pause(self, name: str, message: str, caller: Caller) -> Rollout:
        """Stays in its stage; guardrails still hold. As with the other steps, what is so already stays so.

        Raises:
            NotFound: there is no such rollout.
            Conflict: its state does not allow it.
        """
        return await self._step("pause_rollout", self._rollouts.pause, name, message, caller)

    async def resume(self, name: str, message: str, caller: Caller) -> Rollout:
        """Goes on in its stage. Raises as `pause`."""
        return await self._step("resume_rollout", self._rollouts.resume, name, message, caller)

    async def promote(self, name: str, message: str, caller: Caller) -> Rollout:
        """Everybody gets the release. Raises as `pause`."""
        return await self._step("promote_rollout", self._rollouts.promote, name, message, caller)

    async def abort(self, name: str, message: str, caller: Caller) -> Rollout:
        """Everybody goes back to the control. Raises as `pause`."""
        return await self._step("abort_rollout", self._rollouts.abort, name, message, caller)

    async def _step(
        self,
        operation: str,
        step: Callable[[str, str, str], Awaitable[Rollout]],
        name: str,
        message: str,
        caller: Caller,
    ) -> Rollout:
        _check_reason("message", message)
        asked = Asked(operation, {"name": name, "message": message}, rollout_stream(name))
        words = message or f"by {caller.actor}"
        return await self._requests.once(
            caller, asked, lambda: step(name, words, caller.actor), partial(self._rollouts.at, name)
        )

    async def audit(self, stream: str, service: str, page: PageRequest) -> Page[Recorded]:
        """What was decided and happened, the newest first: the ledger itself.

        Args:
            stream: How the names of streams begin.
            service: What it concerns; anything if it is empty.

        Raises:
            InvalidRequest: the cursor is none of this list.
        """
        (before,) = key_of(page.cursor, "audit", int) or (None,)
        found = await self._requests.history(
            prefix=stream, subject=service, before=int(before) if before is not None else None, limit=page.limit + 1
        )
        return page_of(
            found,
            page.limit,
            lambda one: one,
            lambda one: cursor("audit", one.sequence),
            lambda one: len(repr(one.data)),
        )


def _check_reason(what: str, text: str) -> None:
    if len(text) > MOST_REASON_CHARACTERS:
        raise InvalidRequest(f"{what}: found {len(text):,} characters, allowed are {MOST_REASON_CHARACTERS:,}")
