"""One trial with all that is known of it, and what the scores of a study's trials depend on."""

import asyncio

from collector.ui import formats
from collector.ui.asking import path_of
from collector.ui.pages import cells
from collector.ui.pages.studies import changed, spent
from collector.ui.shell import Look, Page
from collector.ui.tables import Cell, Table


async def trial(look: Look) -> Page:
    """``/studies/{name}/trials/{number}``."""
    name, number = look.request.path_params["name"], look.request.path_params["number"]
    found, one = await asyncio.gather(
        look.get(path_of("/v1/studies/{}", name), trials=1), look.get(path_of("/v1/studies/{}/trials/{}", name, number))
    )
    baseline = found["trials"][0]["values"]
    rows = tuple(
        (
            Cell(key, path_of("/services/{}/parameters/{}", found["service"], key)),
            Cell(formats.brief(value)),
            Cell(formats.brief(baseline.get(key))),
        )
        for key, value in one["values"].items()
    )
    gain = []
    if one["number"] and one["lead"] is not None:
        gain.append(("looks better by", f"{one['lead']:+.3f} ± {2 * one['deviation']:.3f} of the range"))
    if one["gain"] is not None:
        ends = f"{formats.number(one['gain_lowest'])} to {formats.number(one['gain_highest'])}"
        gain.append(("fresh data say", f"{one['gain']:+.3f} ({ends}) of the range, by {one['fresh_units']:,} units"))
    gain += [(name, formats.number(score)) for name, score in one["objectives"].items()]
    gain += [(f"{name} is kept", words) for name, words in one["kept"].items()]
    shows = {
        "study": found,
        "trial": one,
        "differences": await changed(baseline, one["values"]),
        "gain": gain,
        "cost": spent(one["cost"]),
    }
    table = Table("values", "All values", ("parameter", "value", "in the baseline"), rows)
    return Page("trial.html", f"Trial {number} of study {name}", shows, (table,))


async def importance(look: Look) -> Page:
    """``/studies/{name}/importance``."""
    name = look.request.path_params["name"]
    found, figures = await asyncio.gather(
        look.get(path_of("/v1/studies/{}", name), trials=0),
        look.get(path_of("/v1/studies/{}/pictures/importance", name), format="json"),
    )
    rows = tuple(
        (Cell(key, path_of("/services/{}/parameters/{}", found["service"], key)), cells.share(part))
        for key, part in figures["parts"].items()
    )
    note = (
        f"Of {figures['trials']:,} scored trials, by Optuna's PED-ANOVA: how differently the values of a parameter are "
        "spread among the best tenth and among all."
        if rows
        else ""
    )
    table = Table(
        "importance", "What the scores depend on", ("parameter", "part"), rows, empty=figures["message"], note=note
    )
    return Page("list.html", f"Importance of parameters in study {name}", {}, (table,))
