"""Text of anybody, made safe to show: what a terminal or a log would obey instead of showing it is spelled out."""


def printable(text: str) -> str:
    r"""The text as one line, without what moves a cursor, sets a title, turns the writing direction, begins a line or
    cannot be written: ``\x1b``, ``\x9b``, ``\u202e``, ``\n``, ``\udc80``. Blanks of any kind are blanks.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _spelled(char) for char in text)


def printable_lines(text: str) -> str:
    """The same for a text whose line feeds are its author's."""
    return "\n".join(map(printable, text.split("\n")))


def _spelled(char: str) -> str:
    if not char.isascii() and char.isspace() and char not in "\x85\u2028\u2029":
        return " "
    return char.encode("unicode_escape").decode()
