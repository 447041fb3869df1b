"""Our own attributes, written by the SDK or by any application that speaks OTLP."""

from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
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


MAX_SHORT: Final = 32
"""Characters from which on a text may have been cut."""

_make = tuple.__new__


def read(source: Source) -> Facts | None:
    """JSON everywhere; what cannot be decoded stays what it was."""
    return stated(source.span)


def alone(span: Span) -> Facts | None:
    """What a span says of which everything is ours, short and there; None for any other span.

    Spans of one kind have the same keys, so that one look at them tells: such spans come by the hundred thousand.
    """
    attributes = span.attributes
    if span.events or not (named := _named(tuple(attributes))).alone:
        return None
    if span.dropped_attributes_count or span.dropped_events_count or span.dropped_links_count:
        return None
    for value in attributes.values():
        if value.__class__ is str and len(value) >= MAX_SHORT:
            return None
    for _, said, dropped in span.links:
        if dropped or len(said) != 1 or _ARG not in said:
            return None
    return _stated(span, named, span.name, False)


def stated(span: Span, name: str = "", incomplete: bool = False) -> Facts:
    """The same, with a name for an operation that has none of its own, and whether it is known to be incomplete."""
    return _stated(span, _named(tuple(span.attributes)), name, incomplete)


def _stated(span: Span, named: "_Named", name: str, incomplete: bool) -> Facts:
    """By position and past the constructor, which takes four times as long."""
    attributes, inputs, uses, mirrors = span.attributes, named.inputs, named.uses, named.mirrors
    description, release, output = "", None, attributes.get(_OUTPUT)
    if named.more:
        name = str(attributes.get(semconv.NODE_NAME) or name)
        description = str(attributes.get(semconv.NODE_DESCRIPTION) or "")
        release = number(attributes.get(semconv.RELEASE))
        incomplete = incomplete or bool(attributes.get(semconv.TRUNCATED))
    return _make(Facts, (
        Role.OTHER, name, "",
        {key: decoded(attributes[full]) for key, full in inputs} if inputs else NOTHING,
        (), _OUTPUT in attributes, None if output is None else without_thoughts(decoded(output)), (),
        tuple(_uses(attributes, uses)) if uses else (),
        _arguments(span, mirrors) if span.links or mirrors else (),
        NOTHING, "", "", None, "", release, incomplete, False, NOTHING, _NONE, NOTHING, description,
    ))  # fmt: skip


_OUTPUT: Final = semconv.OUTPUT
_ARG: Final = semconv.ARG
_NONE: Final[frozenset[str]] = frozenset()
_MORE: Final = frozenset((semconv.NODE_NAME, semconv.NODE_DESCRIPTION, semconv.RELEASE, semconv.TRUNCATED))


class _Named(NamedTuple):
    """The names that keys hold, in order, with these keys: of inputs, parameters (of each fact), arguments' mirrors.

    Attributes:
        more: There is a name, a description, a release or a mark of cutting.
        alone: There are no others than ours.
    """

    inputs: tuple[tuple[str, str], ...]
    uses: tuple[tuple[str, tuple[str, ...]], ...]
    mirrors: tuple[tuple[str, str], ...]
    more: bool
    alone: bool


@lru_cache(maxsize=4_096)
def _named(keys: tuple[str, ...]) -> _Named:
    """Spans of one kind have the same keys, so these are taken apart once."""
    used = {_between(key, semconv.PARAM_PREFIX, suffix) for key in keys for suffix in _FACTS} - {""}
    return _Named(
        tuple(_pairs(keys, semconv.INPUT_PREFIX)),
        tuple((name, tuple(semconv.PARAM_PREFIX + name + suffix for suffix in _FACTS)) for name in sorted(used)),
        tuple(_pairs(keys, semconv.ARG_PREFIX, semconv.ARG_FROM_SUFFIX)),
        not _MORE.isdisjoint(keys),
        all(key.partition(".")[0] in NAMESPACES for key in keys),
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


def _arguments(span: Span, mirrors: tuple[tuple[str, str], ...]) -> tuple[tuple[str, SpanContext], ...]:
    """From the links, and from their mirrors where a link was lost; of both the link knows the trace."""
    found = []
    in_order, last = not mirrors, ""
    for context, attributes, _ in span.links:
        name = attributes.get(_ARG)
        if isinstance(name, str) and name:
            found.append((name, context))
            in_order, last = in_order and last <= name, name
    if mirrors:
        linked = {(name, context.span_id) for name, context in found}
        lost = ((name, one) for name, key in mirrors for one in _span_ids(span.attributes[key]))
        found += [(name, SpanContext(span.context.trace_id, one)) for name, one in lost if (name, one) not in linked]
    if not in_order:
        found.sort(key=itemgetter(0))
    return (*found,)


def _span_ids(mirror: AnyValue) -> Iterator[str]:
    """Of a text with commas between the ids, or of a list of such texts."""
    for text in mirror if isinstance(mirror, list | tuple) else [mirror] if isinstance(mirror, str) else []:
        yield from (part.strip().lower() for part in str(text).split(",") if part.strip())
