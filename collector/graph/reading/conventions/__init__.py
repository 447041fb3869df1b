"""The conventions in which instrumentations write dataflow: tables in this folder, and code where no table will do.

Those of others (entry point group ``otel_opto.dialects``) come before the built-in ones, since who installs one knows
better: a package with a file ``otel_opto.toml`` in it, or an object that is a `Convention` itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from itertools import chain
from types import ModuleType
from typing import Final, cast

from collector.graph.reading.convention import Convention, Table, table
from collector.graph.reading.conventions import keywords, opentrace, opto, plain
from collector.graph.reading.facts import Facts, Role, Source

GROUP: Final = "otel_opto.dialects"
FILE: Final = "otel_opto.toml"
"""Of a package that has a convention to offer."""

OWN: Final = ("opto",)
LAST: Final = "plain"
"""The convention of those who keep none: asked where no other one spoke, or for what only it may say."""

MOST_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True)
class Conventions:
    """Conventions by name, in order of precedence; `chosen` remembers which are asked about the keys of a span."""

    by_name: Mapping[str, Convention]
    chosen: dict[tuple[tuple[str, ...], tuple[str, ...]], Mapping[str, Convention]]

    @classmethod
    def of(cls, conventions: Mapping[str, Convention]) -> "Conventions":
        """The earlier a convention stands, the more it is believed."""
        return cls(conventions, {})

    def spoken(self, said: Source) -> Sequence[tuple[str, Facts]]:
        """What conventions say of a span, by their names, the most believed first.

        The last one says no more than what the others left open, once one of them has said where a value went.
        """
        asked = self.asked(said)
        found = [(name, facts) for name, one in asked.items() if name != LAST and (facts := one.read(said))]
        has_inputs = any(one.inputs or one.taken or one.arguments for _, one in found)
        has_output = any(one.has_output or one.given for _, one in found)
        rest = asked[LAST].read(said) if LAST in asked and not (has_inputs and has_output) else None
        if rest is not None and has_inputs:
            tool = (rest.role, rest.name) if rest.role is Role.TOOL else (Role.OTHER, "")
            rest = Facts(*tool, has_output=rest.has_output, output=rest.output, given=rest.given)
        return [*found, (LAST, rest)] if rest is not None and rest != Facts() else found

    def asked(self, said: Source) -> Mapping[str, Convention]:
        """Conventions by name, by its keys, those of links and the names of events included; tables without the rest.

        Spans of one kind have the same keys, so these are looked at once.
        """
        keys, events = tuple(said.attributes), tuple(dict.fromkeys([event.name for event in said.events]))
        if said.span.links:
            keys = (*keys, *dict.fromkeys(chain.from_iterable([link.attributes for link in said.span.links])))
        found = self.chosen.get((keys, events))
        if found is None:
            if len(self.chosen) >= MOST_REMEMBERED:
                self.chosen.clear()
            asked = {name: self._asked(name, (*keys, *events), bool(events)) for name in self.by_name}
            found = self.chosen[keys, events] = {name: one for name, one in asked.items() if one is not None}
        return found

    def _asked(self, name: str, keys: Sequence[str], has_events: bool) -> Convention | None:
        one, first = self.by_name[name], {key.partition(".")[0] for key in keys}
        if first <= {*OWN} if name == LAST else first.isdisjoint(one.NAMESPACES):
            return None
        return one.only(keys, has_events) if isinstance(one, Table) else one


_CODE: Final[Mapping[str, Convention]] = {
    "opto": opto,
    "opentrace": opentrace,
    "logfire_keywords": keywords,
    LAST: plain,
}
_ORDER: Final = (
    "opto", "opentrace", "agent_framework", "langsmith", "genai", "genai_events", "openinference", "vercel", "langfuse",
    "mlflow", "langwatch", "haystack", "traceloop", "genai_indexed", "openfeature", "logfire", "logfire_keywords", LAST,
)  # fmt: skip
"""Our own first, then whole recorded messages, then values as one text, then what stands beside another
instrumentation, last whatever attributes an application invented."""


def _built_in(name: str) -> Convention:
    return _CODE.get(name) or table(name, (files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


BUILT_IN: Final[Mapping[str, Convention]] = {name: _built_in(name) for name in _ORDER}
"""By name, in order of precedence."""


@lru_cache(maxsize=1)
def installed() -> Conventions:
    """The built-in conventions and those of installed distributions, which come first, by name.

    Raises:
        ValueError: an installed convention has a built-in one's name, or is neither a table nor a `Convention`.
    """
    others = {entry.name: _loaded(entry) for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}
    return Conventions.of({**others, **BUILT_IN})


def _loaded(entry: EntryPoint) -> Convention:
    found = entry.load()
    if entry.name in BUILT_IN:
        raise ValueError(f"convention {entry.name!r} ({entry.value}): is the name of a built-in one")
    if isinstance(found, ModuleType) and hasattr(found, "__path__") and (files(found) / FILE).is_file():
        return table(entry.name, (files(found) / FILE).read_text(encoding="utf-8"))
    if missing := [name for name in ("NAMESPACES", "SAYS", "read") if not hasattr(found, name)]:
        raise ValueError(
            f"convention {entry.name!r} ({entry.value}): no package with {FILE}, and lacks {', '.join(missing)}; "
            "see docs/conventions.md"
        )
    return cast(Convention, found)
