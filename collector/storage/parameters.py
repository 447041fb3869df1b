"""Declared parameters, and what applications said of releases."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from collector.core.page import Page, PageRequest, cursor, key_of, page_of, text_bytes
from collector.core.parameter import check_amount
from collector.core.release import Acknowledgement, ReleaseStatus
from otel_opto.spec import CONSTRAINTS, Constraint, InvalidValue, ParameterSpec, ParameterType

_LOG = logging.getLogger(__name__)


def declare(connection: sqlite3.Connection, service: str, parameters: Sequence[ParameterSpec]) -> None:
    """See `ParameterStore.declare`."""
    connection.executemany(
        "INSERT OR REPLACE INTO parameters VALUES (?, ?, ?)",
        [(service, spec.key, _spec_to_json(spec)) for spec in parameters],
    )
    count, size_bytes = connection.execute(
        "SELECT count(*), coalesce(sum(length(spec)), 0) FROM parameters WHERE service = ?", (service,)
    ).fetchone()
    check_amount(service, count, size_bytes)


def parameters(connection: sqlite3.Connection, service: str) -> Sequence[ParameterSpec]:
    """See `ParameterStore.parameters`."""
    rows = connection.execute("SELECT spec FROM parameters WHERE service = ? ORDER BY key", (service,))
    return [spec for (text,) in rows if (spec := _spec_from_json(text, service))]


def declared(connection: sqlite3.Connection, service: str, page: PageRequest) -> Page[ParameterSpec]:
    """See `ParameterStore.declared`."""
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


def acknowledge(connection: sqlite3.Connection, word: Acknowledgement) -> None:
    """See `ParameterStore.acknowledge`."""
    connection.execute(
        "INSERT OR REPLACE INTO acknowledgements VALUES (?, ?, ?, ?, ?, ?)",
        (word.release, word.service, word.instance_id, word.status.value, word.error, word.time_unix_nano),
    )


def acknowledgements(connection: sqlite3.Connection, number: int, page: PageRequest) -> Page[Acknowledgement]:
    """See `ParameterStore.acknowledgements`."""
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
