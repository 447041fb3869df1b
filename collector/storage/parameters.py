"""Declared parameters, and what applications said of releases."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from collector.core.parameter import check_amount
from collector.core.release import Acknowledgement, ReleaseStatus
from otel_opto.spec import Constraint, InvalidValue, ParameterSpec, ParameterType

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


def acknowledge(connection: sqlite3.Connection, word: Acknowledgement) -> None:
    """See `ParameterStore.acknowledge`."""
    connection.execute(
        "INSERT OR REPLACE INTO acknowledgements VALUES (?, ?, ?, ?, ?, ?)",
        (word.release, word.service, word.instance_id, word.status.value, word.error, word.time_unix_nano),
    )


def acknowledgements(connection: sqlite3.Connection, number: int) -> Sequence[Acknowledgement]:
    """See `ParameterStore.acknowledgements`."""
    rows = connection.execute(
        "SELECT service, instance_id, release, status, error, time_unix_nano FROM acknowledgements"
        " WHERE release = ? ORDER BY service, instance_id",
        (number,),
    )
    return [
        Acknowledgement(service, instance_id, of_release, ReleaseStatus(status), error, time)
        for service, instance_id, of_release, status, error, time in rows
    ]


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
