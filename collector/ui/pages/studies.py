"""Studies: all of them, one with its trials, and two side by side."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from collector.ui import formats
from collector.ui.asking import Asked, path_of
from collector.ui.differences import Difference, difference
from collector.ui.pages import cells
from collector.ui.shell import HEADERS, Look, Page, Shell
from collector.ui.tables import Cell, Table

_ON_A_PAGE = 50
_MOST_COMPARED = 4


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
    best = await _best(look, found)
    differences = await _differences(found, best)
    shows = {"study": found, "best": best, "differences": differences, "cost": _cost(found)}
    return Page("study.html", f"Study {name}", shows, (_trials(look, found, trials), _rejected(look, rejected)))


async def _best(look: Look, found: Mapping[str, Any]) -> Mapping[str, Any] | None:
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
    before = found["trials"][0]["values"]
    changed = [key for key, value in best["values"].items() if value != before.get(key)]
    return await asyncio.to_thread(lambda: [difference(key, before.get(key), best["values"][key]) for key in changed])


def _cost(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What its optimizer took, where it took anything."""
    cost = found["cost"]
    left = max(found["max_trials"] + 1 - found["trial_count"], 0)
    said = [("trials left", formats.number(left))]
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
    rows = tuple(
        (
            Cell(
                ("★ " if one["number"] == found["best_trial"] else "") + str(one["number"]),
                mark="number",
                value=one["number"],
            ),
            cells.release(one["release"]),
            cells.state(one["state"]),
            cells.number(one["score"]),
            cells.number(one["control_score"]),
            cells.number(one["feedback_count"]),
            Cell(formats.brief(one["values"], 160)),
            Cell(formats.brief(one["given_up"] or one["reasoning"] or "–", 240)),
        )
        for one in page["trials"]
    )
    columns = ("trial", "release", "state", "score", "control", "feedbacks", "values", "why")
    following = look.following("trials", page.get("next_cursor"))
    return Table("trials", "Trials, the newest first", columns, rows, following, "None has begun yet.")


def _rejected(look: Look, page: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            cells.number(one["trial"]),
            Cell(formats.brief(one["values"], 160)),
            Cell(formats.brief("; ".join(one["errors"]), 400), mark="bad"),
            Cell(formats.brief(one["reasoning"] or "–", 240)),
        )
        for one in page["rejected"]
    )
    columns = ("for trial", "values", "faults", "why it was proposed")
    following = look.following("rejected", page.get("next_cursor"))
    return Table("rejected", "Proposals that were rejected", columns, rows, following, "None was.")


async def compared(look: Look) -> Page:
    """``/compare?study=A&study=B``: some studies beside each other."""
    names = list(dict.fromkeys(look.request.query_params.getlist("study")))[:_MOST_COMPARED]
    found = [await look.get(path_of("/v1/studies/{}", name), trials=0) for name in names]
    best = [await _best(look, one) for one in found]
    said: list[tuple[str, list[Cell]]] = [
        ("service", [cells.service(one["service"]) for one in found]),
        ("metric", [Cell(f"{one['metric']} ({one['direction']})") for one in found]),
        ("optimizer", [Cell(one["optimizer"]) for one in found]),
        ("state", [cells.state(one["state"]) for one in found]),
        ("trials", [cells.number(one["complete_trials"]) for one in found]),
        ("best score", [cells.number(one["best_score"]) for one in found]),
        ("control beside it", [cells.number(one["control_score"] if one else None) for one in best]),
        ("rejected proposals", [cells.number(one["rejected_count"]) for one in found]),
        ("tokens", [cells.number(one["cost"]["input_tokens"] + one["cost"]["output_tokens"]) for one in found]),
    ]
    keys = sorted({key for one in best if one for key in one["values"]})
    said += [
        (f"best {key}", [Cell(formats.brief(one["values"].get(key) if one else None)) for one in best]) for key in keys
    ]
    rows = tuple((Cell(label), *row) for label, row in said) if found else ()
    table = Table("compared", "Side by side", ("", *names), rows, empty="Choose two studies or more.")
    return Page("list.html", "Studies side by side", {}, (table,))


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
