"""Names that are used once."""

from collections import Counter
from collections.abc import Iterable


def numbered(bases: Iterable[str]) -> list[str]:
    """Each name once, in the order given: a repeated one gets ``_2``, ``_3``, …, skipping what is taken already."""
    names: list[str] = []
    taken: set[str] = set()
    times: Counter[str] = Counter()
    for base in bases:
        name = base
        while name in taken or not times[base]:
            times[base] += 1
            name = base if times[base] == 1 else f"{base}_{times[base]}"
        taken.add(name)
        names.append(name)
    return names
