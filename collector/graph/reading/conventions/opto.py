"""Our own attributes, written by the SDK or by any application that speaks OTLP."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from collector.core.span import AnyValue, Attributes, Span, SpanContext
from collector.graph.reading.facts import NOTHING, Facts, ParameterUse, Role, Source
from collector.graph.reading.messages import without_thoughts
from collector.graph.reading.values import decoded
from otel_opto import semconv

NAMESPACES: Final = ("opto",)
SAYS: Final = (
    "`opto.input.<name>`, `opto.output`, `opto.param.<key>.{version,hash,value}`, links with `opto.arg` and their "
    "mirrors `opto.arg.<name>.from`, `opto.node.name`, `opto.node.description`, `opto.release`, `opto.truncated`"
)

_FACTS: Final = (semconv.PARAM_VERSION_SUFFIX, semconv.PARAM_HASH_SUFFIX, semconv.PARAM_VALUE_SUFFIX)


def read(source: Source) -> Facts | None:
    """JSON everywhere; what cannot be decoded stays what it was."""
    return stated(source.span)


def stated(span: Span, name: str = "", incomplete: bool = False) -> Facts:
    """The same, with a name for an operation that has none of its own, and whether it is known to be incomplete.

    Most facts by position: by name it takes a third longer, and these are the spans that come by the hundred thousand.
    """
    attributes = span.attributes
    inputs, uses, mirrors = _named(tuple(attributes))
    return Facts(
        Role.OTHER,
        str(attributes.get(semconv.NODE_NAME) or name),
        "",  # actor
        {key: decoded(attributes[full]) for key, full in inputs} if inputs else NOTHING,
        (),  # taken
        semconv.OUTPUT in attributes,
        without_thoughts(decoded(attributes.get(semconv.OUTPUT))),
        (),  # given
        tuple(_uses(attributes, uses)) if uses else (),
        _arguments(span, mirrors) if mirrors or span.links else NOTHING,
        release=number(attributes.get(semconv.RELEASE)),
        incomplete=incomplete or bool(attributes.get(semconv.TRUNCATED)),
        description=str(attributes.get(semconv.NODE_DESCRIPTION) or ""),
    )


class _Named(NamedTuple):
    """The names that keys hold, in order, with these keys: of inputs, parameters (of each fact), arguments' mirrors."""

    inputs: tuple[tuple[str, str], ...]
    uses: tuple[tuple[str, tuple[str, ...]], ...]
    mirrors: tuple[tuple[str, str], ...]


@lru_cache(maxsize=4_096)
def _named(keys: tuple[str, ...]) -> _Named:
    """Spans of one kind have the same keys, so these are taken apart once."""
    used = {_between(key, semconv.PARAM_PREFIX, suffix) for key in keys for suffix in _FACTS} - {""}
    return _Named(
        tuple(_pairs(keys, semconv.INPUT_PREFIX)),
        tuple((name, tuple(semconv.PARAM_PREFIX + name + suffix for suffix in _FACTS)) for name in sorted(used)),
        tuple(_pairs(keys, semconv.ARG_PREFIX, semconv.ARG_FROM_SUFFIX)),
    )


def _pairs(keys: tuple[str, ...], prefix: str, suffix: str = "") -> Iterator[tuple[str, str]]:
    return ((name, key) for key in sorted(keys) if (name := _between(key, prefix, suffix)))


def _between(key: str, prefix: str, suffix: str) -> str:
    fits = key.startswith(prefix) and key.endswith(suffix) and len(key) > len(prefix) + len(suffix)
    return key[len(prefix) : len(key) - len(suffix)] if fits else ""


def release_numbers(attributes: Attributes) -> Iterator[int]:
    """The releases that a span names: the one in force and those that brought a value."""
    for key, value in attributes.items():
        named = key.startswith(semconv.PARAM_PREFIX) and key.endswith(semconv.PARAM_VERSION_SUFFIX)
        if (named or key == semconv.RELEASE) and (found := number(value)) is not None:
            yield found


def number(value: AnyValue) -> int | None:
    """The number of a release: a positive integer, or its digits where an SDK knows texts only. 0 means none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _uses(attributes: Attributes, named: tuple[tuple[str, tuple[str, ...]], ...]) -> Iterator[ParameterUse]:
    for name, keys in named:
        version, hash_, value = map(attributes.get, keys)
        if not version is hash_ is value is None:
            yield ParameterUse(name, number(version), str(hash_ or ""), value)


def _arguments(span: Span, mirrors: tuple[tuple[str, str], ...]) -> Mapping[str, tuple[SpanContext, ...]]:
    """From the links, and from their mirrors where a link was lost; of both the link knows the trace."""
    found: dict[str, tuple[SpanContext, ...]] = {}
    for link in span.links:
        name = link.attributes.get(semconv.ARG)
        if isinstance(name, str) and name:
            found[name] = (*found[name], link.context) if name in found else (link.context,)
    for name, key in mirrors:
        linked = {context.span_id for context in found.get(name, ())}
        lost = [SpanContext(span.context.trace_id, one) for one in _span_ids(span.attributes[key]) if one not in linked]
        if lost:
            found[name] = (*found.get(name, ()), *lost)
    names = sorted(found)
    return found if names == [*found] else {name: found[name] for name in names}


def _span_ids(mirror: AnyValue) -> Iterator[str]:
    """Of a text with commas between the ids, or of a list of such texts."""
    for text in mirror if isinstance(mirror, list | tuple) else [mirror] if isinstance(mirror, str) else []:
        yield from (part.strip().lower() for part in str(text).split(",") if part.strip())
