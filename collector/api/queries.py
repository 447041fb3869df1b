"""What stands in the query of a URL, beside pages."""

from starlette.datastructures import QueryParams

from collector.api.drawing import PARTS, Drawing
from collector.core.errors import InvalidRequest
from collector.render.svg import MOST_NODES


def is_true(query: QueryParams, name: str) -> bool:
    """``name=true``.

    Raises:
        InvalidRequest: it is neither true nor false.
    """
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise InvalidRequest(f"{name}: found {text[:80]!r}, allowed: true, false")
    return text == "true"


def whole_in(query: QueryParams, name: str, most: int, otherwise: int) -> int:
    """A whole number from 0 to `most`.

    Raises:
        InvalidRequest: it is none.
    """
    text = query.get(name, str(otherwise))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) <= most):
        raise InvalidRequest(f"{name}: found {text[:80]!r}, allowed are 0 to {most:,}")
    return int(text)


def graph_part(query: QueryParams) -> str:
    """``part=``: the whole graph where there is none. Raises `InvalidRequest` for anything that is no part."""
    part = query.get("part", PARTS[0])
    if part not in PARTS:
        raise InvalidRequest(f"part: found {part[:80]!r}, allowed: {', '.join(PARTS)}")
    return part


def drawing_in(query: QueryParams) -> Drawing:
    """How a graph is to be drawn. Raises `InvalidRequest` for what is none."""
    return Drawing(
        query.get("format", "json"),
        graph_part(query),
        is_true(query, "fold"),
        max(whole_in(query, "most", MOST_NODES, MOST_NODES), 1),
        is_true(query, "links"),
    )
