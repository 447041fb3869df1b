"""What applications said of releases, as a table."""

import sqlite3

from collector.core.page import Page, PageRequest, cursor, key_of, page_of, text_bytes
from collector.core.release import Acknowledgement, ReleaseStatus
from collector.storage.database import Database


class TableAcknowledgements:
    """See `AcknowledgementStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See `AcknowledgementStore`."""
        await self._database.write(lambda db: _keep(db, acknowledgement))

    async def of(self, release: int, page: PageRequest) -> Page[Acknowledgement]:
        """See `AcknowledgementStore`."""
        return await self._database.read(lambda db: _page(db, release, page))


def _keep(connection: sqlite3.Connection, word: Acknowledgement) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO acknowledgements VALUES (?, ?, ?, ?, ?, ?)",
        (word.release, word.service, word.instance_id, word.status.value, word.error, word.time_unix_nano),
    )


def _page(connection: sqlite3.Connection, number: int, page: PageRequest) -> Page[Acknowledgement]:
    behind = key_of(page.cursor, "acknowledgements", str, str) or ("", "")
    first = "" if page.cursor else " OR 1"
    rows = connection.execute(
        "SELECT service, instance_id, release, status, error, time_unix_nano FROM acknowledgements"  # noqa: S608 - constants
        f" WHERE release = ? AND ((service, instance_id) > (?, ?){first}) ORDER BY service, instance_id LIMIT ?",
        (number, *behind, page.limit + 1),
    )
    return page_of(
        rows,
        page.limit,
        lambda row: Acknowledgement(row[0], row[1], row[2], ReleaseStatus(row[3]), row[4], row[5]),
        lambda row: cursor("acknowledgements", row[0], row[1]),
        text_bytes,
    )
