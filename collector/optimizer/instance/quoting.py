"""Recorded content as text that cannot be mistaken for the text around it, and that fits.

Content of traces is untrusted: whatever it holds, it stays on its line, so it cannot begin a section; and in a block of
recorded data it cannot spell an angle bracket, so it cannot end the block.
"""

import json
import re
from collections.abc import Sequence

from collector.core.span import AnyValue

_NAME_CHARS = 60


def quoted(value: AnyValue, width: int) -> str:
    """A value as JSON on one line, about `width` characters of it; what is cut is said."""
    if isinstance(value, str):
        return _printable(json.dumps(shortened(value, width), ensure_ascii=False))
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = "(nested too deeply to be shown)"
    return _printable(shortened(text, width))


def words(text: str, width: int) -> str:
    """A text on one line, without quotation marks around it."""
    return _printable(shortened(" ".join(text.split()), width))


def inert(line: str) -> str:
    """A line that can stand in a block of recorded data: no angle bracket that could open or close one."""
    return line.replace("<", "\\u003c").replace(">", "\\u003e")


def shortened(text: str, width: int) -> str:
    """The text, or its beginning and its end where it is longer than `width`: answers often stand at the end."""
    if len(text) <= width:
        return text
    tail = width // 3
    head = width - tail
    return f"{text[:head]} …({len(text) - width} more characters)… {text[len(text) - tail :]}"


def identifier(name: str) -> str:
    """A name of a step or an input: letters, digits and ``_./-``, at most 60 of them."""
    return re.sub(r"[^\w./-]+", "_", name).strip("_")[:_NAME_CHARS] or "step"


def fitted(lines: Sequence[str], chars: int) -> str:
    """The lines, or as many from both ends as fit into `chars`; how many are missing stands in their place."""
    whole = "\n".join(lines)
    if len(whole) <= chars:
        return whole
    left = chars - len(_left_out(len(lines)))
    taken = 0
    while left > (length := len(_from_both_ends(lines, taken))):
        left -= length + 1
        taken += 1
    if left < 0:
        return ""
    head, tail = taken - taken // 2, taken // 2
    return "\n".join([*lines[:head], _left_out(len(lines) - taken), *lines[len(lines) - tail :]])


def _left_out(count: int) -> str:
    return f"… {count} lines left out …"


def _from_both_ends(lines: Sequence[str], number: int) -> str:
    """The first, the last, the second, the last but one, …"""
    return lines[number // 2] if number % 2 == 0 else lines[-1 - number // 2]


def _printable(text: str) -> str:
    """Escapes what does not print: line separators, controls, invisible characters, lone surrogates."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
