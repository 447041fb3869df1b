"""What commands print: tables for people, JSON for scripts; nothing in it that a terminal would obey.

Names and texts come from whoever sends spans and feedback. Everything goes through here, and log lines, too.
"""

import difflib
import io
import json
import logging
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType

from collector.core.printable import printable, printable_lines


def prepare() -> None:
    """Standard output and error take every character: what their encoding has not is spelled out. One that is closed
    takes everything, too.
    """
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def finish() -> None:
    """Writes what is still to be written, here and not when the interpreter ends, which could only complain.

    Raises:
        OSError: it cannot be; BrokenPipeError where nobody reads any more.
    """
    sys.stdout.flush()


def abandon() -> None:
    """What is still to be written goes nowhere."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # not a file
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def show_json(document: object) -> None:
    """One JSON document on standard output; in ASCII where that takes no more."""
    unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"
    text = json.dumps(document, indent=2, ensure_ascii=not unicode)
    sys.stdout.write(re.sub(r"[^\n\x20-\x7e]", _json_escaped, text))
    sys.stdout.write("\n")


def _json_escaped(match: re.Match[str]) -> str:
    """The character, or its escape sequence where a terminal would obey it; to a script they are the same."""
    if match[0].isprintable():
        return match[0]
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def show(line: str) -> None:
    """One line on standard output, whatever is in it."""
    sys.stdout.write(printable(line) + "\n")


def show_lines(text: str) -> None:
    """A text of several lines, each of which is ours."""
    sys.stdout.write(printable_lines(text.removesuffix("\n")) + "\n")


def warn(line: str) -> None:
    """A line on standard error, beside what a script reads."""
    sys.stderr.write(f"otel-opto: {printable(line)}\n")


class LogFormatter(logging.Formatter):
    """One line for each record, whatever is in its message; tracebacks are set in, so that no line of them looks like
    a record.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """See `logging.Formatter`."""
        return printable(super().formatMessage(record))

    def formatException(  # noqa: N802 - the library's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """See `logging.Formatter`."""
        return textwrap.indent(printable_lines(super().formatException(ei)), "    ")

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the library's name
        """See `logging.Formatter`."""
        return textwrap.indent(printable_lines(stack_info), "    ")


def show_table(headings: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Aligned columns; `empty` is said where there are no rows."""
    if not rows:
        show(empty)
        return
    show_lines(table(headings, rows))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Aligned columns, numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in (list(headings), *cells)) for i in range(len(headings))]
    numeric = [all(isinstance(row[i], int | float) or row[i] is None for row in rows) for i in range(len(headings))]

    def line(values: Sequence[str]) -> str:
        padded = (
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(headings), line(["-" * width for width in widths]), *map(line, cells)])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = printable(" ".join(str(value).split()))
    return text if len(text) <= 70 else text[:69] + "…"


def moment(unix_nano: int) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(unix_nano / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


def change(before: object, after: object) -> str:
    """One change of a value, for people."""
    return f"{_literal(before)} → {_literal(after)}"


def changed_lines(before: object, after: object) -> Sequence[str]:
    """Of a text of several lines (code, a prompt) the lines that changed, with their neighbours; else nothing."""
    one, other = (value if isinstance(value, str) else "" for value in (before, after))
    if "\n" not in one and "\n" not in other:
        return ()
    return list(difflib.unified_diff(one.split("\n"), other.split("\n"), "before", "after", lineterm=""))


def _literal(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
