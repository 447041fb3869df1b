"""Prompts that nobody declared: seen in a service's newest traces, each with the lines that make it a parameter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from keyword import iskeyword

from collector.core.errors import CollectorError
from collector.core.graph import TraceGraph
from collector.core.protocols import Store
from collector.core.study import Reach
from collector.core.telemetry import TraceQuery
from collector.graph.prompts import FIELD
from collector.pipeline import Pipeline
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType

MOST_TRACES = 100
_LONGEST_KEY = 128
_NO_KEY = re.compile(r"[^A-Za-z0-9._-]+")
_NO_NAME = re.compile(r"\W+", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Discovery:
    """Something that looks like a prompt.

    Attributes:
        key: Its place in the workflow, as in the graphs.
        text: In the newest trace that has it.
        texts: How many different ones there were.
        fields: Names of what is filled in.
        traces: How many have it.
        trace_id: The newest of them.
        span_ids: The operations of that trace that used it.
    """

    service: str
    key: str
    text: str
    texts: int
    fields: tuple[str, ...]
    traces: int
    trace_id: str
    span_ids: tuple[str, ...]

    def code(self) -> str:
        """The five lines of Python that make it a parameter of the application."""
        key = _NO_KEY.sub("_", self.key).strip("_.-")[:_LONGEST_KEY] or "prompt"
        name = _NO_NAME.sub("_", key).strip("_").lower()
        name = name if _NAME.fullmatch(name) and not iskeyword(name) else f"prompt_{name}"
        named = self._placeholders(key)
        holders = f", placeholders={named!r}" if named else ""
        given = f".format({', '.join(f'{one}=…' for one in named)})" if named else ""
        return (
            "import otel_opto\n"
            f"otel_opto.configure(service_name={self.service!r})\n"
            f"{name} = otel_opto.parameter({key!r}, default={self.text!r}{holders})\n"
            "# where the prompt stands in the code, ask for the value in force instead:\n"
            f"#   {name}.value{given}\n"
        )

    def _placeholders(self, key: str) -> tuple[str, ...]:
        """The fields, where a declaration may name them."""
        try:
            ParameterSpec(key, ParameterType.TEXT, self.text, Constraint(placeholders=self.fields))
        except InvalidValue:
            return ()
        return self.fields


@dataclass(frozen=True, slots=True)
class Discovered:
    """What was found.

    Attributes:
        discoveries: Those that most traces have first.
        traces: How many were looked at.
        skipped: How many more could not be: they are too large, or no graph.
    """

    discoveries: tuple[Discovery, ...]
    traces: int
    skipped: int


def seen_in(service: str, graph: TraceGraph) -> tuple[Discovery, ...]:
    """The discoveries of one trace in one service."""
    services = {node.id: node.service for node in graph.nodes}
    return tuple(
        Discovery(service, one.key, one.text, 1, _fields(one.text), 1, graph.trace_id, one.used_by)
        for one in graph.parameters
        if one.discovered and one.text and services[one.node] == service
    )


def together(found: Sequence[tuple[Discovery, ...]]) -> tuple[Discovery, ...]:
    """Of several traces, the newest first: each key once."""
    texts: dict[str, set[str]] = {}
    traces: dict[str, set[str]] = {}
    newest: dict[str, Discovery] = {}
    for one in (one for trace in found for one in trace):
        newest.setdefault(one.key, one)
        texts.setdefault(one.key, set()).add(one.text)
        traces.setdefault(one.key, set()).add(one.trace_id)
    merged = (replace(one, texts=len(texts[key]), traces=len(traces[key])) for key, one in newest.items())
    return tuple(sorted(merged, key=lambda one: (-one.traces, one.key)))


class Discoveries:
    """Finds out; changes nothing."""

    def __init__(self, store: Store, pipeline: Pipeline) -> None:
        self._store = store
        self._pipeline = pipeline

    async def of(self, service: str, traces: int) -> Discovered:
        """Of a service's newest traces, `MOST_TRACES` at most; what has a declared parameter's text is none."""
        found: list[tuple[Discovery, ...]] = []
        skipped = 0
        stored = await self._store.search.find(TraceQuery(service=service, limit=min(traces, MOST_TRACES)))
        for summary in stored:
            try:
                finish = partial(seen_in, service)
                found.append(await self._pipeline.made(summary.trace_id, Reach.TRACE, finish, ("discoveries", service)))
            except CollectorError:
                skipped += 1
        declared = {spec.default for spec in await self._store.parameters.of(service) if isinstance(spec.default, str)}
        kept = tuple(one for one in together(found) if one.text not in declared)
        return Discovered(kept, len(found), skipped)


def discoveries_document(service: str, found: Discovered) -> dict[str, object]:
    """As the API shows it."""
    return {
        "service": service,
        "traces": found.traces,
        "skipped": found.skipped,
        "discoveries": [
            {
                "key": one.key,
                "text": one.text,
                "texts": one.texts,
                "fields": list(one.fields),
                "traces": one.traces,
                "trace_id": one.trace_id,
                "span_ids": list(one.span_ids),
                "code": one.code(),
            }
            for one in found.discoveries
        ],
    }


def _fields(text: str) -> tuple[str, ...]:
    names = (re.split(r"[.\[!:]", match.strip("{}%() s"))[0].strip() for match in FIELD.findall(text))
    return tuple(dict.fromkeys(name for name in names if _NAME.fullmatch(name)))
