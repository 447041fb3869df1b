"""The dialects in which instrumentations write dataflow, one module each, and the table that puts them in order.

One precedence rule: of each fact (role, name, inputs, output, …) the first dialect in the table that states it is
believed. Only parameters are collected from all. Dialects of others (entry point group ``otel_opto.dialects``) come
before the built-in ones, since who installs one knows better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Final, cast

from collector.graph.reading.dialects import (
    agent_framework,
    genai,
    genai_events,
    genai_indexed,
    haystack,
    langfuse,
    langsmith,
    logfire,
    mlflow,
    openfeature,
    openinference,
    opentrace,
    opto,
    plain,
    traceloop,
    vercel,
)
from collector.graph.reading.statement import NOTHING, Dialect, Source, Statement

GROUP: Final = "otel_opto.dialects"

MOST_REMEMBERED: Final = 4_096

BUILT_IN: Final[Mapping[str, Dialect]] = {
    "opto": opto,
    "opentrace": opentrace,
    "agent_framework": agent_framework,
    "langsmith": langsmith,
    "genai": genai,
    "genai_events": genai_events,
    "openinference": openinference,
    "vercel": vercel,
    "langfuse": langfuse,
    "mlflow": mlflow,
    "haystack": haystack,
    "traceloop": traceloop,
    "genai_indexed": genai_indexed,
    "openfeature": openfeature,
    "logfire": logfire,
    "plain": plain,
}
"""By name, in order of precedence: our own first, then whole recorded messages, then values as one text, then what
stands beside another instrumentation, last whatever attributes an application invented."""


@dataclass(frozen=True, slots=True)
class Table:
    """Dialects in order of precedence, found by namespace; `chosen` remembers which for the keys of a span."""

    dialects: Mapping[str, Dialect]
    by_namespace: Mapping[str, tuple[int, ...]]
    chosen: dict[tuple[str, ...], tuple[Dialect, ...]]

    @classmethod
    def of(cls, dialects: Mapping[str, Dialect]) -> "Table":
        """The earlier a dialect stands, the more it is believed."""
        found: dict[str, list[int]] = {}
        for index, dialect in enumerate(dialects.values()):
            for namespace in dialect.NAMESPACES:
                found.setdefault(namespace, []).append(index)
        return cls(dialects, {namespace: tuple(indexes) for namespace, indexes in found.items()}, {})

    def statements(self, source: Source) -> Sequence[Statement]:
        """What the dialects say of a span, the most believed first.

        `plain` is asked where no other one spoke, and for the inputs or the output where only the other was stated.
        """
        said = [statement for dialect in self._asked(source) if (statement := dialect.read(source)) is not None]
        spoken = [statement for statement in said if statement.speaks()]
        has_inputs = any(one.inputs or one.taken or one.arguments for one in spoken)
        has_output = any(one.output is not NOTHING or one.given for one in spoken)
        if (has_inputs and has_output) or "plain" not in self.dialects:
            return said
        rest = self.dialects["plain"].read(source)
        if rest is None:
            return said
        if not spoken:
            return [*said, rest]
        missing = (
            Statement(output=rest.output, given=rest.given)
            if has_inputs
            else Statement(inputs=rest.inputs, taken=rest.taken, hearsay=True)
        )
        return [*said, missing] if missing.speaks() else said

    def _asked(self, source: Source) -> tuple[Dialect, ...]:
        """By the first parts of its keys, those of links and the names of events included.

        Spans of one kind have the same keys, so these are looked at once.
        """
        keys = tuple(source.attributes)
        if source.span.links or source.events:
            linked = {key for link in source.span.links for key in link.attributes}
            keys = (*keys, *sorted({*linked, *(event.name for event in source.events)}))
        found = self.chosen.get(keys)
        if found is None:
            spoken = {key.partition(".")[0] for key in keys} & self.by_namespace.keys()
            indexes = sorted({index for namespace in spoken for index in self.by_namespace[namespace]})
            every = list(self.dialects.values())
            if len(self.chosen) >= MOST_REMEMBERED:
                self.chosen.clear()
            found = self.chosen[keys] = tuple(every[index] for index in indexes)
        return found


@lru_cache(maxsize=1)
def installed() -> Table:
    """The built-in dialects and those of installed distributions, which come first, by name.

    Raises:
        ValueError: an installed dialect has a built-in one's name or lacks a part of `Dialect`.
    """
    others: dict[str, Dialect] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        dialect = entry.load()
        missing = [name for name in ("NAMESPACES", "SAYS", "read") if not hasattr(dialect, name)]
        if entry.name in BUILT_IN or missing:
            fault = f"lacks {', '.join(missing)}" if missing else "is the name of a built-in one"
            raise ValueError(
                f"dialect {entry.name!r} ({entry.value}): {fault}; see collector.graph.reading.statement.Dialect"
            )
        others[entry.name] = cast(Dialect, dialect)
    return Table.of({**others, **BUILT_IN})
