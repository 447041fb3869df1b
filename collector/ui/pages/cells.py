"""Cells that more than one table has."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from collector.ui import formats
from collector.ui.asking import path_of
from collector.ui.tables import Cell

_MARKS: Mapping[str, str] = {
    "running": "runs", "ramping": "runs", "complete": "good", "finished": "good", "promoted": "good", "APPLIED": "good",
    "awaiting_approval": "waits", "paused": "waits", "inconclusive": "waits", "draft": "waits",
    "failed": "bad", "aborted": "bad", "FAILED": "bad", "stopped": "ended",
}  # fmt: skip
"""Classes of the style sheet; the word itself always stands there, too."""


def number(value: float | None, link: str = "") -> Cell:
    """A number, to the right."""
    return Cell(formats.number(value), link, "number", value)


def share(value: float | None) -> Cell:
    """A part of 1 in per cent."""
    return Cell(formats.share(value), mark="number", value=value)


def time(unix_nano: int) -> Cell:
    """A moment."""
    return Cell(formats.when(unix_nano), mark="time", time=formats.iso(unix_nano))


def state(word: str) -> Cell:
    """Where something stands, by its word and a colour."""
    return Cell(word.replace("_", " "), mark=f"state {_MARKS.get(word, '')}".strip())


def release(given: int | None) -> Cell:
    """A release by its number; a dash for none, and for another collector's."""
    return Cell("–", mark="number") if not given else Cell(str(given), path_of("/releases/{}", given), "number", given)


def service(name: str) -> Cell:
    """A service by its name."""
    return Cell(name, path_of("/services/{}", name)) if name else Cell("–")


def trace(trace_id: str) -> Cell:
    """A trace by its id."""
    return Cell(trace_id, path_of("/traces/{}", trace_id), "id")


def event(recorded: Mapping[str, Any]) -> tuple[Cell, ...]:
    """A row of the ledger, without the stream and the service."""
    data = {key: value for key, value in recorded["data"].items() if key in ("reason", "message", "why")}
    said = " ".join(str(value) for value in data.values() if value) or formats.brief(recorded["data"], 160)
    kind = Cell(str(recorded["kind"]).replace("_", " "))
    return (time(recorded["time_unix_nano"]), kind, Cell(recorded["actor"]), Cell(formats.brief(said, 200)))


EVENTS = ("when", "what", "who", "why")
"""The headings of such rows."""


def quoted(name: str) -> str:
    """A name in the query of an address."""
    return quote(name, safe="")
