"""What followed what, where nothing flowed that could be seen: by an answer that names what ran next, else by time."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

from collector.graph.edges import Find
from collector.graph.reading.facts import Facts, Role
from collector.graph.reading.values import structured
from collector.graph.spans.trace import Trace
from collector.graph.texts import texts, words

_Row: TypeAlias = tuple[str, ...]

MAX_LABEL: Final = 40
"""Characters of a name that a router says."""

MAX_FIELDS: Final = 3
"""Of a record in which a router says it, among a reason and the like."""

MAX_RECORD: Final = 400
"""Characters of such a record."""

MORE: Final = 2
"""Words more than the label has that a name may have: ``handle_billing`` of ``billing``."""

MAX_NEXT: Final = 64
"""Of the operations after another one, and of those before it, so many are looked at."""

MIN_SAME: Final = 8
"""Characters of what two steps were given alike."""

_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SHOWN: Final = re.compile(r"[\[<({]([^\[\]<>(){}\n]{3,80})[\]>)}]")
_NAME: Final = re.compile(r"[\w.-]{3,}")
_NO_STEPS: Final = (Role.OTHER, Role.EVALUATOR)


def named(trace: Trace) -> Iterator[Find]:
    """From who says a name to the first operation with that name which began after it, if nobody says it in between."""
    facts, starts, position = trace.facts, trace.starts, trace.forest.position
    rows = {name: _rows(name) for name in {said.name for said in facts.values()}}
    known = {row for found in rows.values() for row in found}
    begins = {row[0][0] for row in known if row}
    labels = {one: found for one, said in facts.items() if said.has_output and (found := _labels(said, known, begins))}
    if not labels:
        return
    by_row: dict[_Row, list[str]] = {}
    for span_id in sorted(facts, key=lambda one: (starts[one], position[one])):
        for row in rows[facts[span_id].name]:
            by_row.setdefault(row, []).append(span_id)
    taken: set[str] = set()
    for router in sorted(labels, key=lambda one: (-trace.ends[one], position[one])):
        for label in labels[router]:
            alike = by_row[label]
            after = bisect_left(alike, trace.ends[router], key=starts.__getitem__)
            chosen = next((one for one in alike[after : after + MAX_NEXT] if trace.before(router, one)), None)
            if chosen is not None and chosen not in taken and facts[chosen].name != facts[router].name:
                taken.add(chosen)
                yield Find(router, chosen, "", f"the answer names it: {' '.join(label)}")


def _rows(name: str) -> set[_Row]:
    """What stands for a name: its words in a row, but for a few."""
    said = _words(name)
    sizes = range(max(1, len(said) - MORE), len(said) + 1)
    return {tuple(said[at : at + size]) for size in sizes for at in range(len(said) - size + 1)}


def _labels(said: Facts, known: AbstractSet[_Row], begins: AbstractSet[str]) -> list[_Row]:
    """What may be a name among its answers: a text of its own, or a short value of a small record."""
    value = said.output
    if isinstance(value, str):
        first = value[:1].casefold()[:1]
        if len(value) > MAX_RECORD or (first.isalnum() and first not in begins):
            return []
        value = structured(value)
    values = value.values() if isinstance(value, Mapping) and len(value) <= MAX_FIELDS else (value,)
    found = (tuple(_words(one)) for one in values if isinstance(one, str) and 1 < len(one) <= MAX_LABEL)
    return [row for row in found if row in known]


def _words(text: str) -> list[str]:
    return words((text if text.islower() else _HUMP.sub(" ", text)).casefold())


def placeholders(trace: Trace) -> Iterator[Find]:
    """From a tool to the first model that began after it and shows its name in brackets where its result was."""
    facts, starts = trace.facts, trace.starts
    tools = [one for one, said in facts.items() if said.role is Role.TOOL]
    models = sorted((one for one in facts if facts[one].taken), key=lambda one: (starts[one], one)) if tools else []
    shown = {one: {name for inner in _bracketed(facts[one]) for name in _NAME.findall(inner)} for one in models}
    for tool in tools:
        after = bisect_left(models, trace.ends[tool], key=starts.__getitem__)
        model = next((one for one in models[after : after + MAX_NEXT] if trace.before(tool, one)), None)
        if model is not None and facts[tool].name in shown[model]:
            yield Find(tool, model, "messages")


def _bracketed(said: Facts) -> list[str]:
    text = " ".join(texts([message.content for message in said.taken]))
    return _SHOWN.findall(text) if any(mark in text for mark in "[<({") else []


def steps(trace: Trace, fed: Iterable[str]) -> Iterator[Find]:
    """An edge into each operation into whose subtree nothing is known to flow, from the siblings that ended last.

    Only among operations that are known to be steps of a workflow. One whose inputs are recorded is left alone: they
    were looked for and not found; but a tool that a model wished for under another name follows the model. Where a
    span names the step that handed over to it, that one is meant.

    Args:
        trace: The spans.
        fed: Spans into which something is known to flow from another operation.
    """
    forest, facts = trace.forest, trace.facts
    if all(said.role in _NO_STEPS for said in facts.values()):
        return
    known: set[str] = set()
    for fed_one in fed:
        up: str | None = fed_one
        while up is not None and up not in known:
            known.add(up)
            up = forest.parent(up)
    by_message = {said.message_id: span_id for span_id, said in facts.items() if said.message_id}
    traces = sorted({forest.spans[top].context.trace_id for top in forest.tops()})
    for family in (*map(forest.tops, traces), *forest.children.values()):
        beside = [one for one in family if facts[one].role not in _NO_STEPS]
        for index, span_id in enumerate(beside):
            said = facts[span_id]
            if said.role is Role.TOOL and (around := _silent_around(trace, beside, span_id)):
                yield Find(span_id, around, reason="the call of a model that says no answer ran around it")
                continue
            before = beside[max(0, index - MAX_NEXT) : index]
            wished = _wished(trace, before, said)
            if span_id in known:
                if wished and not facts[wished].has_output:  # whatever else it was given, it was told to by a model
                    yield Find(wished, span_id)
                continue
            handed = by_message.get(said.follows)
            if handed is not None and trace.before(handed, span_id):
                yield Find(handed, span_id, "", "the span names the step before")
                continue
            if not (said.inputs or said.taken) or wished:
                given = _given(trace, span_id)
                yield from (
                    Find(one, span_id) for one in _last(trace, before, span_id) if not given & _given(trace, one)
                )


def _silent_around(trace: Trace, beside: Sequence[str], tool: str) -> str | None:
    """The one model beside a tool that began before it, ended after it, and does not say what it answered."""
    starts, ends, facts = trace.starts, trace.ends, trace.facts
    models = [one for one in beside if facts[one].role is Role.MODEL and not facts[one].has_output]
    around = [one for one in models if starts[one] < starts[tool] and ends[tool] < ends[one]]
    return around[0] if len(around) == 1 else None


def _given(trace: Trace, span_id: str) -> set[str]:
    """The texts that an operation and the calls in it were given: steps that read the same do not follow."""
    inside = trace.forest.descendants(span_id)[:MAX_NEXT]
    found = (text for one in inside for value in trace.facts[one].inputs.values() for text in texts(value))
    return {text for text in found if len(text) >= MIN_SAME}


def _wished(trace: Trace, before: Sequence[str], said: Facts) -> str | None:
    """The model before the tools around a tool, if it wished for one, or did not say what it did."""
    facts = trace.facts
    others = (one for one in reversed(before) if facts[one].role is not Role.TOOL)
    model = next(others, None) if said.role is Role.TOOL else None
    if model is None or facts[model].role is not Role.MODEL:
        return None
    return model if not facts[model].has_output or any(one.calls for one in facts[model].given) else None


def _last(trace: Trace, before: Sequence[str], span_id: str) -> list[str]:
    """Those that ended before it, without those that ended before another of them began."""
    ended = [one for one in before if trace.ends[one] <= trace.starts[span_id]]
    newest = max((trace.starts[one] for one in ended), default=0)
    return [one for one in ended if trace.ends[one] > newest or trace.starts[one] == newest]
