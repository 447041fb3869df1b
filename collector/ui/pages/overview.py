"""The first page: what runs, what waits for a person, what went wrong."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from collector.ui import formats
from collector.ui.asking import path_of
from collector.ui.pages import cells
from collector.ui.pages.applications import applications
from collector.ui.shell import Look, Page
from collector.ui.tables import Cell, Table

_ON_A_PAGE = 25
_INSTANCES = 10
_WAITING = ("awaiting_approval", "paused", "inconclusive", "draft")
_NO_LOSS = (
    "_accepted_", "_sent_", "feedback_accepted", "feedback_attached", "proposals_accepted", "releases_published",
    "releases_applied", "rebuilt_indexes", "own_spans_sent",
)  # fmt: skip
"""Of counters that count what went well."""


async def overview(look: Look) -> Page:
    """``/``."""
    services, stats = await asyncio.gather(
        look.get("/v1/services", limit=_ON_A_PAGE, cursor=look.asked("services")), look.get("/v1/stats")
    )
    names = [name for one in services["services"] for name in one["studies"]]
    studies = [await look.get(path_of("/v1/studies/{}", name), trials=0) for name in names]
    rollouts = [{**rollout, "service": one["service"]} for one in services["services"] for rollout in one["rollouts"]]
    waiting = [one for one in rollouts if one["state"] in _WAITING]
    tables = (
        _services(services, look),
        _studies(studies),
        _rollouts(rollouts),
        await applications(look, services["services"], "Applications and what they applied", _INSTANCES),
        _losses(stats["counters"]),
    )
    accepted = sum(count for name, count in stats["counters"].items() if name.endswith("receiver_accepted_spans"))
    return Page("overview.html", "Overview", {"stats": stats, "waiting": waiting, "accepted": accepted}, tables)


async def doctor(look: Look) -> Page:
    """``/doctor``."""
    found = await look.get("/v1/doctor")
    marks = {"green": "good", "yellow": "waits", "red": "bad"}
    rows = tuple(
        (
            Cell(one["level"], mark=f"state {marks[one['level']]}"),
            Cell(one["name"]),
            Cell(one["says"]),
            Cell(one["cure"] or "–"),
        )
        for one in found["findings"]
    )
    table = Table("findings", "What was looked at", ("level", "what", "found", "what to do"), rows)
    return Page("list.html", f"Doctor: {found['level']}", {}, (table,))


def _services(page: Mapping[str, Any], look: Look) -> Table:
    rows = []
    for one in page["services"]:
        control, *arms = one["releases"] or [None]
        refused = sum(len(words["failed"]) for words in one["releases"])
        rows.append(
            (
                cells.service(one["service"]),
                cells.release(control["release"] if control else None),
                Cell(", ".join(f"release {arm['release']}: {formats.share(arm['share'])}" for arm in arms) or "–"),
                cells.number(one["connected"]),
                cells.number(control["applied"] if control else 0),
                Cell(formats.number(refused), mark="number bad" if refused else "number", value=refused),
            )
        )
    columns = ("service", "release in force", "arms", "connected", "applied", "refused")
    empty = "No application has sent anything yet: point OTEL_EXPORTER_OTLP_ENDPOINT at this collector."
    following = look.following("services", page.get("next_cursor"))
    return Table("services", "Services", columns, tuple(rows), following, empty)


def _studies(studies: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            Cell(one["name"], path_of("/studies/{}", one["name"])),
            cells.service(one["service"]),
            Cell(f"{one['complete_trials']:,} of {one['max_trials'] + 1:,}", mark="number"),
            cells.number(one["best_score"]),
            Cell(one["message"] or "–"),
        )
        for one in studies
    )
    columns = ("study", "service", "trials", "best score", "waits for")
    return Table("studies", "Running studies", columns, rows, empty="No study is running.")


def _rollouts(rollouts: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            Cell(one["name"], path_of("/rollouts/{}", one["name"])),
            cells.service(one["service"]),
            cells.release(one["release"]),
            cells.state(one["state"]),
            cells.share(one["share"]),
            Cell(one["message"] or "–"),
        )
        for one in rollouts
    )
    columns = ("rollout", "service", "release", "state", "share", "why")
    return Table("rollouts", "Rollouts under way", columns, rows, empty="No rollout is under way.")


def _losses(counters: Mapping[str, int]) -> Table:
    lost = {name: count for name, count in counters.items() if count and not any(part in name for part in _NO_LOSS)}
    rows = tuple(
        (Cell(name.removeprefix("otel_opto_").removeprefix("otelcol_").replace("_", " ")), cells.number(count))
        for name, count in sorted(lost.items())
    )
    return Table("losses", "Lost, refused or repaired since the start", ("what", "how much"), rows, empty="Nothing.")
