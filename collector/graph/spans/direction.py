"""Which way a value went that a span carries without saying so: in, if it was there before; else it came out."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.facts import Facts
from collector.graph.spans.clock import Times
from collector.graph.spans.forest import Forest
from collector.graph.texts import MIN_LENGTH, is_common, record, texts, weight

MAX_EARLIER: Final = 4
"""Of the spans that carry one text only that many are remembered, the first ones to end."""

MAX_INSIDE: Final = 32
"""Calls in an operation that are asked for a value of it."""

MAX_UP: Final = 8
"""So many callers are asked for the same value."""

MIN_CONSTANT: Final = 4
"""So many spans carry a value alike that is called a constant."""


def directed(forest: Forest, facts: Mapping[str, Facts], times: Times) -> Mapping[str, Facts]:
    """The facts with what spans carry among their inputs and outputs.

    A value is an input if a span that ended before carried any text of it, if it is an input of its caller or given to
    a call in it before any made it, and if its caller, a call of it or most others carry the same under the same name.
    All others are inputs, too, where an output is stated, and else outputs; since these may be inputs that came from
    outside or were made of several, they are looked at as inputs, too, under the same name. What is true of the first
    of several operations of a name is true of all. The order of attributes proves nothing, since Java's SDK keeps none
    and some stores sort them: of an operation without known inputs the first of several values is only not shown as
    its output.
    """
    if not any(said.carried for said in facts.values()):
        return facts
    return _Directions(forest, facts, times).found()


class _Directions:
    def __init__(self, forest: Forest, facts: Mapping[str, Facts], times: Times) -> None:
        self._forest = forest
        self._facts = facts
        self._times = times
        self._seen: dict[str, list[str]] = {}
        self._first: dict[tuple[str, str], bool] = {}
        self._inside: dict[str, tuple[str, str]] = {}
        self._constants = _constants(facts)

    def found(self) -> Mapping[str, Facts]:
        facts = dict(self._facts)
        for span_id in sorted(facts, key=lambda one: (self._times.ends[one], one)):
            said = facts[span_id]
            if said.carried:
                known = {name for name, value in said.carried.items() if self._went_in(span_id, name, value)}
                said = facts[span_id] = _directed(said, known)
            made = said.both.values() if said.both else [said.output] if said.has_output else ()
            for value in (*said.inputs.values(), *made):
                for text in texts(value):
                    if not is_common(text):
                        self._seen.setdefault(text, []).append(span_id)
        return facts

    def _went_in(self, span_id: str, name: str, value: AnyValue) -> bool:
        callers = [self._facts[one] for one in self._forest.above(span_id, MAX_UP)]
        if (name, repr(value)) in self._constants or self._is_shared(span_id, name, value):
            return True
        if any(value in one.inputs.values() for one in callers) or self._was_taken(span_id, value):
            return True
        return self._first.setdefault((self._facts[span_id].name, name), self._was_there(span_id, value))

    def _is_shared(self, span_id: str, name: str, value: AnyValue) -> bool:
        """Whether its caller or a call in it carries the same under the same name, but for a result that is handed up.

        That only one of several calls carries, which began after another one had ended.
        """
        times, children = self._times, self._forest.children

        def alike(one: str) -> bool:
            return name in self._facts[one].carried and bool(self._facts[one].carried[name] == value)

        for caller in (span_id, *(one for one in self._forest.above(span_id, MAX_UP) if alike(one))):
            carrying = [one for one in children[caller] if alike(one)]
            late = len(carrying) == 1 and any(times.ends[one] <= times.starts[carrying[0]] for one in children[caller])
            if (carrying or caller != span_id) and not late:
                return True
        return False

    def _was_taken(self, span_id: str, value: AnyValue) -> bool:
        """Whether a call in it was given all of a value that says something, and none had made it before."""
        inner = self._forest.descendants(span_id)[1 : MAX_INSIDE + 1]
        said = [text for text in texts(value) if weight(text) >= MIN_LENGTH] if inner else ()
        said = [text for text in said if not any(one != text and one in text for one in said)]  # not what is around
        if not said:
            return False
        took = [self._times.starts[one] for one in inner if all(text in self._texts(one)[0] for text in said)]
        made = (self._times.ends[one] for one in inner if any(text in self._texts(one)[1] for text in said))
        return bool(took) and min(took) < min(made, default=min(took) + 1)

    def _texts(self, span_id: str) -> tuple[str, str]:
        """What a call was given, and what it answered, each as one text."""
        if span_id not in self._inside:
            said = self._facts[span_id]
            given = [*said.inputs.values(), *(message.content for message in said.taken)]
            self._inside[span_id] = " ".join(texts(given)), " ".join(texts(said.output))
        return self._inside[span_id]

    def _was_there(self, span_id: str, value: AnyValue) -> bool:
        """Whether the value was on a span that ended before this one began; of a list any text of it.

        A record has to have been there as a whole: one that was chosen among others, or put together, is new.
        """
        whole = record(value) if isinstance(value, Mapping) else ""
        before = (
            one for text in ([whole] if whole else texts(value)) for one in self._seen.get(text, ())[:MAX_EARLIER]
        )
        start = self._times.starts[span_id]
        return any(self._times.ends[one] <= start and not self._forest.encloses(span_id, one) for one in before)


def _constants(facts: Mapping[str, Facts]) -> frozenset[tuple[str, str]]:
    """What most of several spans carry alike: settings, a tenant, a version."""
    carried = [said.carried for said in facts.values() if said.carried]
    counts = Counter((name, repr(value)) for values in carried for name, value in values.items())
    return frozenset(pair for pair, count in counts.items() if count >= MIN_CONSTANT and 2 * count > len(carried))


def _directed(said: Facts, known: set[str]) -> Facts:
    made = {name: value for name, value in said.carried.items() if name not in known}
    inputs = {**said.inputs, **{name: value for name, value in said.carried.items() if name in known}}
    said = said._replace(hearsay=said.hearsay | {*said.carried})
    if said.has_output or not made:
        others = {name: value for name, value in made.items() if value != said.output}
        return said._replace(inputs={**inputs, **others})
    first = next(iter(made)) if len(made) > 1 and not inputs else None
    shown = {name: value for name, value in made.items() if name != first}
    output: AnyValue = next(iter(shown.values())) if len(shown) == 1 else shown
    return said._replace(inputs=inputs, has_output=True, output=output, both=made)
