"""Routers: operations whose answer is the name of the one that runs next. No value flows; the answer decides."""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from collector.graph.clock import Times
from collector.graph.content.texts import words
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts
from collector.graph.reading.values import structured
from collector.graph.rules import NAMED, Find

MAX_LABEL: Final = 40
"""Characters of a name that a router says."""

MAX_RECORD: Final = 400
"""Characters of a record in which it does."""

MAX_FIELDS: Final = 3
"""Of a record in which a router says it, among a reason and the like."""

MORE: Final = 2
"""Words more than the label has that a name may have: ``handle_billing`` of ``billing``."""

MIN_LABEL: Final = 2
"""Letters."""

_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def routed(forest: Forest, readings: Mapping[str, Facts], times: Times) -> Iterator[Find]:
    """From who says a name to the first operation with that name which began after it, if nobody says it in between."""
    by_name = {name: _words(name) for name in {reading.name for reading in readings.values()}}
    known = {word for name in by_name.values() for word in name}
    labels = {span_id: found for span_id, reading in readings.items() if (found := [*_labels(reading, known)])}
    if not labels:
        return
    by_word: dict[str, list[str]] = {}
    names = {span_id: by_name[reading.name] for span_id, reading in readings.items()}
    for span_id in sorted(names, key=lambda one: (times.starts[one], forest.position[one])):
        for word in {*names[span_id]}:
            by_word.setdefault(word, []).append(span_id)
    taken: set[str] = set()
    for router in sorted(labels, key=lambda one: (-times.ends[one], forest.position[one])):
        for label in labels[router]:
            chosen = _first(forest, times, by_word.get(label[0], ()), names, router, label)
            if chosen is not None and chosen not in taken and readings[chosen].name != readings[router].name:
                taken.add(chosen)
                yield Find(router, chosen, NAMED, "", f"the answer names it: {' '.join(label)}")


def _first(
    forest: Forest,
    times: Times,
    named: Sequence[str],
    names: Mapping[str, list[str]],
    router: str,
    label: list[str],
) -> str | None:
    inside = {*forest.descendants(router)}
    if any(one in inside and _is_name(label, names[one]) for one in named):
        return None  # it says what is in it
    for one in named:
        nested = forest.encloses(one, router) or forest.encloses(router, one)
        if not nested and times.starts[one] >= times.ends[router] and _is_name(label, names[one]):
            return one
    return None


def _is_name(label: list[str], name: list[str]) -> bool:
    size = len(label)
    return len(name) <= size + MORE and any(name[at : at + size] == label for at in range(len(name) - size + 1))


def _labels(reading: Facts, known: AbstractSet[str]) -> Iterator[list[str]]:
    """What may be a name among its answers: a text of its own, or a short value of a small record."""
    said = reading.output
    if not reading.has_output or (isinstance(said, str) and len(said) > MAX_RECORD):
        return
    said = structured(said)
    values = [*said.values()] if isinstance(said, Mapping) and len(said) <= MAX_FIELDS else [said]
    for value in values:
        if isinstance(value, str) and MIN_LABEL <= len(value) <= MAX_LABEL:
            found = _words(value)
            if found and known >= {*found}:
                yield found


def _words(text: str) -> list[str]:
    return words(_HUMP.sub(" ", text).casefold())
