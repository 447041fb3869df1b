"""Our own attributes, written by the SDK or by any application that speaks OTLP."""

from collections.abc import Iterator, Mapping
from typing import Final

from collector.core.span import AnyValue, Attributes, Span, SpanContext
from collector.graph.statement import NO_CONTEXTS, NO_VALUES, NOTHING, ParameterUse, Source, Statement
from collector.graph.values import decoded
from otel_opto import semconv

NAMESPACES: Final = ("opto",)
SAYS: Final = (
    "`opto.input.<name>`, `opto.output`, `opto.param.<key>.{version,hash,value}`, links with `opto.arg` and their "
    "mirrors `opto.arg.<name>.from`, `opto.node.name`, `opto.release`, `opto.truncated`"
)


def read(source: Source) -> Statement | None:
    """JSON everywhere; what cannot be decoded stays what it was."""
    attributes = source.attributes
    inputs: dict[str, AnyValue] = {}
    used: dict[str, AnyValue] = {}
    mirrors: dict[str, AnyValue] = {}
    for key, value in attributes.items():
        if key.startswith(semconv.INPUT_PREFIX):
            inputs[key[len(semconv.INPUT_PREFIX) :]] = value
        elif key.startswith(semconv.PARAM_PREFIX):
            used[key[len(semconv.PARAM_PREFIX) :]] = value
        elif key.startswith(semconv.ARG_PREFIX) and key.endswith(semconv.ARG_FROM_SUFFIX):
            mirrors[key[len(semconv.ARG_PREFIX) : -len(semconv.ARG_FROM_SUFFIX)]] = value
    return Statement(
        name=str(attributes.get(semconv.NODE_NAME) or ""),
        inputs={name: decoded(inputs[name]) for name in sorted(inputs) if name} if inputs else NO_VALUES,
        output=decoded(attributes[semconv.OUTPUT]) if semconv.OUTPUT in attributes else NOTHING,
        uses=_uses(used) if used else (),
        arguments=_arguments(source.span, mirrors) if mirrors or source.span.links else NO_CONTEXTS,
        release=number(attributes.get(semconv.RELEASE)),
        incomplete=bool(attributes.get(semconv.TRUNCATED)),
    )


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


def _uses(said: Mapping[str, AnyValue]) -> tuple[ParameterUse, ...]:
    versions = _by_key(said, semconv.PARAM_VERSION_SUFFIX)
    hashes = _by_key(said, semconv.PARAM_HASH_SUFFIX)
    values = _by_key(said, semconv.PARAM_VALUE_SUFFIX)
    return tuple(
        ParameterUse(key, number(versions.get(key)), str(hashes.get(key) or ""), values.get(key))
        for key in sorted(versions.keys() | hashes.keys() | values.keys())
    )


def _by_key(said: Mapping[str, AnyValue], suffix: str) -> dict[str, AnyValue]:
    size = len(suffix)
    return {
        name[:-size]: value
        for name, value in said.items()
        if value is not None and len(name) > size and name.endswith(suffix)
    }


def _arguments(span: Span, mirrors: Mapping[str, AnyValue]) -> Mapping[str, tuple[SpanContext, ...]]:
    """From the links, and from their mirrors where a link was lost; of both the link knows the trace."""
    found: dict[str, dict[str, SpanContext]] = {}
    for link in span.links:
        name = link.attributes.get(semconv.ARG)
        if isinstance(name, str) and name:
            found.setdefault(name, {})[link.context.span_id] = link.context
    for name, mirror in mirrors.items():
        for span_id in _span_ids(mirror) if name else ():
            found.setdefault(name, {}).setdefault(span_id, SpanContext(span.context.trace_id, span_id))
    return {name: tuple(found[name].values()) for name in sorted(found)}


def _span_ids(mirror: AnyValue) -> Iterator[str]:
    """Of a text with commas between the ids, or of a list of such texts."""
    texts = [mirror] if isinstance(mirror, str) else mirror if isinstance(mirror, list | tuple) else []
    for text in texts:
        for part in str(text).split(","):
            if part.strip():
                yield part.strip().lower()
