"""What stands on a store's ledger, put together as a collector does it."""

from dataclasses import dataclass

from collector.core.protocols import Clock, Store
from collector.counters import Counters
from collector.publisher.desk import Desk
from collector.publisher.hub import AssignmentHub
from collector.rollout.rollouts import Rollouts
from collector.rollout.watch import ArmWatch
from collector.study.arms import TrialArms
from collector.study.studies import Studies
from tests.clocks import TickingClock


@dataclass(frozen=True)
class Control:
    """Releases, assignments and studies of a store."""

    desk: Desk
    studies: Studies
    rollouts: Rollouts
    arms: TrialArms
    hub: AssignmentHub
    counters: Counters


def control_of(store: Store, clock: Clock | None = None) -> Control:
    clock = clock or TickingClock()
    hub, counters = AssignmentHub(), Counters()
    desk = Desk(store.ledger, hub, counters)
    studies, rollouts = Studies(store.ledger, desk), Rollouts(store.ledger, desk)
    arms = TrialArms(studies, rollouts, ArmWatch(store, desk, clock), clock)
    return Control(desk, studies, rollouts, arms, hub, counters)
