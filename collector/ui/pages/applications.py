"""What the instances of applications said of the releases that they were given."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from collector.ui.asking import path_of
from collector.ui.pages import cells
from collector.ui.shell import Look
from collector.ui.tables import Cell, Table

_MOST_RELEASES = 12
"""That are asked for: each is a question of its own."""


async def applications(look: Look, services: Sequence[Mapping[str, Any]], caption: str, most: int) -> Table:
    """A row for each instance, those that refused a release first.

    Args:
        services: As the API has them.
        most: Instances of each release that is in force, or has an arm.
    """
    asked = [(one["service"], words["release"]) for one in services for words in one["releases"]]
    pages = await asyncio.gather(
        *(
            look.get(path_of("/v1/releases/{}/acknowledgements", release), limit=most)
            for _, release in asked[:_MOST_RELEASES]
        )
    )
    partial = len(asked) > _MOST_RELEASES or any(page.get("next_cursor") for page in pages)
    found = [
        (service, release, word)
        for (service, release), page in zip(asked, pages, strict=False)
        for word in page["acknowledgements"]
    ]
    rows = tuple(
        (
            cells.service(service),
            Cell(word["instance_id"] or "–", mark="id"),
            cells.release(release),
            cells.state(word["status"]),
            Cell(
                word["error"] or ("it did not say why" if _refused(word) else "–"), mark="bad" if _refused(word) else ""
            ),
            cells.time(word["time_unix_nano"]),
        )
        for service, release, word in sorted(found, key=lambda one: not _refused(one[2]))
    )
    note = "There are more: the pages of services and releases have them." if partial else ""
    columns = ("service", "instance", "release", "said", "reason", "when")
    empty = "No instance has said anything of a release that is in force."
    return Table("applications", caption, columns, rows, empty=empty, note=note)


def _refused(word: Mapping[str, Any]) -> bool:
    return bool(word["status"] == "FAILED")
