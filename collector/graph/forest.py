"""Who called whom: the spans of a trace as trees, with the ancestor test in constant time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.core.errors import GraphError
from collector.core.graph import Gap
from collector.core.span import Span

_PARENT_IS_REMOTE = 0x300
"""Bits 8 and 9 of `Span.flags` (trace.proto): "it is known whether the parent is remote", and "it is"."""


@dataclass(frozen=True, slots=True)
class Forest:
    """The spans of a trace, each id once.

    Attributes:
        spans: By id, in order of start time, then span id.
        preorder: Span ids, each before its descendants, which follow it without a break.
        position: Where a span stands in `preorder`.
        end: Where its descendants end in `preorder`, exclusive.
        children: Of each span, in order of start.
        roots: Spans that have no parent.
        entries: Spans whose parent is missing and in another process, which need not report to us.
        orphans: Spans whose parent is missing though it should be here.
    """

    spans: Mapping[str, Span]
    preorder: tuple[str, ...]
    position: Mapping[str, int]
    end: Mapping[str, int]
    children: Mapping[str, Sequence[str]]
    roots: tuple[str, ...]
    entries: tuple[str, ...]
    orphans: tuple[str, ...]

    def tops(self, trace_id: str = "") -> tuple[str, ...]:
        """The spans that stand for a whole trace: its roots, without any the entries, without any the orphans.

        Without an id those of all traces together.
        """
        for tops in (self.roots, self.entries, self.orphans):
            found = tuple(one for one in tops if self.spans[one].context.trace_id == trace_id) if trace_id else tops
            if found:
                return found
        return ()

    def parent(self, span_id: str) -> str | None:
        """None where the parent is not here."""
        parent_id = self.spans[span_id].parent_span_id
        return parent_id if parent_id in self.spans else None

    def descendants(self, span_id: str) -> Sequence[str]:
        """The span itself first."""
        return self.preorder[self.position[span_id] : self.end[span_id]]

    def encloses(self, ancestor: str, span_id: str) -> bool:
        """Whether a span is an ancestor of another, or the same one."""
        return self.position[ancestor] <= self.position[span_id] < self.end[ancestor]


def unique(spans: Sequence[Span]) -> tuple[Mapping[str, Span], tuple[Gap, ...]]:
    """Each span id once, by start time and then span id; equal copies are one span.

    Of different spans with one id the last ended is kept, of those the one that says most.
    """
    kept: dict[str, Span] = {}
    doubled: set[str] = set()
    for span in spans:
        span_id = span.context.span_id
        other = kept.setdefault(span_id, span)
        if other is not span and other != span:
            doubled.add(span_id)
            kept[span_id] = max(other, span, key=_completeness)
    gaps = tuple(
        Gap("duplicate_span", span_id, "spans of different content have this id; the last ended is kept")
        for span_id in sorted(doubled)
    )
    in_order = sorted(kept.values(), key=lambda span: (span.start_time_unix_nano, span.context.span_id))
    return {span.context.span_id: span for span in in_order}, gaps


def _completeness(span: Span) -> tuple[int, int, str]:
    return span.end_time_unix_nano, len(span.attributes) + len(span.events) + len(span.links), repr(span)


def grow(spans: Mapping[str, Span]) -> Forest:
    """The trees of spans that `unique` returned.

    Raises:
        GraphError: naming a span that is its own ancestor.
    """
    roots: list[str] = []
    entries: list[str] = []
    orphans: list[str] = []
    children: dict[str, list[str]] = {span_id: [] for span_id in spans}
    for span_id, span in spans.items():
        if not span.parent_span_id:
            roots.append(span_id)
        elif span.parent_span_id in spans:
            children[span.parent_span_id].append(span_id)
        elif span.flags & _PARENT_IS_REMOTE == _PARENT_IS_REMOTE:
            entries.append(span_id)
        else:
            orphans.append(span_id)
    preorder, position, end = _walk([*roots, *entries, *orphans], children)
    for span_id, span in spans.items():
        if span_id not in position:
            raise GraphError(
                f"trace {span.context.trace_id}: span {span_id} ({span.name!r}) is its own ancestor: "
                f"parent_span_id {span.parent_span_id} leads back to it; an ancestor must be started earlier"
            )
    return Forest(spans, tuple(preorder), position, end, children, tuple(roots), tuple(entries), tuple(orphans))


def _walk(
    tops: Sequence[str], children: Mapping[str, Sequence[str]]
) -> tuple[list[str], dict[str, int], dict[str, int]]:
    preorder: list[str] = []
    position: dict[str, int] = {}
    end: dict[str, int] = {}
    stack = [(span_id, False) for span_id in reversed(tops)]
    while stack:
        span_id, left = stack.pop()
        if left:
            end[span_id] = len(preorder)
            continue
        position[span_id] = len(preorder)
        preorder.append(span_id)
        stack.append((span_id, True))
        stack.extend((child, False) for child in reversed(children[span_id]))
    return preorder, position, end
