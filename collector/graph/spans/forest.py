"""Who called whom: the spans of a trace as trees, with the ancestor test in constant time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from collector.core.identity.roots import Family, has_remote_parent
from collector.core.span import Span


@dataclass(frozen=True, slots=True)
class Forest:
    """The spans of a trace, each id once.

    Attributes:
        family: Who called whom.
        preorder: Span ids, each before its descendants, which follow it without a break.
        position: Where a span stands in `preorder`.
        end: Where its descendants end in `preorder`, exclusive.
        children: Of each span, in order of start.
        roots: Spans that have no parent, the one that stands for its trace before others, as in the next two.
        entries: Spans whose parent is missing and in another process, which need not report to us.
        orphans: Spans whose parent is missing though it should be here.
    """

    family: Family
    preorder: tuple[str, ...]
    position: Mapping[str, int]
    end: Mapping[str, int]
    children: Mapping[str, Sequence[str]]
    roots: tuple[str, ...]
    entries: tuple[str, ...]
    orphans: tuple[str, ...]

    @property
    def spans(self) -> Mapping[str, Span]:
        """By id, in order of start time, then span id."""
        return self.family.spans

    def tops(self, trace_id: str = "") -> tuple[str, ...]:
        """The spans that stand for a whole trace, its root first: all that are topmost for the same reason.

        Without an id those of all traces together.
        """
        of_trace = [one for one in self.family.tops if trace_id in ("", self.spans[one].context.trace_id)]
        if not of_trace:
            return ()
        alike = next(frozenset(one) for one in (self.roots, self.entries, self.orphans) if of_trace[0] in one)
        return tuple(one for one in of_trace if one in alike)

    def parent(self, span_id: str) -> str | None:
        """None where the parent is not here."""
        return self.family.parents.get(span_id)

    def descendants(self, span_id: str) -> Sequence[str]:
        """The span itself first."""
        return self.preorder[self.position[span_id] : self.end[span_id]]

    def encloses(self, ancestor: str, span_id: str) -> bool:
        """Whether a span is an ancestor of another, or the same one."""
        return self.position[ancestor] <= self.position[span_id] < self.end[ancestor]

    def nested(self, one: str, other: str) -> bool:
        """Whether one of both runs around the other, or is it."""
        return self.encloses(one, other) or self.encloses(other, one)

    def above(self, span_id: str, most: int) -> Iterator[str]:
        """The callers, the nearest first, so many at most."""
        parents, up = self.family.parents, self.family.parents.get(span_id)
        while up is not None and most:
            yield up
            up, most = parents.get(up), most - 1


def grow(family: Family) -> Forest:
    """The trees of a family. A parent that leads back to its child is passed over; see `Family.circles`."""
    roots: list[str] = []
    entries: list[str] = []
    orphans: list[str] = []
    for top in family.tops:
        if not family.lost_parent(top):
            roots.append(top)
        elif has_remote_parent(family.spans[top]):
            entries.append(top)
        else:
            orphans.append(top)
    below: dict[str, list[str]] = {}
    for span_id, parent in family.parents.items():
        below.setdefault(parent, []).append(span_id)
    children: Mapping[str, Sequence[str]] = {**dict.fromkeys(family.spans, ()), **below}
    preorder: list[str] = []
    stack = [*reversed([*roots, *entries, *orphans])]
    while stack:
        span_id = stack.pop()
        preorder.append(span_id)
        if span_id in below:
            stack += reversed(below[span_id])
    places = [*range(len(preorder) + 1)]  # each number one object
    position = dict(zip(preorder, places, strict=False))
    end: dict[str, int] = {}
    for place in range(len(preorder) - 1, -1, -1):
        inner = below.get(preorder[place])
        end[preorder[place]] = end[inner[-1]] if inner else places[place + 1]
    return Forest(family, tuple(preorder), position, end, children, tuple(roots), tuple(entries), tuple(orphans))
