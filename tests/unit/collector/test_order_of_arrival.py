"""Where feedback belongs follows from what came, never from the order in which it came: through the real store."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.feedback import Feedback
from collector.core.page import PageRequest
from collector.core.span import SpanContext
from collector.core.telemetry import Signal
from collector.counters import Counter, Counters
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from tests import samples
from tests.control import control_of

GRACE_SECONDS = 2.0
SECOND = 10**9
Arrival = Span | Feedback | None
Found = list[tuple[str, str, int | None]]


class SetClock:
    """Time goes on when it is told to."""

    def __init__(self) -> None:
        self.now = samples.START

    def now_unix_nano(self) -> int:
        return self.now


async def attached(directory: Path, arrivals: Sequence[Arrival]) -> tuple[Found, int]:
    """What is attached where at the end, and how often an attachment was counted. None: a round of attaching."""
    clock, counters = SetClock(), Counters()
    store = FileStore(directory, clock)
    await store.start()
    try:
        pipeline = Pipeline(store, clock, counters, lambda: None, control_of(store).desk.release)
        for arrival in arrivals:
            clock.now += SECOND // 2
            if arrival is None:
                await pipeline.attach(GRACE_SECONDS)
            elif isinstance(arrival, Feedback):
                await pipeline.submit([arrival])
            else:
                await pipeline.ingest(Signal.TRACES, samples.traces_request([arrival]))
        for _ in range(2):
            await pipeline.attach(GRACE_SECONDS)
            clock.now += 3 * SECOND
        stored = (await store.feedback.listed(PageRequest(1_000))).items
        found = sorted((one.feedback.name, one.feedback.target.span_id, one.release) for one in stored)
        return found, counters.snapshot()[Counter.FEEDBACK_ATTACHED]
    finally:
        await store.stop()


def judged(arrivals: Sequence[Arrival]) -> tuple[Found, int]:
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(attached(Path(directory), arrivals))


def span(number: int, parent: int | None, start: int, release: int | None, kind: int) -> Span:
    values = {} if release is None else {"opto.release": release}
    made = samples.span(1, number, parent, values=values, start=start, duration=SECOND * (1 + number % 3))
    made.kind = kind  # type: ignore[assignment]
    return made


SPANS = st.builds(
    span,
    number=st.integers(1, 5),
    parent=st.sampled_from([None, 0, 1, 2, 3, 4, 5, 9]),
    start=st.integers(0, 3),
    release=st.sampled_from([None, None, 1, 2]),
    kind=st.sampled_from([1, 2, 3]),
)
ON_THE_TRACE = Feedback(SpanContext(samples.trace_id(1), ""), "trace", 1.0)
ON_A_SPAN = Feedback(SpanContext(samples.trace_id(1), samples.span_id(1)), "span", 1.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(SPANS, min_size=1, max_size=5), st.data())
def test_the_order_of_arrival_does_not_matter(spans: list[Span], data: st.DataObject) -> None:
    came: list[Arrival] = [ON_THE_TRACE, ON_A_SPAN, *spans]
    expected, count = judged(came)
    shuffled = data.draw(st.permutations([*came, None, None, None]), label="arrival")
    found, counted = judged(shuffled)
    assert found == expected
    assert counted == count


def test_a_root_that_comes_last_takes_the_feedback_from_one_that_was_early() -> None:
    main = samples.span(1, 1, values={"opto.release": 7}, duration=5 * SECOND)
    side = samples.span(1, 2, start=1_000, duration=1_000)
    below = samples.span(1, 3, 1, start=2_000)
    taken = ([("trace", samples.span_id(1), 7)], 1)
    for arrivals in (
        [side, ON_THE_TRACE, None, main],
        [main, side, ON_THE_TRACE],
        [ON_THE_TRACE, None, below, None, None, None, None, None, main],
        [below, ON_THE_TRACE, None, side, None, main, None],
    ):
        assert judged(arrivals) == taken
