"""What retention gives up, it counts."""

from collections.abc import Sequence
from pathlib import Path

from collector.core.page import PageRequest
from collector.core.protocols import Clock, Store
from collector.counters import Counter, Counters
from collector.otlp.request import read_traces
from collector.retention import Retention, RetentionLimits
from collector.steady_time import SteadyTime
from collector.storage.file_store import FileStore
from collector.storage.segments.segments import SegmentLimits
from tests import samples
from tests.clocks import TickingClock


def retention(
    store: Store, clock: Clock, limits: RetentionLimits, counters: Counters, destinations: Sequence[str] = ()
) -> Retention:
    time = SteadyTime(store.marks, store.log, clock)
    return Retention(store.log, store.deliveries, time, limits, counters, destinations)


async def test_old_telemetry_goes_and_lost_deliveries_are_counted(tmp_path: Path) -> None:
    clock, counters = TickingClock(), Counters()
    store = FileStore(tmp_path, clock, SegmentLimits(bytes=1))
    await store.start()
    await store.deliveries.set_position("slow", 0)
    await store.deliveries.set_position("forgotten long ago", 0)
    for number in range(1, 6):
        body = samples.traces_request([samples.span(number, 1)])
        await store.log.append(read_traces(body, clock.now_unix_nano()).request)
    for limits in (RetentionLimits(), RetentionLimits(max_age_seconds=1e6), RetentionLimits(max_bytes=10**9)):
        await retention(store, clock, limits, counters).look()
    assert counters.snapshot()[Counter.STORAGE_FORGOTTEN_SPANS] == 0
    await retention(store, clock, RetentionLimits(max_age_seconds=0), counters, ["slow"]).look()
    gone = counters.snapshot()[Counter.STORAGE_FORGOTTEN_SPANS]
    assert gone > 0
    assert counters.snapshot()[Counter.EXPORTER_DROPPED_ITEMS] == gone
    assert len((await store.search.traces(PageRequest(1_000))).items) == 5 - gone
    await store.stop()


async def test_without_limits_it_has_nothing_to_do(tmp_path: Path) -> None:
    store = FileStore(tmp_path, TickingClock())
    await retention(store, TickingClock(), RetentionLimits(), Counters()).run()
