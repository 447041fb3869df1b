"""What is measured when Prometheus asks: how many studies, rollouts and tokens there are, and how much room is left."""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence

from collector.core.feedback import FeedbackState
from collector.core.protocols import Store
from collector.core.rollout import Rollout, RolloutState
from collector.core.study import Cost, StudyRecord, StudyState
from collector.rollout.rollouts import Rollouts
from collector.study.studies import Studies

_NOTHING = Cost()
_Labelled = Mapping[str, float]


class Measures:
    """Looks.

    Args:
        free_bytes: Of the disk that the store is on; reads the file system.
    """

    def __init__(self, store: Store, studies: Studies, rollouts: Rollouts, free_bytes: Callable[[], int]) -> None:
        self._store = store
        self._studies = studies
        self._rollouts = rollouts
        self._free_bytes = free_bytes

    async def exposition(self) -> str:
        """In Prometheus' text format 0.0.4. Every label is one of ours: none is text of anybody."""
        studies, rollouts = await self._studies.all(), await self._rollouts.all()
        feedback = await self._store.feedback.counts()
        stored = await self._store.size_bytes()

        def written() -> str:
            rows = [
                *_gauge("otel_opto_studies", "state", _by_state(studies)),
                *_gauge("otel_opto_rollouts", "state", _rollouts_by_state(rollouts)),
                *_gauge(
                    "otel_opto_feedback", "state", {state.value: feedback.get(state, 0) for state in FeedbackState}
                ),
                *_spent(_cost(studies)),
                *_gauge("otel_opto_storage_bytes", "", {"": stored}),
                *_gauge("otel_opto_storage_free_bytes", "", {"": self._free_bytes()}),
            ]
            return "\n".join(rows) + "\n"

        return await asyncio.to_thread(written)


def _by_state(records: Sequence[StudyRecord]) -> _Labelled:
    found = Tally(record.state for record in records)
    return {state.value: found[state] for state in StudyState}


def _rollouts_by_state(rollouts: Sequence[Rollout]) -> _Labelled:
    found = Tally(rollout.state for rollout in rollouts)
    return {state.value: found[state] for state in RolloutState}


def _cost(records: Sequence[StudyRecord]) -> Cost:
    costs = (
        cost
        for record in records
        for costs in ((one.cost for one in record.trials), (one.proposal.cost for one in record.rejected))
        for cost in costs
    )
    return sum((cost for cost in costs if cost != _NOTHING), _NOTHING)


def _spent(cost: Cost) -> Iterator[str]:
    """Over all studies; counters, because the ledger only grows."""
    yield from _series("counter", "otel_opto_optimizer_calls_total", "", {"": cost.calls})
    tokens = {"input": cost.input_tokens, "output": cost.output_tokens}
    yield from _series("counter", "otel_opto_optimizer_tokens_total", "direction", tokens)
    yield from _series("counter", "otel_opto_optimizer_seconds_total", "", {"": cost.seconds})


def _gauge(name: str, label: str, values: _Labelled) -> Iterator[str]:
    yield from _series("gauge", name, label, values)


def _series(kind: str, name: str, label: str, values: _Labelled) -> Iterator[str]:
    yield f"# TYPE {name} {kind}"
    for value, measured in values.items():
        yield f'{name}{{{label}="{value}"}} {measured:.15g}' if label else f"{name} {measured:.15g}"
