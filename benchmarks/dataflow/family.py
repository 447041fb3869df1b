"""Containment of spans: a value in a span stands in its callers and callees, too."""

from collections.abc import Sequence

from collector.core.span import Span


class Tree:
    """The spans of a trace by who called whom."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.names = {span.context.span_id: span.name for span in spans}
        parents = {span.context.span_id: span.parent_span_id for span in spans}
        self._children: dict[str | None, list[str]] = {}
        for span_id, parent in parents.items():
            self._children.setdefault(parent, []).append(span_id)
        self._above = {span_id: self._up(parents, span_id) for span_id in parents}

    @staticmethod
    def _up(parents: dict[str, str | None], span_id: str) -> list[str]:
        found: list[str] = []
        parent = parents[span_id]
        while parent is not None and parent in parents and parent not in found:
            found.append(parent)
            parent = parents[parent]
        return found

    def below(self, span_id: str) -> set[str]:
        """The descendants."""
        found: set[str] = set()
        todo = list(self._children.get(span_id, ()))
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self._children.get(one, ())
        return found

    def nested(self, one: str, other: str) -> bool:
        """Whether one contains the other, or is it."""
        return one == other or one in self._above.get(other, ()) or other in self._above.get(one, ())

    def family(self, span_id: str, other: str) -> set[str]:
        """Itself, its descendants, and those of its ancestors that do not contain the other one."""
        if span_id not in self._above:
            return {span_id}
        shared = {*self._above.get(other, ()), other}
        return {span_id, *(set(self._above[span_id]) - shared), *(self.below(span_id) - shared)}
