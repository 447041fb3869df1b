"""The time that retention and expiry go by, remembered over restarts."""

from collector.core.protocols import Clock, Marks, TelemetryLog
from collector.core.steady import TimeMark, believed
from collector.core.times import bounded

_WRITTEN_EVERY_NANO = 60 * 10**9


class SteadyTime:
    """See `collector.core.steady`.

    Args:
        marks: Remember it.
        log: Where they do not yet, the request that came last says what time it was then.
        clock: The machine's.
    """

    def __init__(self, marks: Marks, log: TelemetryLog, clock: Clock) -> None:
        self._marks = marks
        self._log = log
        self._clock = clock

    async def now_unix_nano(self) -> int:
        """The time that counts."""
        wall = bounded(self._clock.now_unix_nano())
        known = await self._marks.time_mark()
        now = believed(known or await self._first(wall), wall)
        if (
            known is None
            or now.doubted_since != known.doubted_since
            or abs(now.wall - known.wall) >= _WRITTEN_EVERY_NANO
        ):
            await self._marks.set_time_mark(now)
        return now.counts

    async def _first(self, wall: int) -> TimeMark:
        last = await self._log.last_received()
        return TimeMark(min(last, wall) if last else wall, wall)
