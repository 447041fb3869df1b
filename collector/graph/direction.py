"""Which way a value went that a span carries without saying so: in, if it was there before; else it came out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from collector.core.span import AnyValue
from collector.graph.clock import Times
from collector.graph.content.records import record
from collector.graph.content.texts import MIN_LENGTH, MIN_WHOLE, is_common, texts, weight
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts

MAX_EARLIER: Final = 4
"""Of the spans that carry one text only that many are remembered, the first ones to end."""

MAX_ITEMS: Final = 32
"""Of a list only so many are looked at."""

MAX_INSIDE: Final = 32
"""Calls in an operation that are asked for a value of it."""

MAX_UP: Final = 8
"""So many callers are asked for the same value."""

MIN_CONSTANT: Final = 4
"""So many spans carry a value alike that is called a constant."""


def directed(forest: Forest, readings: Mapping[str, Facts], times: Times) -> Mapping[str, Facts]:
    """The readings with what they carry among their inputs and outputs.

    A value is an input if a span that ended before carried any text of it, if it is an input of its caller, and if its
    caller, a call of it or many others carry the same under the same name. All others are inputs, too, where an output
    is stated, and else outputs; since these may be inputs that came from outside or were made of several, they are
    looked at as inputs, too, under the same name. What is true of the first of several operations of a name is true of
    all. The order of attributes proves nothing, since Java's SDK keeps none and some stores sort them: of an operation
    without known inputs the first of several values is only not shown as its output.
    """
    if not any(reading.carried for reading in readings.values()):
        return readings
    found = dict(readings)
    seen: dict[str, list[str]] = {}
    constants = _constants(readings)
    first: dict[tuple[str, str], bool] = {}
    inside = _Inside(forest, readings, times)
    for span_id in sorted(readings, key=lambda one: (times.ends[one], one)):
        reading = readings[span_id]
        if reading.carried:
            callers = [readings[one] for one in _callers(forest, span_id)]
            near = [*(one.carried for one in callers), *(readings[one].carried for one in forest.children[span_id])]
            context = [
                name
                for name, value in reading.carried.items()
                if (name, repr(value)) in constants
                or any(name in carried and carried[name] == value for carried in near)
                or any(value in caller.inputs.values() for caller in callers)
            ]
            known = [
                name for name, value in reading.carried.items() if name not in context and inside.took(span_id, value)
            ]
            context += known
            known = [
                name
                for name, value in reading.carried.items()
                if name not in context
                and first.setdefault((reading.name, name), _was_there(forest, times, seen, span_id, value))
            ]
            made = [name for name in reading.carried if name not in context and name not in known]
            came = [name for name in made if inside.made(span_id, reading.carried[name])]
            if came and len(came) < len(made):
                known += [name for name in made if name not in came]
            if len(context) + len(known) < len(reading.carried) and not reading.inputs and not reading.taken:
                reading = _turned(forest, times, seen, span_id, reading)
            found[span_id] = _directed(reading, [*context, *known])
        for text in _texts_of(found[span_id]):
            seen.setdefault(text, []).append(span_id)
    return found


class _Inside:
    """What the calls in an operation say of a value of it: given to one of them before any made it, it went in."""

    def __init__(self, forest: Forest, readings: Mapping[str, Facts], times: Times) -> None:
        self._forest = forest
        self._readings = readings
        self._times = times
        self._texts: dict[str, tuple[str, str]] = {}

    def took(self, span_id: str, value: AnyValue) -> bool:
        """Whether a call was given all of a value that says something, and none had made it before."""
        said = [text for text in texts(value) if weight(text) >= MIN_LENGTH]
        inner = self._forest.descendants(span_id)[1 : MAX_INSIDE + 1]
        if not said or not inner:
            return False
        took = made = None
        for one in inner:
            given, answered = self._of(one)
            if all(text in given for text in said):
                took = min(took or self._times.starts[one], self._times.starts[one])
            if any(text in answered for text in said):
                made = min(made or self._times.ends[one], self._times.ends[one])
        return took is not None and (made is None or took < made)

    def made(self, span_id: str, value: AnyValue) -> bool:
        """Whether a call made any text of it, however small a part of its own answer that is."""
        said = [text for text in texts(value) if weight(text) >= MIN_WHOLE]
        inner = self._forest.descendants(span_id)[1 : MAX_INSIDE + 1]
        return any(text in self._of(one)[1] for one in inner for text in said)

    def _of(self, span_id: str) -> tuple[str, str]:
        known = self._texts.get(span_id)
        if known is None:
            reading = self._readings[span_id]
            given = [*reading.inputs.values(), *(message.content for message in reading.taken)]
            known = self._texts[span_id] = " ".join(texts(given)), " ".join(texts(reading.output))
        return known


def _constants(readings: Mapping[str, Facts]) -> frozenset[tuple[str, str]]:
    """What most of several spans carry alike: settings, a tenant, a version."""
    carried = [reading.carried for reading in readings.values() if reading.carried]
    counts = Counter((name, repr(value)) for values in carried for name, value in values.items())
    return frozenset(pair for pair, count in counts.items() if count >= MIN_CONSTANT and 2 * count > len(carried))


def _callers(forest: Forest, span_id: str) -> Iterator[str]:
    parent = forest.parent(span_id)
    for _ in range(MAX_UP):
        if parent is None:
            return
        yield parent
        parent = forest.parent(parent)


def _was_there(forest: Forest, times: Times, seen: Mapping[str, list[str]], span_id: str, value: AnyValue) -> bool:
    """Whether the value was on a span that ended before this one began; of a list any item.

    A record has to have been there as a whole: one that was chosen among others, or put together, is new.
    """
    if isinstance(value, list | tuple):
        return any(_was_there(forest, times, seen, span_id, item) for item in value[:MAX_ITEMS])
    whole = record(value) if isinstance(value, Mapping) else ""
    before = (one for text in ([whole] if whole else texts(value)) for one in seen.get(text, ())[:MAX_EARLIER])
    return any(times.ends[one] <= times.starts[span_id] and not forest.encloses(span_id, one) for one in before)


def _turned(forest: Forest, times: Times, seen: Mapping[str, list[str]], span_id: str, reading: Facts) -> Facts:
    """An answer that was there before is what an operation was given that carries something new beside: a verdict."""
    if not reading.has_output or not _was_there(forest, times, seen, span_id, reading.output):
        return reading
    return reading._replace(inputs={"output": reading.output}, has_output=False, output=None)


def _directed(reading: Facts, known: list[str]) -> Facts:
    made = {name: value for name, value in reading.carried.items() if name not in known}
    inputs = {**reading.inputs, **{name: reading.carried[name] for name in known}}
    reading = reading._replace(hearsay=reading.hearsay | {*reading.carried})
    if reading.has_output or not made:
        others = {name: value for name, value in made.items() if value != reading.output}
        return reading._replace(inputs={**inputs, **others})
    first = next(iter(made)) if len(made) > 1 and not inputs else None
    shown = {name: value for name, value in made.items() if name != first}
    output: AnyValue = next(iter(shown.values())) if len(shown) == 1 else shown
    return reading._replace(inputs=inputs, has_output=True, output=output, both=made)


def _texts_of(reading: Facts) -> Iterator[str]:
    made = reading.both.values() if reading.both else [reading.output] if reading.has_output else []
    values = [*reading.inputs.values(), *made]
    for value in values:
        yield from (text for text in texts(value) if not is_common(text))
