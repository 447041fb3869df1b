"""Declared parameters, releases, acknowledgements."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from collector.core.release import (
    Acknowledgement,
    Release,
    ReleaseDraft,
    ReleasedValue,
    ReleaseStatus,
    number_release,
)
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType

_LOG = logging.getLogger(__name__)

_COLUMNS = "number, service, parent, created_unix_nano, reason, content"


def declare(connection: sqlite3.Connection, service: str, parameters: Sequence[ParameterSpec]) -> None:
    """See `ReleaseStore.declare`."""
    connection.executemany(
        "INSERT OR REPLACE INTO parameters VALUES (?, ?, ?)",
        [(service, spec.key, _spec_to_json(spec)) for spec in parameters],
    )


def parameters(connection: sqlite3.Connection, service: str) -> Sequence[ParameterSpec]:
    """See `ReleaseStore.parameters`."""
    rows = connection.execute("SELECT spec FROM parameters WHERE service = ? ORDER BY key", (service,))
    return [spec for (text,) in rows if (spec := _spec_from_json(text, service))]


def publish(connection: sqlite3.Connection, draft: ReleaseDraft, now_unix_nano: int) -> Release:
    """See `ReleaseStore.publish`."""
    parent = current_release(connection, draft.service)
    cursor = connection.execute(
        "INSERT INTO releases (service, parent, created_unix_nano, reason, content) VALUES (?, ?, ?, ?, '')",
        (draft.service, parent.number if parent else None, now_unix_nano, draft.reason),
    )
    assert cursor.lastrowid is not None
    release = number_release(draft, cursor.lastrowid, parent, now_unix_nano)
    content = json.dumps({key: [released.value, released.version] for key, released in release.values.items()})
    connection.execute("UPDATE releases SET content = ? WHERE number = ?", (content, release.number))
    return release


def release(connection: sqlite3.Connection, number: int) -> Release | None:
    """See `ReleaseStore.release`."""
    if not 0 < number < 2**63:
        return None
    row = connection.execute(f"SELECT {_COLUMNS} FROM releases WHERE number = ?", (number,)).fetchone()  # noqa: S608
    return _release(row) if row else None


def current_release(connection: sqlite3.Connection, service: str) -> Release | None:
    """See `ReleaseStore.current_release`."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM releases WHERE service = ? ORDER BY number DESC LIMIT 1",  # noqa: S608 - a constant
        (service,),
    ).fetchone()
    return _release(row) if row else None


def releases(connection: sqlite3.Connection, service: str) -> Sequence[Release]:
    """See `ReleaseStore.releases`."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM releases WHERE ? IN ('', service) ORDER BY number DESC",  # noqa: S608 - a constant
        (service,),
    )
    return [_release(row) for row in rows]


def acknowledge(connection: sqlite3.Connection, word: Acknowledgement) -> None:
    """See `ReleaseStore.acknowledge`."""
    connection.execute(
        "INSERT OR REPLACE INTO acknowledgements VALUES (?, ?, ?, ?, ?, ?)",
        (word.release, word.service, word.instance_id, word.status.value, word.error, word.time_unix_nano),
    )


def acknowledgements(connection: sqlite3.Connection, number: int) -> Sequence[Acknowledgement]:
    """See `ReleaseStore.acknowledgements`."""
    rows = connection.execute(
        "SELECT service, instance_id, release, status, error, time_unix_nano FROM acknowledgements"
        " WHERE release = ? ORDER BY service, instance_id",
        (number,),
    )
    return [
        Acknowledgement(service, instance_id, of_release, ReleaseStatus(status), error, time)
        for service, instance_id, of_release, status, error, time in rows
    ]


def _release(row: tuple[int, str, int | None, int, str, str]) -> Release:
    number, service, parent, created, reason, content = row
    values = {key: ReleasedValue(value, version) for key, (value, version) in json.loads(content).items()}
    return Release(number, service, values, parent, created, reason)


def _spec_to_json(spec: ParameterSpec) -> str:
    limits = {name: getattr(spec.constraint, name) for name in Constraint.__dataclass_fields__}
    return json.dumps(
        {
            "key": spec.key,
            "type": spec.type.value,
            "default": spec.default,
            "constraint": limits,
            "description": spec.description,
            "trainable": spec.trainable,
        }
    )


def _spec_from_json(text: str, service: str) -> ParameterSpec | None:
    """None for one that an earlier version took and that contradicts itself now."""
    document = json.loads(text)
    limits: dict[str, Any] = {
        name: tuple(limit) if isinstance(limit, list) else limit for name, limit in document["constraint"].items()
    }
    try:
        return ParameterSpec(
            key=document["key"],
            type=ParameterType(document["type"]),
            default=document["default"],
            constraint=Constraint(**limits),
            description=document["description"],
            trainable=document["trainable"],
        )
    except InvalidValue as error:
        _LOG.warning("service %s: a stored parameter counts as not declared, mend it in the code: %s", service, error)
        return None
