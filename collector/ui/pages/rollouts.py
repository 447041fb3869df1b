"""Rollouts: all of them, and the page on which a person decides about one."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from collector.ui import formats
from collector.ui.asking import Asked, Refused, path_of
from collector.ui.differences import difference
from collector.ui.pages import cells
from collector.ui.shell import HEADERS, Look, Page, Shell
from collector.ui.tables import Cell, Table

STEPS: Mapping[str, Sequence[str]] = {
    "approve": ("awaiting_approval", "draft"),
    "pause": ("ramping",),
    "resume": ("paused",),
    "promote": ("ramping", "paused", "inconclusive"),
    "abort": ("draft", "awaiting_approval", "ramping", "paused", "inconclusive"),
}
"""What can be pressed, called as on the command line, and in which states."""

_ON_A_PAGE = 50


async def rollouts(look: Look) -> Page:
    """``/rollouts``."""
    service = look.asked("service")
    page = await look.get("/v1/rollouts", service=service, limit=_ON_A_PAGE, cursor=look.asked("rollouts"))
    rows = tuple(
        (
            Cell(one["name"], path_of("/rollouts/{}", one["name"])),
            cells.service(one["service"]),
            cells.release(one["release"]),
            cells.state(one["state"]),
            cells.share(one["share"]),
            cells.time(one["began_unix_nano"]),
            Cell(one["message"] or "–"),
        )
        for one in page["rollouts"]
    )
    columns = ("rollout", "service", "release", "state", "share", "began", "why")
    empty = "There is none yet: otel-opto rollouts start --help"
    table = Table("rollouts", "Rollouts", columns, rows, look.following("rollouts", page.get("next_cursor")), empty)
    return Page("list.html", "Rollouts", {}, (table,))


async def rollout(look: Look) -> Page:
    """``/rollouts/{name}``: what changes, what is known, what can be done."""
    name = look.request.path_params["name"]
    report = await look.get(path_of("/v1/rollouts/{}", name))
    release, state = await asyncio.gather(
        look.get(path_of("/v1/releases/{}", report["release"])),
        look.get(path_of("/v1/services/{}", report["service"])),
    )
    control = _compared_with(report, release, state)
    changes: Sequence[Mapping[str, Any]] = (
        await look.get(path_of("/v1/releases/{}/diff/{}", control or 0, report["release"]))
    )["changes"]
    differences = await asyncio.to_thread(
        lambda: [difference(one["key"], one["before"], one["after"]) for one in changes]
    )
    ledger = await look.get("/v1/audit", stream=f"rollout/{name}", limit=_ON_A_PAGE, cursor=look.asked("ledger"))
    shows = {
        "rollout": report,
        "release": release,
        "control": control,
        "differences": differences,
        "steps": [step for step, states in STEPS.items() if report["state"] in states],
        "stages": _stages(report),
        "words": _evidence_words(report),
    }
    return Page(
        "rollout.html", f"Rollout {name}", shows, (_evidence(report, control), _rails(report), _ledger(look, ledger))
    )


def _compared_with(report: Mapping[str, Any], release: Mapping[str, Any], state: Mapping[str, Any]) -> int | None:
    """The release in whose place this one comes, or came."""
    in_force: int | None = state["assignment"]["control"]
    return release["parent"] if in_force == report["release"] else in_force


def _stages(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    live = report["began_unix_nano"] and report["state"] not in ("promoted", "aborted")
    return [
        {
            **stage,
            "now": bool(live and number == report["stage"]),
            "past": report["state"] == "promoted" or bool(report["began_unix_nano"] and number < report["stage"]),
        }
        for number, stage in enumerate(report["stages"])
    ]


def _evidence(report: Mapping[str, Any], control: int | None) -> Table:
    evidence = report["evidence"]
    rows = []
    if evidence is not None:
        for who, number in (("arm", report["release"]), ("control", control)):
            traces = path_of("/traces") + f"?service={cells.quoted(report['service'])}&release={number}"
            rows.append(
                (
                    Cell(f"{who}: release {number}", traces if number else ""),
                    cells.number(evidence[who]["mean"], traces if number else ""),
                    cells.number(evidence[who]["units"], traces if number else ""),
                )
            )
    metric = report["metric"]["name"] if report["metric"] else "nothing: guardrails alone"
    columns = ("who", f"mean of {metric}", "units")
    return Table("evidence", "Evidence", columns, tuple(rows), empty="It is compared by the guardrails alone.")


def _evidence_words(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What e-values mean, for who has not met one."""
    evidence = report["evidence"]
    if evidence is None:
        return []
    return [
        {
            "label": "evidence that it is worse",
            "value": evidence["harm_e_value"],
            "needed": 1 / report["alpha_harm"],
            "then": "takes it back",
        },
        {
            "label": "evidence that it meets the rule",
            "value": evidence["sound_e_value"],
            "needed": 1 / report["alpha_promote"],
            "then": "may promote it",
        },
    ]


def _rails(report: Mapping[str, Any]) -> Table:
    rows = []
    for rail in report["guardrails"]:
        found = rail["evidence"]
        arm, control = found["arm"]["mean"], found["control"]["mean"]
        harm, needed = found["harm_e_value"], 1 / report["alpha_harm"]
        rows.append(
            (
                Cell(rail["signal"].replace("_", " ")),
                cells.number(rail["bound"]),
                cells.share(None if arm is None else 1 - arm),
                cells.share(None if control is None else 1 - control),
                cells.share(rail["margin"]),
                Cell(
                    f"{formats.number(harm)} of {formats.number(needed)}",
                    mark="number bad" if harm >= needed else "number",
                ),
            )
        )
    columns = ("guardrail", "bound", "arm", "control", "may be higher by", "evidence of harm")
    return Table("guardrails", "Guardrails", columns, tuple(rows), empty="It has none.")


def _ledger(look: Look, page: Mapping[str, Any]) -> Table:
    rows = tuple(cells.event(one) for one in page["events"])
    return Table("ledger", "Ledger", cells.EVENTS, rows, look.following("ledger", page.get("next_cursor")))


async def step(shell: Shell, look: Look) -> Response:
    """``POST /rollouts/{name}/{step}``: does what a button says.

    An approval and a promotion are for the content that was looked at, which the form brings along.

    Raises:
        Refused: no such step, the content is another one by now, or the API refused it.
    """
    name, chosen = look.request.path_params["name"], look.request.path_params["step"]
    fields = await shell.form(look)
    if chosen not in STEPS:
        raise Refused(HTTPStatus.NOT_FOUND, f"step: found {chosen[:80]!r}, allowed: {', '.join(STEPS)}")
    seen = fields.get("content_hash", "")
    document: dict[str, object] = {"message": fields.get("message", "").strip()}
    if chosen == "approve":
        document = {"content_hash": seen}
    elif chosen == "promote":
        plan = await look.get(path_of("/v1/rollouts/{}", name))
        if plan["content_hash"] != seen:
            raise Refused(
                HTTPStatus.CONFLICT, "a promotion is for the content that was looked at, and this is another one by now"
            )
    path = path_of("/v1/rollouts/{}/{}", name, chosen)
    await look.asking.document(
        Asked(path, look.authorization, {}, "POST", document, request_id=fields.get("request_id", ""))
    )
    return RedirectResponse(path_of("/rollouts/{}", name), HTTPStatus.SEE_OTHER, HEADERS)
