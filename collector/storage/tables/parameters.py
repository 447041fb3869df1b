"""Declared parameters as a table."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from collector.core.page import Page, PageRequest, cursor, key_of, page_of
from collector.core.parameter import check_amount
from collector.storage.database import Database
from otel_opto.spec import CONSTRAINTS, Constraint, InvalidValue, ParameterSpec, ParameterType

_LOG = logging.getLogger(__name__)


class TableParameters:
    """See `ParameterStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def declare(self, service: str, parameters: Sequence[ParameterSpec]) -> None:
        """See `ParameterStore`."""
        await self._database.write(lambda db: _declare(db, service, parameters))

    async def of(self, service: str) -> Sequence[ParameterSpec]:
        """See `ParameterStore`."""
        return await self._database.read(lambda db: _all(db, service))

    async def declared(self, service: str, page: PageRequest) -> Page[ParameterSpec]:
        """See `ParameterStore`."""
        return await self._database.read(lambda db: _page(db, service, page))


def _declare(connection: sqlite3.Connection, service: str, parameters: Sequence[ParameterSpec]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO parameters VALUES (?, ?, ?)",
        [(service, spec.key, _spec_to_json(spec)) for spec in parameters],
    )
    count, size_bytes = connection.execute(
        "SELECT count(*), coalesce(sum(length(spec)), 0) FROM parameters WHERE service = ?", (service,)
    ).fetchone()
    check_amount(service, count, size_bytes)


def _all(connection: sqlite3.Connection, service: str) -> Sequence[ParameterSpec]:
    rows = connection.execute("SELECT spec FROM parameters WHERE service = ? ORDER BY key", (service,))
    return [spec for (text,) in rows if (spec := _spec_from_json(text, service))]


def _page(connection: sqlite3.Connection, service: str, page: PageRequest) -> Page[ParameterSpec]:
    (behind,) = key_of(page.cursor, "parameters", str) or ("",)
    rows = connection.execute(
        "SELECT key, spec FROM parameters WHERE service = ? AND key > ? ORDER BY key", (service, behind)
    )
    read = ((key, text, _spec_from_json(text, service)) for key, text in rows)
    return page_of(
        ((key, text, spec) for key, text, spec in read if spec),
        page.limit,
        lambda row: row[2],
        lambda row: cursor("parameters", row[0]),
        lambda row: len(row[1]),
    )


def _spec_to_json(spec: ParameterSpec) -> str:
    limits = {name: getattr(spec.constraint, name) for name in CONSTRAINTS}
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
    """None for one that an earlier version took and that contradicts itself now, or that is damaged."""
    try:
        document = json.loads(text)
        limits: dict[str, Any] = {
            name: tuple(limit) if isinstance(limit, list) else limit for name, limit in document["constraint"].items()
        }
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
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        _LOG.error("service %s: a stored parameter is damaged and counts as not declared: %r", service, error)
    return None
