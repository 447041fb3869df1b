"""The trials of a study with several objectives that no other is better than in all of them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from collector.ui.asking import path_of
from collector.ui.pages import cells
from collector.ui.shell import Look
from collector.ui.tables import Cell, Table

_MOST = 50


async def front(look: Look, found: Mapping[str, Any]) -> tuple[Table, ...]:
    """The table of them; none where the study has one objective."""
    if found["front"] is None:
        return ()
    said = found["front"]
    names = [one["name"] for one in said["objectives"]]
    numbers = said["trials"][:_MOST]
    trials = await asyncio.gather(
        *(look.get(path_of("/v1/studies/{}/trials/{}", found["name"], number)) for number in numbers)
    )
    rows = tuple(
        (
            Cell(
                str(one["number"]),
                path_of("/studies/{}/trials/{}", found["name"], one["number"]),
                mark="number",
                value=one["number"],
            ),
            cells.release(one["release"]),
            *(cells.number(one["objectives"].get(name)) for name in names),
            Cell(kept(one) or "–"),
        )
        for one in trials
    )
    columns = ("trial", "release", *(f"{one['name']}, {one['direction']}" for one in said["objectives"]), "bounds")
    more = f" The first {_MOST} of {len(said['trials']):,}." if len(said["trials"]) > _MOST else ""
    note = f"No other trial is better in all of these, as it looks. {said['rule']}{more}"
    return (Table("front", "The front", columns, rows, empty="None has been measured yet.", note=note),)


def kept(trial: Mapping[str, Any]) -> str:
    """What fresh units say of each thing that may not get worse."""
    return "; ".join(f"{name}: {words}" for name, words in trial["kept"].items())
