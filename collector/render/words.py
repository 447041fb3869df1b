"""Values and names in a few words, for people; safe to show wherever text can be shown."""

import json
import unicodedata

from collector.core.graph import GraphParameter
from collector.core.printable import printable
from collector.core.span import AnyValue
from collector.render.document import plain


def short(value: AnyValue, width: int) -> str:
    """The value on one line of at most `width` columns: a text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    # Nothing behind these characters can be seen; values may be megabytes long.
    return cut(printable(" ".join(text[: 4 * width + 4].split())), width)


def columns(text: str) -> int:
    """The width in a terminal or a fixed font: Chinese characters take two columns, accents none."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(char) for char in text)


def _columns_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int) -> str:
    """At most `width` columns, with … where something is missing."""
    if columns(text) <= width:
        return text
    kept, room = [], width - 1
    for char in text:
        room -= _columns_of(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + "…"


def version_words(parameter: GraphParameter) -> str:
    """Where a parameter's value comes from, and whether it may change: ``@release 3``, ``@code, fixed``."""
    if parameter.discovered:
        return "@discovered"
    brought = "code" if parameter.version is None else f"release {parameter.version}"
    return f"@{brought}" if parameter.trainable else f"@{brought}, fixed"
