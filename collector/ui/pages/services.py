"""A service: what it waits for, its parameters, and the history of each."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from collector.ui import formats
from collector.ui.asking import Refused, path_of
from collector.ui.pages import cells
from collector.ui.pages.applications import applications
from collector.ui.shell import Look, Page
from collector.ui.tables import Cell, Table
from otel_opto import semconv

_ON_A_PAGE = 50
_MOST_ON_A_PAGE = 1_000
_INSTANCES = 50
_BOUNDS = (
    "minimum",
    "maximum",
    "choices",
    "max_length",
    "placeholders",
    "pattern",
    "candidates",
    "json_schema",
    "imports",
)


async def service(look: Look) -> Page:
    """``/services/{service}``.

    Raises:
        Refused: nothing is known of it.
    """
    name = look.request.path_params["service"]
    state, standing, declared = await asyncio.gather(
        look.get(path_of("/v1/services/{}", name)),
        look.get(path_of("/v1/services/{}/status", name)),
        look.get(path_of("/v1/services/{}/parameters", name), limit=_ON_A_PAGE, cursor=look.asked("parameters")),
    )
    if not _known(state, standing, declared):
        raise Refused(
            HTTPStatus.NOT_FOUND,
            f"service {name!r}: it has declared nothing, no span came from it, and it has no release; is it the "
            "application's service.name? The overview lists those that are known",
        )
    control = await _control(look, state)
    shows = {"state": state, "standing": standing, "control": control}
    said = await applications(look, [state], "What its instances said of what is in force", _INSTANCES)
    tables = (_parameters(look, name, declared, control), said, _checks(standing))
    return Page("service.html", f"Service {name}", shows, tables)


def _known(state: Mapping[str, Any], standing: Mapping[str, Any], declared: Mapping[str, Any]) -> bool:
    met = any(check["ok"] for check in standing["checks"])
    return bool(met or declared["parameters"] or state["releases"] or state["studies"] or state["rollouts"])


async def _control(look: Look, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    number = state["assignment"]["control"]
    found: Mapping[str, Any] | None = None if number is None else await look.get(path_of("/v1/releases/{}", number))
    return found


def _checks(standing: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            Cell(check["name"]),
            Cell("✓ there" if check["ok"] else "✗ missing", mark="good" if check["ok"] else "bad"),
            Cell(check["says"]),
        )
        for check in standing["checks"]
    )
    return Table("checks", "What has to be there, in this order", ("what", "is it there", "what was found"), rows)


def _parameters(look: Look, name: str, page: Mapping[str, Any], control: Mapping[str, Any] | None) -> Table:
    values = control["values"] if control is not None else {}
    versions = control["versions"] if control is not None else {}
    rows = tuple(
        (
            Cell(one["key"], path_of("/services/{}/parameters/{}", name, one["key"])),
            Cell(one["type"] + ("" if one["trainable"] else ", fixed")),
            Cell(formats.brief(one["default"], 120)),
            Cell(formats.brief(values[one["key"]], 120) if one["key"] in values else "the code's own"),
            cells.release(versions.get(one["key"])),
            Cell(_bounds(one)),
            Cell(one["description"] or "–"),
        )
        for one in page["parameters"]
    )
    columns = ("parameter", "type", "in the code", "in force", "since release", "allowed", "what it is")
    following = look.following("parameters", page.get("next_cursor"))
    return Table("parameters", "Parameters", columns, rows, following, "It has declared none.")


def _bounds(one: Mapping[str, Any]) -> str:
    said = [f"{name.replace('_', ' ')} {formats.brief(one[name], 80)}" for name in _BOUNDS if name in one]
    return "; ".join(said) or "–"


async def parameter(look: Look) -> Page:
    """``/services/{service}/parameters/{key}``: its values by release, and the traces that used it.

    Raises:
        Refused: nothing is known of it.
    """
    name, key = look.request.path_params["service"], look.request.path_params["key"]
    state, releases, declared = await asyncio.gather(
        look.get(path_of("/v1/services/{}", name)),
        look.get("/v1/releases", service=name, limit=_ON_A_PAGE, cursor=look.asked("history")),
        _declared(look, name, key),
    )
    control = await _control(look, state)
    version = control["versions"].get(key) if control is not None else None
    if declared is None and version is None and not any(key in one["versions"] for one in releases["releases"]):
        raise Refused(
            HTTPStatus.NOT_FOUND,
            f"parameter {key!r}: service {name!r} has declared none of that key; its page lists them",
        )
    used = f"{semconv.PARAM_PREFIX}{key}{semconv.PARAM_VERSION_SUFFIX}={version}" if version is not None else ""
    shows = {
        "service": name,
        "key": key,
        "declared": declared,
        "bounds": _bounds(declared) if declared is not None else "–",
        "value": control["values"].get(key) if control is not None else None,
        "version": version,
        "used": f"/traces?service={cells.quoted(name)}&attribute={cells.quoted(used)}" if used else "",
    }
    return Page("parameter.html", f"Parameter {key}", shows, (_history(look, key, releases),))


async def _declared(look: Look, service: str, key: str) -> Mapping[str, Any] | None:
    """As it was declared; None where it was not."""
    cursor = ""
    while True:
        path = path_of("/v1/services/{}/parameters", service)
        page = await look.get(path, limit=_MOST_ON_A_PAGE, cursor=cursor)
        found: Mapping[str, Any] | None = next((one for one in page["parameters"] if one["key"] == key), None)
        cursor = page.get("next_cursor") or ""
        if found is not None or not cursor:
            return found


def _history(look: Look, key: str, releases: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            cells.release(one["number"]),
            Cell(formats.brief(one["values"][key])),
            cells.time(one["created_unix_nano"]),
            Cell(one["reason"]),
        )
        for one in releases["releases"]
        if one["versions"].get(key) == one["number"]
    )
    following = look.following("history", releases.get("next_cursor"))
    note = "Only releases that changed it are shown, so a page may hold few." if following else ""
    columns = ("release", "value", "made", "why")
    empty = "None of this page did." if releases["releases"] else "The service has no release yet."
    return Table("history", "Releases that changed it", columns, rows, following, empty, note)
