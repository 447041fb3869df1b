"""Releases: all of them, one with its values, and the way back to it."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from collector.ui import formats
from collector.ui.asking import Asked, path_of
from collector.ui.differences import difference
from collector.ui.pages import cells
from collector.ui.shell import HEADERS, Look, Page, Shell
from collector.ui.tables import Cell, Table

_ON_A_PAGE = 50


async def releases(look: Look) -> Page:
    """``/releases``."""
    service = look.asked("service")
    page = await look.get("/v1/releases", service=service, limit=_ON_A_PAGE, cursor=look.asked("releases"))
    rows = tuple(
        (
            cells.release(one["number"]),
            cells.service(one["service"]),
            cells.time(one["created_unix_nano"]),
            Cell(formats.brief(_changed(one), 120) or "nothing"),
            Cell(one["reason"]),
            Cell(one["hash"][:16], mark="id"),
        )
        for one in page["releases"]
    )
    columns = ("release", "service", "made", "changed", "why", "hash begins")
    title = f"Releases of {service}" if service else "Releases"
    following = look.following("releases", page.get("next_cursor"))
    empty = "There is none yet; a study makes the first one: otel-opto studies create --help"
    return Page("list.html", title, {}, (Table("releases", title, columns, rows, following, empty),))


def _changed(release: Mapping[str, Any]) -> str:
    versions = release["versions"]
    return ", ".join(
        f"{key} = {formats.brief(value, 40)}"
        for key, value in release["values"].items()
        if versions[key] == release["number"]
    )


async def release(look: Look) -> Page:
    """``/releases/{number}``."""
    number = look.request.path_params["number"]
    found, words = await asyncio.gather(
        look.get(path_of("/v1/releases/{}", number)),
        look.get(
            path_of("/v1/releases/{}/acknowledgements", number), limit=_ON_A_PAGE, cursor=look.asked("applications")
        ),
    )
    state = await look.get(path_of("/v1/services/{}", found["service"]))
    parent = found["parent"] or 0
    changes = await look.get(path_of("/v1/releases/{}/diff/{}", parent, number))
    differences = await asyncio.to_thread(
        lambda: [difference(one["key"], one["before"], one["after"]) for one in changes["changes"]]
    )
    shows = {
        "release": found,
        "parent": parent,
        "differences": differences,
        "in_force": state["assignment"]["control"] == number,
        "share": next((one["share"] for one in state["releases"] if one["release"] == number), 0.0),
    }
    return Page("release.html", f"Release {number}", shows, (_values(found), _applications(look, words)))


def _values(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            Cell(key, path_of("/services/{}/parameters/{}", found["service"], key)),
            Cell(formats.brief(value)),
            cells.release(found["versions"][key]),
        )
        for key, value in found["values"].items()
    )
    return Table("values", "All values", ("parameter", "value", "since release"), rows)


def _applications(look: Look, page: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            Cell(one["instance_id"] or "–", mark="id"),
            cells.state(one["status"]),
            Cell(one["error"] or "–", mark="bad" if one["error"] else ""),
            cells.time(one["time_unix_nano"]),
        )
        for one in page["acknowledgements"]
    )
    following = look.following("applications", page.get("next_cursor"))
    columns = ("instance", "said", "reason", "when")
    empty = "No instance has said anything of it yet."
    return Table("applications", "What applications said of it", columns, rows, following, empty)


async def rollback(shell: Shell, look: Look) -> Response:
    """``POST /releases/{number}/rollback``. Raises `Refused`."""
    fields = await shell.form(look)
    path = path_of("/v1/releases/{}/rollback", look.request.path_params["number"])
    made = await look.asking.document(
        Asked(path, look.authorization, {}, "POST", request_id=fields.get("request_id", ""))
    )
    return RedirectResponse(path_of("/releases/{}", made["number"]), HTTPStatus.SEE_OTHER, HEADERS)
