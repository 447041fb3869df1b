"""Spans told apart: copies of one span are one, and two sides of one call that share a span id are two.

A span comes twice where its exporter tried again, or sent it unfinished and then finished. Client and server share an
id where the call went by B3 and the server joined the client's span (Zipkin: "shared"). The two are told by what copies
cannot differ in, where both say it: kind and service.

The called side keeps the id, for everything that refers to it means what the call made: its children, links to it,
feedback on it. The calling side gets an id of its own, which follows from what it is, and becomes the parent.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from collector.core.identity.services import is_unknown
from collector.core.span import Span, SpanContext

_INTERNAL: Final = 1
_CALLERS: Final = (3, 4)
_CALLED_FIRST: Final = (2, 5, _INTERNAL, 4, 3)
"""Kinds, those that keep a shared id before others: server, consumer, internal, producer, client."""


@dataclass(frozen=True, slots=True)
class ToldApart:
    """Spans of one trace or of several, each id once.

    Attributes:
        spans: By id, in order of start time, then span id.
        doubled: Ids under which different copies of one span came; the last ended is here, of those the one that
            says most.
        sides: The ids that sides got, by the context that they shared and their service.
        came: By id, which of the spans that were given it is. The order of arrival is in it, and in nothing else.
    """

    spans: Mapping[str, Span]
    doubled: frozenset[str]
    sides: Mapping[tuple[SpanContext, str], str]
    came: Mapping[str, int] = field(default_factory=dict, compare=False)

    def meant(self, context: SpanContext, service: str) -> str:
        """The id of the span that a service means by one of its own: its side of a shared one."""
        return self.sides.get((context, service), context.span_id)


def told_apart(spans: Sequence[Span]) -> ToldApart:
    """Each span once, whatever the order in which they came."""
    once = [*zip(spans, range(len(spans)), strict=True)]
    doubled: set[str] = set()
    sides: dict[tuple[SpanContext, str], str] = {}
    if len({span.context for span in spans}) < len(spans):
        once = _told(spans, doubled, sides)
    once.sort(key=lambda one: (one[0].start_time_unix_nano, one[0].context.span_id))
    return ToldApart(
        spans={span.context.span_id: span for span, _ in once},
        doubled=frozenset(doubled),
        sides=sides,
        came={span.context.span_id: place for span, place in once},
    )


def _told(spans: Sequence[Span], doubled: set[str], sides: dict[tuple[SpanContext, str], str]) -> list["_Placed"]:
    """Each once; puts down which ids differ in their copies, and what sides are called."""
    places: dict[SpanContext, list[int]] = {}
    for place, span in enumerate(spans):
        places.setdefault(span.context, []).append(place)
    once: list[_Placed] = []
    for context, given in places.items():
        if len(given) == 1:
            once.append((spans[given[0]], given[0]))
            continue
        copies = _copies([(spans[place], place) for place in given])
        doubled.update(context.span_id for alike in copies if any(one != alike[0][0] for one, _ in alike))
        called, *others = _separated([_most_complete(alike) for alike in copies])
        once += [called, *others]
        sides.update(((context, one.resource.service), one.context.span_id) for one, _ in others)
        sides.pop((context, called[0].resource.service), None)
    return once


_Placed = tuple[Span, int]
"""A span, and where it stands among those that were given."""


def _copies(group: Sequence[_Placed]) -> list[list[_Placed]]:
    """Of spans with one id, those that are copies of one. What one of them does not say is no difference: it is one
    with the first that it may be one with, of those in order that say more. Linear but for that order.
    """
    found: list[list[_Placed]] = []
    firsts: dict[tuple[int | None, str | None], int] = {}
    for placed in sorted(group, key=_vagueness):
        kind, service = _said(placed[0])
        kinds, services = (kind, 0) if kind else (None,), (service, "") if service else (None,)
        alike = [firsts[one, other] for one in kinds for other in services if (one, other) in firsts]
        place = min(alike, default=len(found))
        if place == len(found):
            found.append([])
            for key in ((kind, service), (kind, None), (None, service), (None, None)):
                firsts.setdefault(key, place)
        found[place].append(placed)
    return found


def _said(span: Span) -> tuple[int, str]:
    """Kind and service; 0 and empty where it does not say them."""
    service = span.resource.service
    return span.kind, "" if is_unknown(service) else service


def _vagueness(placed: _Placed) -> tuple[bool, bool, int, str]:
    kind, service = _said(placed[0])
    return not kind, not service, kind, service


def _most_complete(copies: Sequence[_Placed]) -> _Placed:
    """The last ended, of those the one that says most, of those any, but the same in every order."""
    most = max(_completeness(span) for span, _ in copies)
    left = [one for one in copies if _completeness(one[0]) == most]
    return left[0] if len(left) == 1 else max(left, key=lambda one: repr(one[0]))


def _completeness(span: Span) -> tuple[int, int]:
    return span.end_time_unix_nano, len(span.attributes) + len(span.events) + len(span.links)


def _separated(group: Sequence[_Placed]) -> list[_Placed]:
    """The sides of one id, the one that keeps it first. Who was called is the child of who called."""
    (called, place), *others = sorted(group, key=_called_first)
    shared = called.context.span_id
    caller = next((_own_id(one) for one, _ in others if one.kind in _CALLERS), None)
    found = [(called if caller is None else called._replace(parent_span_id=caller), place)]
    for one, other_place in others:
        own, parent = _own_id(one), one.parent_span_id
        if one.kind not in _CALLERS:
            parent = caller or parent
        elif parent == shared:
            parent = own
        context = SpanContext(one.context.trace_id, own)
        found.append((one._replace(context=context, parent_span_id=parent), other_place))
    return found


def _called_first(placed: _Placed) -> tuple[int, int, str]:
    span = placed[0]
    kind = span.kind if span.kind in _CALLED_FIRST else _INTERNAL
    return _CALLED_FIRST.index(kind), span.start_time_unix_nano, span.resource.service


def _own_id(span: Span) -> str:
    said = (span.context.trace_id, span.context.span_id, str(span.kind), span.resource.service)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
