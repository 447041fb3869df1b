"""How many attributes a span may have: OpenTelemetry drops the oldest, and ours are not to be these."""

import weakref
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Span
from opentelemetry.trace import Span as AnySpan
from opentelemetry.trace import TracerProvider

ROOM: Final = 96
"""Attributes for the inputs of a node, of 128 that a span may have."""


def room_for_inputs(provider: TracerProvider) -> int:
    """Three of four attributes that a span of this provider may have; the rest is for what else is said of it."""
    most = getattr(getattr(provider, "_span_limits", None), "max_span_attributes", 4 * ROOM // 3)
    return most * 3 // 4 if isinstance(most, int) else 1_024


class Kept:
    """What was said of spans that run, to be put back at their end where the limit has evicted it."""

    def __init__(self) -> None:
        self._said: weakref.WeakKeyDictionary[AnySpan, dict[str, Any]] = weakref.WeakKeyDictionary()

    def add(self, span: AnySpan, attributes: Mapping[str, Any]) -> None:
        """Remembers attributes as long as the span lives."""
        self._said.setdefault(span, {}).update(attributes)

    def restore(self, span: Span, attributes: Mapping[str, Any]) -> None:
        """In the place of the oldest attributes of a span that ends: what is remembered of it, and these."""
        present = span._attributes  # noqa: SLF001 - by then OpenTelemetry has no other way to change them
        wanted = {**attributes, **self._said.get(span, {})}
        if not isinstance(present, BoundedAttributes) or not present.maxlen:
            return
        if all(key in present for key in wanted):
            return
        others = [(key, value) for key, value in present.items() if key not in wanted]
        room = max(present.maxlen - len(wanted), 0)
        found = {**dict(others[len(others) - min(room, len(others)) :]), **wanted}
        made = BoundedAttributes(present.maxlen, found, True, present.max_value_len)
        made.dropped = present.dropped + len(present) - len(made)
        span._attributes = made  # noqa: SLF001 - as above
