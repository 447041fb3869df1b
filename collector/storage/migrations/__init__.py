"""The schema of the control database, taken forward by numbered steps that are never changed once they were released.

A step is a file ``NNNN_what_it_does.sql`` in this folder; its number is the schema version (``PRAGMA user_version``)
that it leads to. An empty database (version 0) takes every step. Version 1 kept spans in tables and was never released.
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from collector.core.errors import ConfigError

RECALLED = "recalled"
"""The row of the table ``marks`` that says up to which position lost feedback was looked for once more: there as long
as that is not done."""

_FILE = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step forward.

    Attributes:
        version: Of the schema behind it.
        sql: What is run, without a transaction of its own.
    """

    version: int
    sql: str


def migrations() -> Sequence[Migration]:
    """All steps, by version."""
    named = [(_FILE.fullmatch(file.name), file) for file in files(__name__).iterdir()]
    steps = [Migration(int(match[1]), file.read_text(encoding="utf-8")) for match, file in named if match]
    return sorted(steps, key=lambda step: step.version)


def migrate(connection: sqlite3.Connection, steps: Sequence[Migration]) -> None:
    """Takes a database to the version of the last step, in one transaction: all steps that it lacks, or none.

    Args:
        connection: In autocommit mode, without a transaction under way.
        steps: By version; the first is for an empty database.

    Raises:
        ConfigError: the database's version is newer than the last step, or older than any that can be taken forward.
        sqlite3.Error: a step failed; the database is as it was.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    first, last = steps[0].version, steps[-1].version
    if version != 0 and not first <= version <= last:
        fault = (
            f"the database has schema version {version}, this otel-opto knows {first} to {last}; "
            "use the version of otel-opto that wrote it, or another directory"
        )
        raise ConfigError([fault])
    missing = [step for step in steps if step.version > version]
    if not missing:
        return
    script = "".join(f"{step.sql}\nPRAGMA user_version = {step.version};\n" for step in missing)
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}COMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
