"""What stands on a store's ledger, put together as a collector does it."""

from dataclasses import dataclass

from collector.core.protocols import Store
from collector.counters import Counters
from collector.publisher.desk import Desk
from collector.publisher.hub import AssignmentHub
from collector.study.studies import Studies


@dataclass(frozen=True)
class Control:
    """Releases, assignments and studies of a store."""

    desk: Desk
    studies: Studies
    hub: AssignmentHub
    counters: Counters


def control_of(store: Store) -> Control:
    hub, counters = AssignmentHub(), Counters()
    desk = Desk(store.ledger, hub, counters)
    return Control(desk, Studies(store.ledger, desk), hub, counters)
