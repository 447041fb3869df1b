"""The conventions in which instrumentations write dataflow: tables in this folder, and code where no table will do.

Those of others (entry point group ``otel_opto.dialects``) come before the built-in ones, since who installs one knows
better: a package with a file ``otel_opto.toml`` in it, or an object that is a `Convention` itself.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from types import ModuleType
from typing import Final, cast

from collector.graph.reading.convention import Convention, Table, table
from collector.graph.reading.reader import Conventions
from collector.graph.reading.shapes import agent_framework, genai_events, logfire, openfeature, opentrace, opto, plain

GROUP: Final = "otel_opto.dialects"
FILE: Final = "otel_opto.toml"
"""Of a package that has a convention to offer."""


def _own(name: str) -> Table:
    return table(name, (files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


BUILT_IN: Final[Mapping[str, Convention]] = {
    "opto": opto,
    "opentrace": opentrace,
    "agent_framework": agent_framework,
    "langsmith": _own("langsmith"),
    "genai": _own("genai"),
    "genai_events": genai_events,
    "openinference": _own("openinference"),
    "vercel": _own("vercel"),
    "langfuse": _own("langfuse"),
    "mlflow": _own("mlflow"),
    "haystack": _own("haystack"),
    "traceloop": _own("traceloop"),
    "genai_indexed": _own("genai_indexed"),
    "openfeature": openfeature,
    "logfire": logfire,
    "plain": plain,
}
"""By name, in order of precedence: our own first, then whole recorded messages, then values as one text, then what
stands beside another instrumentation, last whatever attributes an application invented."""


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
