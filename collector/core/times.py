"""Between which bounds times lie: the one place that says it.

OTLP carries Unix nanoseconds as fixed64. Its upper half (from the year 2262 on) is no time of a clock, but of mixed-up
units, and does not fit what indexes, tables and viewers count with. The bytes of a span keep it as it came; whatever is
made of these bytes (`collector.otlp.decode`, `collector.otlp.heads`) has it bounded, so that nobody behind has to think
of it: 0 ≤ start ≤ end ≤ `LATEST`.
"""

LATEST = 2**63 - 1
"""The last moment, in Unix nanoseconds; it fits int64."""


def bounded(unix_nano: int) -> int:
    """The time itself, or the bound that it lies beyond."""
    return 0 if unix_nano < 0 else min(unix_nano, LATEST)


def end_of(start_unix_nano: int, end_unix_nano: int) -> int:
    """The bounded end of what began then: never before its start. One that has not ended (0) ends where it began."""
    return max(bounded(start_unix_nano), bounded(end_unix_nano))
