"""Who is the trace: of its spans the one that stands for the whole of it.

The topmost spans are those whose parent is not among the spans that are known: none is named (an all-zero id is none),
it has not come, or it leads back to the span itself. The root is the topmost span that began first, of those the one
that lasted longest, of those the one with the smallest id; one that is known to have a parent in its own process comes
behind all others, for that parent was lost. So it follows from what the spans say, never from the order
in which they came, and it is the same for all who ask: feedback, graphs, summaries, Jaeger.

A span whose parent is named and not here may still be below another that comes later. Who decides something by the
root waits for it a while where `Family.waits` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collector.core.span import Span

_NEVER: Final = 2**64
_PARENT: Final = 0x300
_LOCAL: Final = 0x100
"""Bits 8 and 9 of `Span.flags` (trace.proto): "it is known whether the parent is remote", and "it is"."""


@dataclass(frozen=True, slots=True)
class Family:
    """Who called whom.

    Attributes:
        spans: By id.
        parents: By span, its parent, where that is known.
        tops: The topmost spans, the root first.
        circles: Those among them whose named parent leads back to them: it is passed over.
    """

    spans: Mapping[str, Span]
    parents: Mapping[str, str]
    tops: tuple[str, ...]
    circles: frozenset[str]

    def root(self) -> Span | None:
        """None without spans."""
        return self.spans[self.tops[0]] if self.tops else None

    def waits(self) -> bool:
        """Whether the root's parent may still come."""
        return bool(self.tops) and self.lost_parent(self.tops[0])

    def lost_parent(self, top: str) -> bool:
        """Whether a topmost span names a parent that has not come."""
        return self.spans[top].parent_span_id is not None and top not in self.circles


def family_of(spans: Mapping[str, Span]) -> Family:
    """The family of spans that `told_apart` returned. Linear in their number, but for the order of the topmost."""
    parents: dict[str, str] = {}
    tops: list[str] = []
    circles: set[str] = set()
    passed: set[str] = set()
    in_order = True
    for span_id, span in spans.items():
        parent = span.parent_span_id
        passed.add(span_id)
        if parent is not None and parent != span_id and parent in spans:
            parents[span_id] = parent
            in_order = in_order and parent in passed
            continue
        tops.append(span_id)
        if parent == span_id:
            circles.add(span_id)
    for circle in () if in_order else _circles(parents):
        first = min(circle, key=lambda one: rank(spans[one]))
        del parents[first]
        tops.append(first)
        circles.add(first)
    tops.sort(key=lambda one: (one not in circles and _lost_its_own(spans[one]), rank(spans[one])))
    return Family(spans, parents, tuple(tops), frozenset(circles))


def has_remote_parent(span: Span) -> bool:
    """Whether its parent is known to be in another process, which need not report to us."""
    return span.flags & _PARENT == _PARENT


def _lost_its_own(span: Span) -> bool:
    return span.parent_span_id is not None and span.flags & _PARENT == _LOCAL


def rank(span: Span) -> tuple[int, int, str]:
    """Of two topmost spans the smaller one is the root. One without a start began last."""
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    return start or _NEVER, min(start - end, 0), span.context.span_id


def _circles(parents: Mapping[str, str]) -> list[list[str]]:
    """Each circle among the parents once."""
    seen: set[str] = set()
    found: list[list[str]] = []
    for span_id in parents:
        path: list[str] = []
        at = span_id
        while at in parents and at not in seen:
            seen.add(at)
            path.append(at)
            at = parents[at]
        if at in path:
            found.append(path[path.index(at) :])
    return found
