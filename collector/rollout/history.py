"""A rollout as events of the ledger, and the fold that makes it of them.

Stream ``rollout/NAME`` holds one rollout; stream ``rollouts/SERVICE`` says which one has the service's traffic.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from collector.core.ledger import Event, Recorded
from collector.core.record import record_of, tree_of
from collector.core.rollout import Rollout, RolloutPlan, RolloutState

PREFIX = "rollout/"
_STATES = {
    "rollout_submitted": RolloutState.AWAITING_APPROVAL,
    "rollout_began": RolloutState.RAMPING,
    "stage_entered": RolloutState.RAMPING,
    "rollout_paused": RolloutState.PAUSED,
    "rollout_resumed": RolloutState.RAMPING,
    "rollout_inconclusive": RolloutState.INCONCLUSIVE,
    "rollout_promoted": RolloutState.PROMOTED,
    "rollout_aborted": RolloutState.ABORTED,
}
_KINDS = {state: kind for kind, state in _STATES.items() if state is not RolloutState.RAMPING}
_RAMPING_FROM = {
    RolloutState.DRAFT: "rollout_began",
    RolloutState.AWAITING_APPROVAL: "rollout_began",
    RolloutState.RAMPING: "stage_entered",
    RolloutState.PAUSED: "rollout_resumed",
    RolloutState.INCONCLUSIVE: "rollout_resumed",
}
BEGINS = frozenset({"rollout_submitted", "rollout_began"})
"""With these it is on its way: it waits for its approval, or has its first share."""

_DRAFTED, _APPROVED, _TAKEN, _FREED = "rollout_drafted", "rollout_approved", "traffic_taken", "traffic_freed"


def rollout_stream(name: str) -> str:
    """Where a rollout is."""
    return PREFIX + name


def traffic_stream(service: str) -> str:
    """Where it stands which rollout has a service's traffic."""
    return f"rollouts/{service}"


def salt_of(rollout: Rollout) -> str:
    """By which a rollout deals its units: 16 hex digits of its stream and its content, so that it is the same in every
    stage and after a restart, and another rollout begins with other users."""
    return hashlib.sha256(f"{rollout_stream(rollout.name)}\n{rollout.plan.content_hash}".encode()).hexdigest()[:16]


def drafted(plan: RolloutPlan) -> Event:
    """A rollout is planned."""
    return Event(_DRAFTED, tree_of(plan), plan.service)


def approved(rollout: Rollout, content_hash: str, actor: str) -> Event:
    """A person has approved the release of this very content."""
    return Event(_APPROVED, {"content_hash": content_hash, "by": actor}, rollout.plan.service)


def moved(rollout: Rollout, state: RolloutState, message: str, *, stage: int, start: int) -> Event:
    """A rollout goes to a state, and is in that stage and at that place of the buckets from then on."""
    kind = _RAMPING_FROM[rollout.state] if state is RolloutState.RAMPING else _KINDS[state]
    return Event(kind, {"message": message, "stage": stage, "start": start}, rollout.plan.service)


def taken(rollout: Rollout) -> Event:
    """The rollout has its service's traffic from now on."""
    return Event(_TAKEN, {"rollout": rollout.name}, rollout.plan.service)


def freed(rollout: Rollout) -> Event:
    """Another rollout may have it."""
    return Event(_FREED, {"rollout": rollout.name}, rollout.plan.service)


def holder(before: str, events: Sequence[Recorded]) -> str:
    """The rollout that has a service's traffic behind some more events; empty if none has."""
    for one in events:
        before = str(one.data["rollout"]) if one.kind == _TAKEN else ""
    return before


def rollout(before: Rollout | None, events: Sequence[Recorded]) -> Rollout | None:
    """A rollout behind some more events."""
    for one in events:
        data: Any = one.data
        if before is None:
            before = Rollout(one.stream.removeprefix(PREFIX), record_of(RolloutPlan, data), RolloutState.DRAFT)
        elif one.kind == _APPROVED:
            before = replace(before, approved_by=data["by"])
        elif one.kind in _STATES:
            before = _moved(before, _STATES[one.kind], data, one.time_unix_nano)
    return before


def _moved(before: Rollout, state: RolloutState, data: Mapping[str, Any], now_unix_nano: int) -> Rollout:
    ramps = state is RolloutState.RAMPING
    return replace(
        before,
        state=state,
        stage=data["stage"],
        start=data["start"],
        message=data["message"],
        stage_began_unix_nano=now_unix_nano if ramps else before.stage_began_unix_nano,
        began_unix_nano=before.began_unix_nano or (now_unix_nano if ramps else 0),
    )
