"""Answers in tags: ``<variable><name>p</name><value>new</value></variable>`` (Trace's OptoPrimeV2), ``<p>new</p>``."""

from collections.abc import Collection, Iterator
from typing import NamedTuple


class Tagged(NamedTuple):
    """Values by the names as they were written, and where the last of them ended."""

    values: dict[str, str]
    reasoning: str
    end: int


def tagged(text: str, keys: Collection[str]) -> Tagged | None:
    """What stands in tags that are closed; of several for one name the last; None where there are none."""
    values: dict[str, str] = {}
    end = 0
    for block, after in _blocks(text, "variable"):
        name, value = _first(block, "name"), _last(block, "value")
        if name is not None and value is not None:
            values[name.strip()] = _without_edges(value)
            end = max(end, after)
    if not values:
        for key in keys:
            for inside, after in _blocks(text, key):
                values[key] = _without_edges(inside)
                end = max(end, after)
    return Tagged(values, (_first(text, "reasoning") or "").strip(), end) if values else None


def _blocks(text: str, tag: str) -> Iterator[tuple[str, int]]:
    """What stands between an opening tag and the next closing one, and where it ends."""
    opening, closing, at = f"<{tag}>", f"</{tag}>", 0
    while (start := text.find(opening, at)) >= 0:
        end = text.find(closing, start)
        if end < 0:
            return
        at = end + len(closing)
        yield text[start + len(opening) : end], at


def _first(text: str, tag: str) -> str | None:
    return next((inside for inside, _ in _blocks(text, tag)), None)


def _last(text: str, tag: str) -> str | None:
    """Up to the last closing tag: a value may speak of tags itself."""
    start, end = text.find(f"<{tag}>"), text.rfind(f"</{tag}>")
    return text[start + len(tag) + 2 : end] if 0 <= start < end else None


def _without_edges(value: str) -> str:
    """Without the one line break that stands between a tag and its content."""
    return value.removeprefix("\n").removesuffix("\n")
