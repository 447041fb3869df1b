"""What followed what, where nothing flowed that could be seen: by an answer that names what ran next, else by time."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from collector.graph.clock import Times
from collector.graph.content.texts import texts, words
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, Role
from collector.graph.reading.values import structured
from collector.graph.rules import BEFORE, HANDED, NAMED, PLACEHOLDER, Find

MAX_LABEL: Final = 40
"""Characters of a name that a router says."""

MAX_RECORD: Final = 400
"""Characters of a record in which it does."""

MAX_FIELDS: Final = 3
"""Of a record in which a router says it, among a reason and the like."""

MAX_NEXT: Final = 64
"""Of the operations after another one so many are looked at."""

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
    inside = bisect_left(named, times.starts[router], key=times.starts.__getitem__)
    for one in named[inside : inside + MAX_NEXT]:
        if one != router and forest.encloses(router, one) and _is_name(label, names[one]):
            return None  # it says what is in it
    after = bisect_left(named, times.ends[router], key=times.starts.__getitem__)
    for one in named[after : after + MAX_NEXT]:
        nested = forest.encloses(one, router) or forest.encloses(router, one)
        if not nested and _is_name(label, names[one]):
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


MAX_INSIDE: Final = 16
"""Calls in an operation whose inputs are looked at."""

MIN_NAME: Final = 3
"""Characters of a tool's name."""

_SHOWN: Final = re.compile(r"[\[<({]([^\[\]<>(){}\n]{3,80})[\]>)}]")
_NAME: Final = re.compile(r"[\w.-]+")

MIN_SAME: Final = 8
"""Characters of what two steps were given alike."""

_STEPS: Final = frozenset((Role.MODEL, Role.TOOL, Role.AGENT, Role.RETRIEVER, Role.STEP, Role.TEMPLATE))


def sequence(
    forest: Forest, readings: Mapping[str, Facts], times: Times, fed: Sequence[str], failed: frozenset[str]
) -> Iterator[Find]:
    """An edge into each operation into whose subtree nothing is known to flow, from the siblings that ended last.

    Only among operations that are known to be steps of a workflow. One whose inputs are recorded is left alone: they
    were looked for and not found; but a tool that a model wished for under another name follows the model.

    Args:
        fed: Spans into which something is known to flow from another operation.
        failed: Spans that ended with an error: their answer was not used.
    """
    if not any(reading.role in _STEPS for reading in readings.values()):
        return
    yield from _named(forest, readings, times)
    known = _with_ancestors(forest, fed)
    stated = {reading.message_id: span_id for span_id, reading in readings.items() if reading.message_id}
    traces = sorted({forest.spans[top].context.trace_id for top in forest.tops()})
    for family in (*map(forest.tops, traces), *forest.children.values()):
        steps = [one for one in family if readings[one].role in _STEPS]
        for index, span_id in enumerate(steps):
            if span_id in known:
                continue
            handed = stated.get(readings[span_id].follows)
            if handed is not None and _before(forest, times, handed, span_id):
                yield Find(handed, span_id, HANDED, reason=HANDED.why)
            elif _open(readings[span_id]) or _wished(readings, steps[max(0, index - 16) : index], span_id):
                before = [one for one in steps[max(0, index - 64) : index] if one not in failed]
                given = _given(forest, readings, span_id)
                for one in _last(times, before, span_id):
                    if given and given & _given(forest, readings, one):
                        continue  # both read the same
                    yield Find(one, span_id, BEFORE)


def _named(forest: Forest, readings: Mapping[str, Facts], times: Times) -> Iterator[Find]:
    """From a tool to the first model that began after it and shows its name in brackets where its result was."""
    tools = [one for one in forest.spans if readings[one].role is Role.TOOL and len(readings[one].name) >= MIN_NAME]
    if not tools:
        return
    models = sorted((one for one in readings if readings[one].taken), key=lambda one: (times.starts[one], one))
    shown = {one: _SHOWN.findall(" ".join(texts([m.content for m in readings[one].taken]))) for one in models}
    for tool in tools:
        after = bisect_left(models, times.ends[tool], key=times.starts.__getitem__)
        for model in models[after : after + MAX_NEXT]:
            if _before(forest, times, tool, model):
                if any(readings[tool].name in _NAME.findall(one) for one in shown[model]):
                    yield Find(tool, model, PLACEHOLDER, "messages", "its name stands there in brackets")
                break


def _open(reading: Facts) -> bool:
    return not reading.inputs and not reading.taken


def _given(forest: Forest, readings: Mapping[str, Facts], span_id: str) -> set[str]:
    """The texts that an operation and the calls in it were given."""
    inside = forest.descendants(span_id)[:MAX_INSIDE]
    found = (text for one in inside for value in readings[one].inputs.values() for text in texts(value))
    return {text for text in found if len(text) >= MIN_SAME}


def _wished(readings: Mapping[str, Facts], before: Sequence[str], span_id: str) -> bool:
    """Whether the step before the tools around it is a model that wished for a tool, or did not say what it did."""
    if readings[span_id].role is not Role.TOOL:
        return False
    model = next((one for one in reversed(before) if readings[one].role is not Role.TOOL), None)
    if model is None or readings[model].role is not Role.MODEL:
        return False
    return not readings[model].has_output or any(message.calls for message in readings[model].given)


def _last(times: Times, before: Sequence[str], span_id: str) -> list[str]:
    """Those that ended before, without those that ended before another of them began."""
    ended = [one for one in before if times.ends[one] <= times.starts[span_id]]
    newest = max((times.starts[one] for one in ended), default=0)
    return [one for one in ended if times.ends[one] > newest or times.starts[one] == newest]


def _before(forest: Forest, times: Times, one: str, other: str) -> bool:
    nested = forest.encloses(one, other) or forest.encloses(other, one)
    return not nested and times.ends[one] <= times.starts[other]


def _with_ancestors(forest: Forest, spans: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for span_id in spans:
        up: str | None = span_id
        while up is not None and up not in known:
            known.add(up)
            up = forest.parent(up)
    return known
