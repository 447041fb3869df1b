"""Studies: all of them, and one with its trials."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from collector.ui import formats
from collector.ui.asking import Asked, path_of
from collector.ui.differences import Difference, difference
from collector.ui.pages import cells
from collector.ui.pages.front import front
from collector.ui.shell import HEADERS, Look, Page, Shell
from collector.ui.tables import Cell, Table

_ON_A_PAGE = 50
_CAPS = (
    ("max_calls", "calls of a model left", "calls"),
    ("max_study_tokens", "tokens left", "tokens"),
    ("max_money", "money left", "money"),
)
"""Options of an optimizer that calls models, what is said of each, and what it is a cap of."""


async def studies(look: Look) -> Page:
    """``/studies``."""
    page = await look.get("/v1/studies", limit=_ON_A_PAGE, trials=0, cursor=look.asked("studies"))
    rows = tuple(
        (
            Cell(one["name"], path_of("/studies/{}", one["name"])),
            cells.service(one["service"]),
            Cell(one["metric"]),
            cells.state(one["state"]),
            Cell(f"{one['complete_trials']:,} of {one['max_trials'] + 1:,}", mark="number"),
            cells.number(one["best_score"]),
            Cell(one["message"] or "–"),
        )
        for one in page["studies"]
    )
    columns = ("study", "service", "metric", "state", "trials", "best score", "why")
    following = look.following("studies", page.get("next_cursor"))
    empty = "There is none yet: otel-opto studies create --help"
    table = Table("studies", "Studies", columns, rows, following, empty, page.get("message", ""))
    names = [one["name"] for one in page["studies"]]
    return Page("studies.html", "Studies", {"names": names}, (table,))


async def study(look: Look) -> Page:
    """``/studies/{name}``."""
    name = look.request.path_params["name"]
    found, trials, rejected = await asyncio.gather(
        look.get(path_of("/v1/studies/{}", name), trials=1),
        look.get(path_of("/v1/studies/{}/trials", name), limit=_ON_A_PAGE, newest="true", cursor=look.asked("trials")),
        look.get(
            path_of("/v1/studies/{}/rejected", name), limit=_ON_A_PAGE, newest="true", cursor=look.asked("rejected")
        ),
    )
    best = await best_of(look, found)
    differences = await _differences(found, best)
    shows = {"study": found, "best": best, "differences": differences, "cost": _cost(found)}
    tables = (*await front(look, found), _trials(look, found, trials), _rejected(look, rejected))
    return Page("study.html", f"Study {name}", shows, tables)


async def best_of(look: Look, found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The best trial; trials are numbered from 0, without gaps."""
    number = found["best_trial"]
    if number is None:
        return None
    path = path_of("/v1/studies/{}/trials/{}", found["name"], number)
    best: Mapping[str, Any] = await look.get(path)
    return best


async def _differences(found: Mapping[str, Any], best: Mapping[str, Any] | None) -> list[Difference]:
    """From the baseline to the best."""
    if best is None or not found["trials"] or best["number"] == found["trials"][0]["number"]:
        return []
    return await changed(found["trials"][0]["values"], best["values"])


async def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What is not the same in two sets of values; beside the event loop, since long texts take a while."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return await asyncio.to_thread(lambda: [difference(key, before.get(key), after.get(key)) for key in keys])


def _cost(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is left of the budget, and what its optimizer took, where it took anything."""
    cost = found["cost"]
    left = max(found["max_trials"] + 1 - found["trial_count"], 0)
    units = found["selection"]["units"]
    said = [
        ("trials left", formats.number(left)),
        ("scored units left", f"{formats.number(max(units - found['scored_units'], 0))} of {formats.number(units)}"),
    ]
    taken = {**cost, "tokens": cost["input_tokens"] + cost["output_tokens"]}
    for option, words, kind in _CAPS:
        most = found["optimizer_options"].get(option)
        if most:
            said.append((words, f"{formats.number(max(most - taken[kind], 0))} of {formats.number(most)}"))
    return said + spent(cost)


def spent(cost: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What proposals took; nothing where no model was called."""
    said = []
    if cost["calls"]:
        said += [
            ("calls of a model", formats.number(cost["calls"])),
            ("tokens in", formats.number(cost["input_tokens"])),
            ("tokens out", formats.number(cost["output_tokens"])),
        ]
    if cost["money"]:
        said.append(("money", formats.number(cost["money"])))
    if cost["seconds"]:
        said.append(("time of the optimizer", formats.duration(cost["seconds"])))
    return said


def _trials(look: Look, found: Mapping[str, Any], page: Mapping[str, Any]) -> Table:
    baseline = found["trials"][0]["values"] if found["trials"] else {}
    rows = tuple(
        (
            Cell(
                ("★ " if one["number"] == found["best_trial"] else "") + str(one["number"]),
                path_of("/studies/{}/trials/{}", found["name"], one["number"]),
                mark="number",
                value=one["number"],
            ),
            cells.release(one["release"]),
            cells.state(one["state"]),
            cells.number(one["score"]),
            cells.number(one["score_lowest"]),
            cells.number(one["score_highest"]),
            cells.number(one["feedback_count"]),
            cells.number(one["control_score"]),
            Cell(formats.brief(_unlike(one["values"], baseline), 160)),
            Cell(formats.brief(one["why"] or one["given_up"] or one["reasoning"] or "–", 240)),
        )
        for one in page["trials"]
    )
    columns = ("trial", "release", "state", "score", "from", "to", "n", "control", "values that it changes", "why")
    following = look.following("trials", page.get("next_cursor"))
    note = "From and to are two standard errors below and above a score. A trial's own page has all of it."
    return Table("trials", "Trials, the newest first", columns, rows, following, "None has begun yet.", note)


def _unlike(values: Mapping[str, Any], baseline: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return {key: value for key, value in values.items() if value != baseline.get(key)} or None


def _rejected(look: Look, page: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            cells.number(one["trial"]),
            Cell(formats.brief(one["values"], 160)),
            Cell(formats.brief("; ".join(one["errors"]), 1_000), mark="bad"),
            Cell(formats.brief(one["reasoning"] or "–", 1_000)),
        )
        for one in page["rejected"]
    )
    columns = ("for trial", "values", "faults", "why it was proposed")
    following = look.following("rejected", page.get("next_cursor"))
    return Table("rejected", "Proposals that were rejected", columns, rows, following, "None was.")


async def stop(shell: Shell, look: Look) -> Response:
    """``POST /studies/{name}/stop``. Raises `Refused`."""
    fields = await shell.form(look)
    name = look.request.path_params["name"]
    await look.asking.document(
        Asked(
            path_of("/v1/studies/{}/stop", name),
            look.authorization,
            {},
            "POST",
            request_id=fields.get("request_id", ""),
        )
    )
    return RedirectResponse(path_of("/studies/{}", name), HTTPStatus.SEE_OTHER, HEADERS)
