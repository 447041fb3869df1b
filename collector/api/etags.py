"""Entity tags: whether what a client has is what it would get (RFC 9110, 8.8.3 and 13.1.2)."""

import re
from collections.abc import Iterable

_TAG = re.compile(r'(?:^|,)[ \t]*+(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")(?=[ \t]*+(?:,|$))')


def none_match(given: Iterable[str], tag: str) -> bool:
    """Whether ``If-None-Match`` lets the request through: no tag of it is that of the resource, compared weakly.

    Args:
        given: The header's values; it may stand there more than once, and each may be a list. ``*`` is any tag; what
            is no tag matches nothing.
        tag: Of the resource as it is, with its quotes; strong or weak.
    """
    listed = ", ".join(given)
    return listed.strip() != "*" and opaque(tag) not in _TAG.findall(listed)


def opaque(tag: str) -> str:
    """A tag without its weakness: what a proxy that compresses makes of ``"7-abc"`` is ``W/"7-abc"``."""
    return tag.removeprefix("W/")
