"""What commands print: tables for people, JSON for scripts."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime


def show_json(document: object) -> None:
    """One JSON document on standard output."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def show(text: str) -> None:
    """Text on standard output."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def warn(text: str) -> None:
    """A line on standard error, beside what a script reads."""
    sys.stderr.write(f"otel-opto: {text}\n")


def show_table(headings: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Aligned columns; `empty` is said where there are no rows."""
    if not rows:
        show(empty)
        return
    show(table(headings, rows))


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
    text = " ".join(str(value).split())
    return text if len(text) <= 70 else text[:69] + "…"


def moment(unix_nano: int) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(unix_nano / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


def change(before: object, after: object) -> str:
    """One change of a value, for people."""
    return f"{_literal(before)} → {_literal(after)}"


def _literal(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
