"""``python -m benchmarks.ledger``: the fold of a long study, cold and when nothing has changed, in processor time.

Cold is what a collector does after its start: it selects the stream's events, reads their JSON and makes the record.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from collector.core.ledger import Change
from collector.core.study import Cost, Study, Trial
from collector.counters import Counters
from collector.process.allocator import collect_seldom
from collector.publisher.desk import Desk
from collector.publisher.hub import AssignmentHub
from collector.storage.database import Database
from collector.storage.tables.ledger import TableLedger
from collector.study import history
from collector.study.studies import Studies


class _Clock:
    def now_unix_nano(self) -> int:
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _filled(ledger: TableLedger, count: int) -> None:
    """A study of so many events: each trial is opened and completed, with four values and a sentence."""
    study = Study("long", "shop", "quality")
    events = [history.created(study)]
    for number in range((count - 1) // 2):
        values = {
            "retriever.top_k": number % 10,
            "temperature": 0.3,
            "strict": True,
            "prompt": "Answer {question}." * 3,
        }
        trial = Trial(number, number + 1, values, "the best one yet, with one more passage", Cost(1, 900, 120, 2.5))
        events += [history.opened(study, trial), history.completed(study, number, 0.5 + number % 7 / 20, 20, 0.5)]
    await ledger.append([Change(history.study_stream("long"), 0, tuple(events))], "study:long")


async def _least(times: int, work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of processor time, of the best of several."""
    found = []
    for _ in range(times):
        begun = time.process_time_ns()
        await work()
        found.append((time.process_time_ns() - begun) / 1e6)
    return min(found)


async def _measure(count: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        database = Database(Path(directory), 2**28)
        await database.start()
        ledger = TableLedger(database, _Clock())
        await _filled(ledger, count)
        desk = Desk(ledger, AssignmentHub(), Counters())
        read = await _least(times, lambda: ledger.read(history.study_stream("long")))
        cold = await _least(times, lambda: Studies(ledger, desk).study("long"))
        known = Studies(ledger, desk)
        await known.study("long")
        unchanged = await _least(times, known.all_running)
        await database.stop()
    print(f"{count:,} events: cold {cold:.1f} ms, of which reading {read:.1f} ms; unchanged {unchanged:.2f} ms a round")


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=15)
    arguments = parser.parse_args()
    collect_seldom()  # as the collector does
    asyncio.run(_measure(arguments.events, arguments.times))


if __name__ == "__main__":
    main()
