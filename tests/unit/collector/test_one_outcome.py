"""A request and the feedback in it are kept as one outcome, though two parts of the store keep them."""

from collections.abc import Sequence

import pytest

from collector.core.errors import Unavailable
from collector.core.feedback import Feedback
from collector.core.page import PageRequest
from collector.core.telemetry import OtlpRequest, Signal
from collector.counters import Counter, Counters
from collector.pipeline import Pipeline
from collector.storage.memory.feedback import MemoryFeedback
from collector.storage.memory.log import MemoryLog
from collector.storage.memory.store import MemoryStore
from tests import samples
from tests.clocks import TickingClock
from tests.control import control_of


class FullLog(MemoryLog):
    """Takes nothing as long as its disk is full."""

    full = True

    async def append(self, *requests: OtlpRequest) -> None:
        if self.full:
            raise Unavailable("the disk is full")
        await super().append(*requests)


class FullFeedback(MemoryFeedback):
    """Takes nothing as long as its disk is full."""

    full = True

    async def submit(self, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
        if self.full:
            raise Unavailable("the disk is full")
        await super().submit(feedback, received_unix_nano)


REQUEST = samples.logs_request([samples.evaluation(1, 1)])


async def received(pipeline: Pipeline, store: MemoryStore) -> tuple[int, int]:
    """How many log records and feedbacks are there after one more try."""
    await pipeline.ingest(Signal.LOGS, REQUEST)
    return (await store.search.counts()).log_records, len((await store.feedback.listed(PageRequest())).items)


@pytest.mark.parametrize("full", ["log", "feedback"])
async def test_who_comes_back_because_one_part_failed_leaves_nothing_twice(full: str) -> None:
    store, counters = MemoryStore(TickingClock()), Counters()
    failing: FullLog | FullFeedback
    if full == "log":
        store.log = failing = FullLog(TickingClock())
        store.search._log = store.feedback._log = failing
    else:
        store.feedback = failing = FullFeedback(store.log)
    pipeline = Pipeline(store, TickingClock(), counters, lambda: None, control_of(store).desk.release)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await pipeline.ingest(Signal.LOGS, REQUEST)
    assert (await store.search.counts()).log_records == 0
    assert counters.snapshot()[Counter.FEEDBACK_ACCEPTED] == 0
    failing.full = False
    assert await received(pipeline, store) == (1, 1)
    assert await received(pipeline, store) == (2, 1)  # sent twice by somebody who missed the answer
