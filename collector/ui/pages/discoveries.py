"""What looks like a prompt in a service's newest traces and was never declared, and how to make it a parameter."""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.core.errors import InvalidRequest
from collector.ui import formats
from collector.ui.asking import path_of
from collector.ui.pages import cells
from collector.ui.shell import Look, Page
from collector.ui.tables import Cell, Table

_ON_A_PAGE = 20
"""Each is shown with its whole text."""


async def discoveries(look: Look) -> Page:
    """``/services/{service}/discoveries``: a page of its own, since the graphs of many traces are made for it.

    Raises:
        InvalidRequest: its address says no place in the list.
    """
    name = look.request.path_params["service"]
    begin = _begin(look.asked("discoveries"))
    found = await look.get(path_of("/v1/services/{}/discoveries", name), traces=look.asked("newest"))
    listed = found["discoveries"][begin : begin + _ON_A_PAGE]
    more = begin + _ON_A_PAGE < len(found["discoveries"])
    following = look.following("discoveries", begin + _ON_A_PAGE) if more else ""
    shows = {
        "service": name,
        "found": found,
        "listed": listed,
        "document": path_of("/v1/services/{}/discoveries", name),
    }
    return Page("discoveries.html", f"Discoveries in {name}", shows, (_table(listed, following),))


def _begin(asked: str) -> int:
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise InvalidRequest(
            f"discoveries: found {asked[:80]!r}, allowed is how many to leave out, such as {_ON_A_PAGE}"
        )
    return int(asked or 0)


def _table(listed: Sequence[Mapping[str, Any]], following: str) -> Table:
    rows = tuple(
        (
            Cell(one["key"], f"#found-{place}"),
            Cell(formats.brief(one["text"], 160)),
            Cell(", ".join(one["fields"]) or "–"),
            cells.number(one["texts"]),
            cells.number(one["traces"]),
            cells.trace(one["trace_id"]),
        )
        for place, one in enumerate(listed, 1)
    )
    columns = ("where", "text", "filled in", "different texts", "traces that have it", "the newest of them")
    return Table("discoveries", "What was never declared", columns, rows, following, "Nothing was found.")
