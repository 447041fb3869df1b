"""What the operations work on."""

from collections.abc import Callable
from dataclasses import dataclass

from collector.api.measures import Measures
from collector.api.rates import SpanRate
from collector.api.standing import Standings
from collector.core.protocols import Clock, Optimizer, Store
from collector.core.requests import Requests
from collector.counters import Counters
from collector.optimizer.drafting.checks import Checks
from collector.pipeline import Pipeline
from collector.publisher.desk import Desk
from collector.rollout.rollouts import Rollouts
from collector.study.runner import StudyRunner
from collector.study.studies import Studies


@dataclass(frozen=True, slots=True)
class Backend:
    """The parts of a collector, of which operations are put together."""

    store: Store
    pipeline: Pipeline
    runner: StudyRunner
    desk: Desk
    studies: Studies
    rollouts: Rollouts
    load_optimizer: Callable[[str], Optimizer]
    counters: Counters
    clock: Clock
    requests: Requests
    wake: Callable[[], None]
    standings: Standings
    checks: Checks
    rate: SpanRate
    measures: Measures
