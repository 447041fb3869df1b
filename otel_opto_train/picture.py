"""A trace graph that draws itself in a notebook."""

import html
from dataclasses import fields

from collector.core.graph import TraceGraph
from collector.render.svg import graph_svg
from collector.render.tree import text_tree


class DrawnGraph(TraceGraph):
    """A `TraceGraph` that Jupyter shows as a picture, and a terminal as a tree."""

    __slots__ = ()

    @classmethod
    def of(cls, graph: TraceGraph) -> "DrawnGraph":
        """The same graph."""
        return cls(**{one.name: getattr(graph, one.name) for one in fields(graph)})

    def _repr_svg_(self) -> str:
        return graph_svg(self)

    def _repr_html_(self) -> str:
        """The picture, and the same in words for who cannot see it."""
        words = f"<details><summary>as text</summary><pre>{html.escape(text_tree(self))}</pre></details>"
        return f"<figure>{graph_svg(self)}{words}</figure>"

    def __str__(self) -> str:
        return text_tree(self)
