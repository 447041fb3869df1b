"""Lists a page at a time: how much is asked for, where it goes on, and what comes back.

A cursor names the last item of a page by what the list is ordered by, so a page costs the same wherever it is, and
what comes in meanwhile shifts nothing. Clients hand it back as it came and read nothing into it.
"""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from collector.core.errors import InvalidRequest

_T = TypeVar("_T")
_Row = TypeVar("_Row")

MOST_ON_A_PAGE = 1_000
"""Items; who asks for more gets so many, and a cursor."""

DEFAULT_ON_A_PAGE = 100

MOST_PAGE_BYTES = 2 * 2**20
"""Of a page, about: it ends behind the item that goes beyond. gRPC's clients take messages of 4 MiB."""

_LONGEST_CURSOR = 16_384
_ALL_NUMBERS = range(2**63)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list.

    Attributes:
        limit: How many items at most.
        cursor: The `next_cursor` of the page before; empty for the first.
    """

    limit: int = DEFAULT_ON_A_PAGE
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """A part of a list.

    Attributes:
        items: In the list's order. There may be fewer than were asked for, even none, though more follow.
        next_cursor: For the page behind it; empty where the list ends.
        partial: What of the items themselves is not whole, in words for people.
    """

    items: tuple[_T, ...] = ()
    next_cursor: str = ""
    partial: str = ""


def limit_of(given: int | None) -> int:
    """How many items a client gets that asked for so many: 0 and too many mean as many as a page can have."""
    if given is None:
        return DEFAULT_ON_A_PAGE
    return min(given or MOST_ON_A_PAGE, MOST_ON_A_PAGE)


def cursor(kind: str, *key: int | str) -> str:
    """The cursor behind an item.

    Args:
        kind: Of the list; one list's cursors are none of another's.
        key: What the list is ordered by.
    """
    text = json.dumps([kind, *key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def key_of(given: str, kind: str, *types: type[int] | type[str]) -> tuple[int | str, ...] | None:
    """The key in a cursor; None for an empty one.

    Raises:
        InvalidRequest: it is no cursor of such a list.
    """
    if not given:
        return None
    try:
        if len(given) > _LONGEST_CURSOR:
            raise ValueError
        found = json.loads(base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True))
        if not isinstance(found, list) or found[:1] != [kind] or [type(part) for part in found[1:]] != list(types):
            raise ValueError
        if not all(part in _ALL_NUMBERS for part in found[1:] if isinstance(part, int)):
            raise ValueError
        "".join(part for part in found if isinstance(part, str)).encode()
    except (ValueError, RecursionError):
        shown = given if len(given) <= 80 else given[:80] + "…"
        raise InvalidRequest(
            f"cursor: found {shown!r}, allowed is the next_cursor of a page of the same list, or none for its first"
        ) from None
    return tuple(found[1:])


def page_of(
    rows: Iterable[_Row],
    limit: int,
    item_of: Callable[[_Row], _T],
    cursor_of: Callable[[_Row], str],
    size_of: Callable[[_Row], int],
) -> Page[_T]:
    """The first rows of what is left of a list, as many as are asked for and as there is room for.

    Args:
        rows: Read no further than it needs: one row more than the page has.
        limit: See `PageRequest`.
        item_of: Makes an item.
        cursor_of: Makes the cursor behind it.
        size_of: Bytes, about.
    """
    items: list[_T] = []
    behind, size = "", 0
    for row in rows:
        if len(items) == limit or (items and size >= MOST_PAGE_BYTES):
            return Page(tuple(items), behind)
        items.append(item_of(row))
        behind, size = cursor_of(row), size + size_of(row)
    return Page(tuple(items))


async def every(fetch: Callable[[PageRequest], Awaitable[Page[_T]]]) -> AsyncIterator[_T]:
    """The items of a whole list, never more than a page of them at once."""
    page = await fetch(PageRequest(MOST_ON_A_PAGE))
    while True:
        for item in page.items:
            yield item
        if not page.next_cursor:
            return
        page = await fetch(PageRequest(MOST_ON_A_PAGE, page.next_cursor))


def text_bytes(row: Sequence[object]) -> int:
    """The size of a row, about: of its texts, and something for each of its fields."""
    return sum(8 + (len(field) if isinstance(field, str | bytes) else 0) for field in row)
