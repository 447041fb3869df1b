"""Studies beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from collector.ui import formats
from collector.ui.asking import path_of
from collector.ui.differences import Difference
from collector.ui.pages import cells
from collector.ui.pages.studies import best_of, changed
from collector.ui.shell import Look, Page
from collector.ui.tables import Cell, Table

_MOST = 4

Best = Mapping[str, Any] | None


async def compared(look: Look) -> Page:
    """``/compare?study=A&study=B``: figures, pictures, and how the best values differ from those of the first."""
    names = list(dict.fromkeys(look.request.query_params.getlist("study")))[:_MOST]
    only = look.asked("only") == "different"
    found = [await look.get(path_of("/v1/studies/{}", name), trials=0) for name in names]
    best = [await best_of(look, one) for one in found]
    rows = _rows(found, best) if found else []
    kept = tuple(row for row in rows if not only or len({cell.text for cell in row[1:]}) > 1)
    empty = "They are alike in all of it." if names else "Choose two studies or more."
    table = Table("compared", "Side by side", ("", *names), kept, empty=empty)

    def again(**more: str) -> str:
        return "?" + urlencode([*(("study", name) for name in names), *more.items()])

    differences = await _differences(names, best)
    shows = {"names": names, "only": only, "differences": differences, "again": again}
    return Page("compare.html", "Studies side by side", shows, (table,))


async def _differences(names: Sequence[str], best: Sequence[Best]) -> list[tuple[str, list[Difference]]]:
    """Of those that have a best one."""
    first, *others = best or [None]
    if first is None:
        return []
    return [
        (name, await changed(first["values"], one["values"]))
        for name, one in zip(names[1:], others, strict=True)
        if one is not None
    ]


def _rows(found: Sequence[Mapping[str, Any]], best: Sequence[Best]) -> list[tuple[Cell, ...]]:
    said: list[tuple[str, list[Cell]]] = [
        ("service", [cells.service(one["service"]) for one in found]),
        ("metric", [Cell(f"{one['metric']} ({one['direction']})") for one in found]),
        ("optimizer", [Cell(one["optimizer"]) for one in found]),
        ("state", [cells.state(one["state"]) for one in found]),
        ("trials", [cells.number(one["complete_trials"]) for one in found]),
        ("best score", [cells.number(one["best_score"]) for one in found]),
        ("its interval", [Cell(formats.interval(one), mark="number") for one in best]),
        ("n", [cells.number(one["feedback_count"] if one else None) for one in best]),
        ("control beside it", [cells.number(one["control_score"] if one else None) for one in best]),
        ("better than control by", [cells.number(_lead(one)) for one in best]),
        ("rejected proposals", [cells.number(one["rejected_count"]) for one in found]),
        ("tokens", [cells.number(one["cost"]["input_tokens"] + one["cost"]["output_tokens"]) for one in found]),
        ("money", [cells.number(one["cost"]["money"]) for one in found]),
    ]
    keys = sorted({key for one in best if one for key in one["values"]})
    said += [
        (f"best {key}", [Cell(formats.brief(one["values"].get(key) if one else None)) for one in best]) for key in keys
    ]
    return [(Cell(label), *row) for label, row in said]


def _lead(best: Best) -> float | None:
    if best is None or best["score"] is None or best["control_score"] is None:
        return None
    lead: float = best["score"] - best["control_score"]
    return lead
