"""From which keys, by which convention, each fact of a span was read.

No convention has to say it, a stranger's no more than our own: a fact comes from those keys without which it would not
be read. So each convention that states a fact reads the span again with ever fewer of its keys, the least believed
taken away first, until none of them can be spared.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from collector.core.explanation import Statement
from collector.core.span import AnyValue, LogRecord, Span
from collector.graph.reading.convention import Convention, Table
from collector.graph.reading.conventions import Conventions
from collector.graph.reading.facts import Facts, Source, source
from collector.graph.reading.reader import answer_of, read, volume

LINKS: Final = "links"
NAME: Final = "name"

_UNITED: Final = ("input", "instructions", "output")
"""Of these the longest is believed where messages were cut (`collector.graph.reading.reader`)."""


def statements(span: Span, records: tuple[LogRecord, ...], conventions: Conventions) -> tuple[Statement, ...]:
    """All facts that `read` finds, by the convention that is believed; parameters by the first that names them."""
    said = source(span, records)
    spoken = conventions.spoken(said)
    cut = read(span, records, conventions).incomplete
    longest = sorted(spoken, key=lambda one: -volume(one[1])) if cut else spoken
    found: dict[str, Statement] = {}
    believed: dict[str, str] = {}
    for is_united, order in ((False, spoken), (True, longest)):
        for name, kind, fact, value in ((name, *one) for name, facts in order for one in _facts(facts)):
            is_believed = kind == "parameter" or believed.setdefault(kind, name) == name
            if (kind in _UNITED) is is_united and is_believed and fact not in found:
                keys = _needed(conventions.by_name[name], said, (kind, fact, value))
                found[fact] = Statement(fact, value, keys, name)
    return (*found.values(),)


_Fact = tuple[str, str, AnyValue]


def _facts(facts: Facts) -> Iterator[_Fact]:
    """Kind, name and value: of a kind one convention is believed."""
    failed = facts.failure and (facts.failure.type or facts.failure.message)
    named = {
        "role": facts.role.value, "name": facts.name, "agent": facts.actor, "call id": facts.call_id,
        "message id": facts.message_id, "follows": facts.follows, "release": facts.release, "failure": failed,
    }  # fmt: skip
    yield from ((kind, kind, value) for kind, value in named.items() if value)
    if systems := [message.content for message in facts.taken if message.role == "system"]:
        yield "instructions", "instructions", systems
    messages = [message.plain() for message in facts.taken if message.role != "system"]
    for name, value in ({"messages": messages} if messages else facts.inputs).items():
        yield "input", f"input {name}", value
    if facts.has_output or facts.given:
        yield "output", "output", answer_of(facts)
    yield from (("either", f"input or output {name}", value) for name, value in facts.carried.items())
    for use in facts.uses:
        yield "parameter", f"parameter {use.key}", use.value if use.value is not None else use.version or use.hash
    for name, producers in groupby(facts.arguments, itemgetter(0)):
        yield "argument", f"argument {name}", [one.span_id for _, one in producers]
    yield from (("reference", f"reference {name}", said) for name, said in facts.references.items())


def _needed(convention: Convention, said: Source, fact: _Fact) -> tuple[str, ...]:
    """The keys none of which can be spared, in their order on the span."""

    def states(units: Sequence[str]) -> bool:
        facts = convention.read(_only(said, frozenset(units)))
        return facts is not None and fact in _facts(facts)

    units = [*dict.fromkeys(_units(said))]
    kept = frozenset(_least(sorted(units, key=_order(convention)), states))
    return tuple(unit for unit in units if unit in kept)


def _least(units: list[str], enough: Callable[[Sequence[str]], bool]) -> list[str]:
    """Units none of which can be spared: halves are taken away, then quarters, and so on, the last ones first."""
    size = max(len(units) // 2, 1)
    while size:
        for end in range(len(units), 0, -size):
            rest = [*units[: max(end - size, 0)], *units[end:]]
            if enough(rest):
                units = rest
        size //= 2
    return units


def _order(convention: Convention) -> Callable[[str], int]:
    """The keys of a table in its order, others behind them."""
    keys = convention.every_key() if isinstance(convention, Table) else ()
    places = {_unit(key.partition("#")[0] + ("0" if key.endswith(".") else "")): at for at, key in enumerate(keys)}
    return lambda unit: places.get(unit, len(places))


def _units(said: Source) -> Iterator[str]:
    yield NAME
    yield from map(_unit, said.attributes)
    if said.span.links:
        yield LINKS
    yield from (f"event {event.name}" for event in said.events)


def _unit(key: str) -> str:
    """A list that keys spell out is one: ``llm.input_messages.0.role`` is ``llm.input_messages.*``."""
    parts = key.split(".")
    at = next((at for at, part in enumerate(parts) if part.isdecimal()), len(parts))
    return ".".join(parts[:at]) + (".*" if at < len(parts) else "")


def _only(said: Source, units: frozenset[str]) -> Source:
    """The span with nothing but that."""
    attributes = {key: value for key, value in said.attributes.items() if _unit(key) in units}
    events = tuple(event for event in said.events if f"event {event.name}" in units)
    name, links = said.span.name if NAME in units else "", said.span.links if LINKS in units else ()
    return Source(said.span._replace(name=name, attributes=attributes, events=events, links=links), attributes, events)
