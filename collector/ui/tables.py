"""Tables, as a page shows them and as CSV has them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from collector.core.printable import printable_lines

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: What is read.
        link: Where it leads; empty: nowhere.
        mark: A class of the style sheet: ``number``, ``bad``, ``good``, ``waits``.
        value: For CSV, where that is not the text: a number with all its digits.
        time: The moment that it is, for machines.
    """

    text: str
    link: str = ""
    mark: str = ""
    value: object = None
    time: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A page of a list.

    Attributes:
        name: Unique on its page; ``?csv=NAME`` is the same as CSV.
        columns: Their headings.
        following: Where it goes on; empty where it ends.
        empty: What is said where there are no rows.
        note: What else is to be known: that it is a part.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    following: str = ""
    empty: str = "There is nothing yet."
    note: str = ""


def csv_of(table: Table) -> str:
    """RFC 4180, in UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_said(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def _said(cell: Cell) -> object:
    if isinstance(cell.value, int | float):
        return cell.value
    text = printable_lines(cell.time or cell.text)
    return f"'{text}" if text.startswith(_FORMULA) else text  # a spreadsheet would compute it


def chosen(tables: Sequence[Table], name: str) -> Table | None:
    """The table of that name."""
    return next((table for table in tables if table.name == name), None)
