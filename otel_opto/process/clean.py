"""What can be encoded: a value that cannot be, or is far too long, loses itself and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

MAX_TEXT: Final = 262_144
"""Characters of one text; a collector takes 4 MiB in one message where it is not told otherwise."""

_MORE: Final = "… (cut)"


def text(value: str, limit: int = MAX_TEXT) -> str:
    """The text, cut, and with U+FFFD for halves of surrogate pairs, which UTF-8 cannot say."""
    if len(value) > limit:
        value = value[: limit - len(_MORE)] + _MORE
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def spans(batch: Sequence[ReadableSpan]) -> Sequence[ReadableSpan]:
    """The same spans where nothing is wrong with them."""
    return [span if _is_clean(span) else _cleaned(span) for span in batch]


def value(found: Any) -> Any:
    """A value of an attribute."""
    if isinstance(found, str):
        return text(found)
    if isinstance(found, bytes):
        return found[:MAX_TEXT]
    if isinstance(found, Mapping):
        return {text(str(key)): value(one) for key, one in found.items()}
    if isinstance(found, Sequence):
        return tuple(value(one) for one in found)
    return found


def attributes(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Attributes with their keys."""
    return {text(str(key)): value(one) for key, one in (found or {}).items()}


def _is_clean(span: ReadableSpan) -> bool:
    return (
        _fits(span.name)
        and _fits(span.status.description or "")
        and _all_fit(span.attributes)
        and all(_fits(event.name) and _all_fit(event.attributes) for event in span.events)
        and all(_all_fit(link.attributes) for link in span.links)
    )


def _all_fit(found: Mapping[str, Any] | None) -> bool:
    return not found or all(_fits(key) and _fits(one) for key, one in found.items())


def _fits(found: Any) -> bool:
    if isinstance(found, str):
        return (found.isascii() and len(found) <= MAX_TEXT) or text(found) is found
    if isinstance(found, bytes):
        return len(found) <= MAX_TEXT
    if isinstance(found, Mapping):
        return _all_fit(found)
    return all(map(_fits, found)) if isinstance(found, Sequence) else True


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes(span.attributes),
        events=[Event(text(event.name), attributes(event.attributes), event.timestamp) for event in span.events],
        links=[Link(link.context, attributes(link.attributes)) for link in span.links],
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code, text(span.status.description))
        if span.status.description
        else span.status,
        start_time=span.start_time,
        end_time=span.end_time,
    )
