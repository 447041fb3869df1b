"""What the attributes and links of one span say of the dataflow."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.core.span import AnyValue, Attributes, Span, SpanContext
from collector.graph.dialects import DIALECTS, OPENTRACE_PREFIX, OPENTRACE_TRAINABLE_SUFFIX
from otel_opto import semconv

MAX_JSON_DEPTH = 100
"""JSON nested deeper than this stays text: values are walked recursively later on, and the text came from outside."""


@dataclass(frozen=True, slots=True)
class ParameterUse:
    """A parameter that the operation used, as far as its span says.

    Attributes:
        version: The number of the release that brought the value; None where it comes from the code.
        hash: Of the value; empty if it is not stated.
        value: The value itself; None if it is not stated.
        trainable: None if it is not stated.
    """

    key: str
    version: int | None = None
    hash: str = ""
    value: AnyValue = None
    trainable: bool | None = None


@dataclass(frozen=True, slots=True)
class SpanReading:
    """One operation, read.

    Attributes:
        name: ``opto.node.name``, else the span's name.
        inputs: By name, decoded where they were JSON.
        has_output: Tells an output of None from no output.
        uses: By key.
        arguments: By input name, the spans whose outputs it was made of; empty names left out.
        incomplete: The span says that something of it was dropped or cut.
        release: ``opto.release``.
    """

    name: str
    inputs: Mapping[str, AnyValue]
    has_output: bool
    output: AnyValue
    uses: tuple[ParameterUse, ...]
    arguments: Mapping[str, tuple[SpanContext, ...]]
    incomplete: bool
    release: int | None


def read(span: Span) -> SpanReading:
    """Never raises: what cannot be decoded stays what it was."""
    attributes = span.attributes
    has_output, output = _output(attributes)
    return SpanReading(
        name=str(attributes.get(semconv.NODE_NAME) or span.name),
        inputs=_inputs(attributes),
        has_output=has_output,
        output=output,
        uses=_uses(attributes),
        arguments=_arguments(span),
        incomplete=_incomplete(span),
        release=_number(attributes.get(semconv.RELEASE)),
    )


def decoded(value: AnyValue) -> AnyValue:
    """The value of a JSON text; anything else, JSON that is too deep and NaN included, as it is."""
    if not isinstance(value, str):
        return value
    try:
        found: AnyValue = json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return value
    brackets = value.count("[") + value.count("{")
    return value if brackets > MAX_JSON_DEPTH and _too_deep(found) else found


def _refuse_constant(name: str) -> AnyValue:
    raise ValueError(f"{name} is not JSON")


def _too_deep(value: AnyValue) -> bool:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    return bool(level)


def _children(value: AnyValue) -> Iterator[AnyValue]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _structured(value: AnyValue) -> AnyValue:
    """Decoded only where it is a JSON object or list: a foreign text ``42`` stays the text it may well be."""
    found = decoded(value)
    return found if isinstance(found, dict | list) else value


def _inputs(attributes: Attributes) -> Mapping[str, AnyValue]:
    prefix = semconv.INPUT_PREFIX
    ours = {key[len(prefix) :]: decoded(attributes[key]) for key in sorted(attributes) if key.startswith(prefix)}
    ours.pop("", None)
    if ours:
        return ours
    for dialect in DIALECTS:
        if dialect.input in attributes:
            return {dialect.argument: _structured(attributes[dialect.input])}
    return {}


def _output(attributes: Attributes) -> tuple[bool, AnyValue]:
    if semconv.OUTPUT in attributes:
        return True, decoded(attributes[semconv.OUTPUT])
    for dialect in DIALECTS:
        if dialect.output in attributes:
            return True, _structured(attributes[dialect.output])
    return False, None


def _uses(attributes: Attributes) -> tuple[ParameterUse, ...]:
    versions = _by_key(attributes, semconv.PARAM_VERSION_SUFFIX)
    hashes = _by_key(attributes, semconv.PARAM_HASH_SUFFIX)
    values = _by_key(attributes, semconv.PARAM_VALUE_SUFFIX)
    foreign = _opentrace(attributes)
    return tuple(
        ParameterUse(
            key=key,
            version=_number(versions.get(key)),
            hash=str(hashes.get(key) or ""),
            value=values.get(key),
            trainable=foreign[key].trainable if key in foreign else None,
        )
        if key in versions or key in hashes or key in values
        else foreign[key]
        for key in sorted(versions.keys() | hashes.keys() | values.keys() | foreign.keys())
    )


def _by_key(attributes: Attributes, suffix: str) -> dict[str, AnyValue]:
    prefix = semconv.PARAM_PREFIX
    named = {
        name[len(prefix) : -len(suffix)]: value
        for name, value in attributes.items()
        if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix)
    }
    return {key: value for key, value in named.items() if value is not None}


def _opentrace(attributes: Attributes) -> dict[str, ParameterUse]:
    found = {}
    for name, value in attributes.items():
        key = name[len(OPENTRACE_PREFIX) :]
        if not name.startswith(OPENTRACE_PREFIX) or not key or value is None:
            continue
        if not name.endswith(OPENTRACE_TRAINABLE_SUFFIX):
            flag = attributes.get(name + OPENTRACE_TRAINABLE_SUFFIX)
            found[key] = ParameterUse(key, value=value, trainable=None if flag is None else str(flag).lower() == "true")
    return found


def _arguments(span: Span) -> Mapping[str, tuple[SpanContext, ...]]:
    """From the links, and from their mirrors where a link was lost; of both the link knows the trace."""
    found: dict[str, dict[str, SpanContext]] = {}
    for link in span.links:
        name = link.attributes.get(semconv.ARG)
        if isinstance(name, str) and name:
            found.setdefault(name, {})[link.context.span_id] = link.context
    for key, mirror in span.attributes.items():
        name = key[len(semconv.ARG_PREFIX) : -len(semconv.ARG_FROM_SUFFIX)]
        if key.startswith(semconv.ARG_PREFIX) and key.endswith(semconv.ARG_FROM_SUFFIX) and name:
            for span_id in _span_ids(mirror):
                context = SpanContext(span.context.trace_id, span_id)
                found.setdefault(name, {}).setdefault(span_id, context)
    return {name: tuple(contexts.values()) for name, contexts in sorted(found.items())}


def _span_ids(mirror: AnyValue) -> Iterator[str]:
    """Of a text with commas between the ids, or of a list of such texts."""
    texts = [mirror] if isinstance(mirror, str) else mirror if isinstance(mirror, list | tuple) else []
    for text in texts:
        for part in str(text).split(","):
            if part.strip():
                yield part.strip().lower()


def _incomplete(span: Span) -> bool:
    dropped = span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count
    dropped += sum(link.dropped_attributes_count for link in span.links)
    dropped += sum(event.dropped_attributes_count for event in span.events)
    return dropped > 0 or bool(span.attributes.get(semconv.TRUNCATED))


def _number(value: AnyValue) -> int | None:
    """The number of a release: a positive integer, or its digits where an SDK knows texts only. 0 means none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
