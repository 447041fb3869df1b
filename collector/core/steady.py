"""What time it is, for those who throw away by age: a clock that leaps is not believed at once.

A wall clock that leaps forward by a day and back again would make everything old for a moment. So a leap is doubted
until the clock has gone on from there for a day; meanwhile time goes on at its own pace from where it was. What counts
is never later than what the clock says: a clock that is behind throws nothing away.
"""

from dataclasses import dataclass

LEAP_NANO = 10 * 60 * 10**9
"""The clock may be off by so much without being doubted: a busy or suspended machine, a short stop."""

DOUBT_NANO = 24 * 3600 * 10**9
"""For so long, by its own account, a clock that leaped has to go on before it is believed."""


@dataclass(frozen=True, slots=True)
class TimeMark:
    """What is known of the time at one moment. In Unix nanoseconds.

    Attributes:
        believed: What the time is.
        wall: What the clock said.
        doubted_since: What the clock said when it had leaped; None while it is believed.
    """

    believed: int
    wall: int
    doubted_since: int | None = None

    @property
    def counts(self) -> int:
        """The time that counts for what is thrown away."""
        return min(self.believed, self.wall)


def believed(before: TimeMark, wall: int) -> TimeMark:
    """What is known now.

    Args:
        before: What was known when the clock was looked at last, also by an earlier process.
        wall: What the clock says now.
    """
    if abs(wall - before.believed) <= LEAP_NANO:
        return TimeMark(wall, wall)
    since = before.doubted_since
    if since is None or since > wall or (since > before.believed) != (wall > before.believed):
        return TimeMark(before.believed, wall, wall)
    if wall - since >= DOUBT_NANO:
        return TimeMark(wall, wall)
    return TimeMark(before.believed + min(max(wall - before.wall, 0), LEAP_NANO), wall, since)
