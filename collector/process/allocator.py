"""How the process handles memory: large buffers come and go all the time, and graphs are many small objects.

A request is parsed into about two megabytes and let go a millisecond later. glibc gives such memory back to the system
at once and takes it again for the next request; the page faults are a seventh of what an ingested span costs.
"""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 32 * 2**20
_COLLECT_AFTER = (50_000, 20, 50)


def collect_seldom() -> None:
    """Looks for circles of garbage after 50,000 new objects instead of 700: there are none in a graph.

    With CPython's default a quarter to a third of the time to build a large one goes into looking for them.
    """
    gc.set_threshold(*_COLLECT_AFTER)


def keep_freed_memory() -> bool:
    """Lets glibc hold up to 32 MiB that are free. False where the C library has no such setting."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES))
