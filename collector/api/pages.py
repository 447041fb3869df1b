"""Pages of lists, as requests ask for them and answers show them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.datastructures import QueryParams

from collector.core.errors import InvalidRequest
from collector.core.page import MOST_ON_A_PAGE, Page, PageRequest, cursor, key_of, limit_of, page_of

_T = TypeVar("_T")


def page_in(query: QueryParams, limit: int | None = None) -> PageRequest:
    """``limit=`` and ``cursor=`` of a URL. `limit`: where there is none.

    Raises:
        InvalidRequest: the limit is no number.
    """
    text = query.get("limit")
    if text is not None and not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise InvalidRequest(
            f"limit: found {text[:80]!r}, allowed are 1 to {MOST_ON_A_PAGE}; 0 and more than that mean {MOST_ON_A_PAGE}"
        )
    return PageRequest(limit_of(limit if text is None else int(text)), query.get("cursor", ""))


def page_document(name: str, page: Page[_T], document_of: Callable[[_T], object]) -> dict[str, object]:
    """``{name: [item, …]}``, with ``next_cursor`` where more follow, and why it is ``partial`` where it is."""
    document: dict[str, object] = {name: [document_of(item) for item in page.items]}
    if page.next_cursor:
        document["next_cursor"] = page.next_cursor
    if page.partial:
        document |= {"partial": True, "message": page.partial}
    return document


def numbered(name: str, items: Sequence[_T], page: PageRequest) -> Page[_T]:
    """A page of a list that is only added to; its cursors name places in it. `name`: of the list.

    Raises:
        InvalidRequest: the cursor is none of this list.
    """
    (begin,) = key_of(page.cursor, name, int) or (0,)
    return page_of(
        list(enumerate(items[int(begin) : int(begin) + page.limit + 1], int(begin))),
        page.limit,
        lambda row: row[1],
        lambda row: cursor(name, row[0] + 1),
        lambda row: len(repr(row[1])),
    )


def numbered_back(name: str, items: Sequence[_T], page: PageRequest) -> Page[_T]:
    """The same from the end on: what comes in meanwhile shifts nothing. Raises as `numbered`."""
    kind = f"{name}, newest first"
    (before,) = key_of(page.cursor, kind, int) or (len(items),)
    end = min(int(before), len(items))
    rows = list(enumerate(items[max(end - page.limit - 1, 0) : end], max(end - page.limit - 1, 0)))
    return page_of(
        rows[::-1], page.limit, lambda row: row[1], lambda row: cursor(kind, row[0]), lambda row: len(repr(row[1]))
    )
