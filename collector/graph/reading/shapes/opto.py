"""Our own attributes, written by the SDK or by any application that speaks OTLP."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from collector.core.span import AnyValue, Attributes, Span, SpanContext
from collector.graph.reading.facts import NO_CONTEXTS, NO_VALUES, Facts, ParameterUse, Source
from collector.graph.reading.values import decoded
from otel_opto import semconv

NAMESPACES: Final = ("opto",)
SAYS: Final = (
    "`opto.input.<name>`, `opto.output`, `opto.param.<key>.{version,hash,value}`, links with `opto.arg` and their "
    "mirrors `opto.arg.<name>.from`, `opto.node.name`, `opto.node.description`, `opto.release`, `opto.truncated`"
)

_AROUND: Final[Mapping[str, tuple[str, ...]]] = {
    semconv.INPUT_PREFIX: ("",),
    semconv.PARAM_PREFIX: (semconv.PARAM_VERSION_SUFFIX, semconv.PARAM_HASH_SUFFIX, semconv.PARAM_VALUE_SUFFIX),
    semconv.ARG_PREFIX: (semconv.ARG_FROM_SUFFIX,),
}


def read(source: Source) -> Facts | None:
    """JSON everywhere; what cannot be decoded stays what it was."""
    attributes = source.attributes
    inputs: dict[str, AnyValue] = {}
    used: dict[str, dict[str, AnyValue]] = {}
    mirrors: dict[str, AnyValue] = {}
    for key, value in attributes.items():
        prefix, name, suffix = _parts(key)
        if prefix == semconv.INPUT_PREFIX:
            inputs[name] = value
        elif prefix == semconv.PARAM_PREFIX:
            used.setdefault(name, {})[suffix] = value
        elif prefix == semconv.ARG_PREFIX:
            mirrors[name] = value
    return Facts(
        name=str(attributes.get(semconv.NODE_NAME) or ""),
        inputs={name: decoded(inputs[name]) for name in sorted(inputs)} if inputs else NO_VALUES,
        has_output=semconv.OUTPUT in attributes,
        output=decoded(attributes.get(semconv.OUTPUT)),
        uses=_uses(used) if used else (),
        arguments=_arguments(source.span, mirrors) if mirrors or source.span.links else NO_CONTEXTS,
        release=number(attributes.get(semconv.RELEASE)),
        incomplete=bool(attributes.get(semconv.TRUNCATED)),
        description=str(attributes.get(semconv.NODE_DESCRIPTION) or ""),
    )


@lru_cache(maxsize=4_096)
def _parts(key: str) -> tuple[str, str, str]:
    """The prefix and the suffix of ours around the name in an attribute's key; all empty for other keys."""
    for prefix, suffixes in _AROUND.items():
        for suffix in suffixes:
            if key.startswith(prefix) and key.endswith(suffix) and len(key) > len(prefix) + len(suffix):
                return prefix, key[len(prefix) : len(key) - len(suffix)], suffix
    return "", "", ""


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


def _uses(said: Mapping[str, Mapping[str, AnyValue]]) -> tuple[ParameterUse, ...]:
    return tuple(
        [
            ParameterUse(
                key,
                number(said[key].get(semconv.PARAM_VERSION_SUFFIX)),
                str(said[key].get(semconv.PARAM_HASH_SUFFIX) or ""),
                said[key].get(semconv.PARAM_VALUE_SUFFIX),
            )
            for key in sorted(said)
            if any(fact is not None for fact in said[key].values())
        ]
    )


def _arguments(span: Span, mirrors: Mapping[str, AnyValue]) -> Mapping[str, tuple[SpanContext, ...]]:
    """From the links, and from their mirrors where a link was lost; of both the link knows the trace."""
    found: dict[str, tuple[SpanContext, ...]] = {}
    for link in span.links:
        name = link.attributes.get(semconv.ARG)
        if isinstance(name, str) and name:
            found[name] = (*found[name], link.context) if name in found else (link.context,)
    for name, mirror in mirrors.items():
        linked = {context.span_id for context in found.get(name, ())}
        lost = [SpanContext(span.context.trace_id, one) for one in _span_ids(mirror) if one not in linked]
        if lost:
            found[name] = (*found.get(name, ()), *lost)
    return {name: found[name] for name in sorted(found)} if len(found) > 1 else found


def _span_ids(mirror: AnyValue) -> Iterator[str]:
    """Of a text with commas between the ids, or of a list of such texts."""
    texts = [mirror] if isinstance(mirror, str) else mirror if isinstance(mirror, list | tuple) else []
    for text in texts:
        for part in str(text).split(","):
            if part.strip():
                yield part.strip().lower()
