"""Studies, their trials and the proposals that were rejected."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from collector.core.errors import AlreadyExists, Conflict
from collector.core.release import Release, ReleaseDraft
from collector.core.study import (
    Cost,
    Direction,
    Proposal,
    Reach,
    RejectedProposal,
    Study,
    StudyRecord,
    StudyState,
    Trial,
)
from collector.storage import releases


def create(connection: sqlite3.Connection, study: Study) -> StudyRecord:
    """See `StudyStore.create_study`."""
    definition = json.dumps({**asdict(study), "direction": study.direction.value, "reach": study.reach.value})
    try:
        connection.execute(
            "INSERT INTO studies (name, definition, state, message) VALUES (?, ?, ?, '')",
            (study.name, definition, StudyState.RUNNING.value),
        )
    except sqlite3.IntegrityError:
        raise AlreadyExists(f"study {study.name!r} is there already; choose another name") from None
    return StudyRecord(study, StudyState.RUNNING, "")


def study(connection: sqlite3.Connection, name: str) -> StudyRecord | None:
    """See `StudyStore.study`."""
    row = connection.execute("SELECT definition, state, message FROM studies WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    definition, state, message = row
    return StudyRecord(
        study=_study(json.loads(definition)),
        state=StudyState(state),
        message=message,
        trials=_trials(connection, name),
        rejected=_rejected(connection, name),
    )


def studies(connection: sqlite3.Connection) -> Sequence[StudyRecord]:
    """See `StudyStore.studies`."""
    names = connection.execute("SELECT name FROM studies ORDER BY sequence").fetchall()
    return [record for (name,) in names if (record := study(connection, name))]


def conclude(connection: sqlite3.Connection, name: str, state: StudyState, message: str) -> bool:
    """Closes a running study; False if it is not running."""
    return bool(
        connection.execute(
            "UPDATE studies SET state = ?, message = ? WHERE name = ? AND state = 'running'",
            (state.value, message, name),
        ).rowcount
    )


def open_trial(
    connection: sqlite3.Connection,
    name: str,
    proposal: Proposal,
    draft: ReleaseDraft,
    keys: Sequence[str],
    now_unix_nano: int,
) -> Release:
    """See `StudyStore.open_trial`."""
    record = study(connection, name)
    if record is None or record.state is not StudyState.RUNNING or record.running_trial() is not None:
        raise Conflict(f"study {name!r} cannot begin a trial now: it is not running, or a trial is under way")
    release = releases.publish(connection, draft, now_unix_nano)
    values = {key: release.values[key].value for key in keys}
    connection.execute(
        "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, NULL, 0)",
        (
            name,
            len(record.trials),
            release.number,
            json.dumps(values),
            proposal.reasoning,
            json.dumps(asdict(proposal.cost)),
        ),
    )
    return release


def complete_trial(connection: sqlite3.Connection, name: str, number: int, score: float, feedback_count: int) -> None:
    """See `StudyStore.complete_trial`."""
    connection.execute(
        "UPDATE trials SET score = ?, feedback_count = ? WHERE study = ? AND number = ? AND score IS NULL",
        (score, feedback_count, name, number),
    )


def reject(connection: sqlite3.Connection, name: str, rejected: RejectedProposal) -> None:
    """See `StudyStore.reject_proposal`."""
    connection.execute(
        "INSERT INTO rejected_proposals (study, trial, content, errors) VALUES (?, ?, ?, ?)",
        (name, rejected.trial, json.dumps(asdict(rejected.proposal), default=str), json.dumps(rejected.errors)),
    )


def _study(definition: dict[str, Any]) -> Study:
    direction, parameters = Direction(definition.pop("direction")), tuple(definition.pop("parameters"))
    reach = Reach(definition.pop("reach", Reach.TRACE.value))
    return Study(**definition, direction=direction, parameters=parameters, reach=reach)


def _trials(connection: sqlite3.Connection, name: str) -> tuple[Trial, ...]:
    rows = connection.execute(
        "SELECT number, release, content, reasoning, cost, score, feedback_count FROM trials"
        " WHERE study = ? ORDER BY number",
        (name,),
    )
    return tuple(
        Trial(number, release, json.loads(content), reasoning, _cost(json.loads(cost)), score, count)
        for number, release, content, reasoning, cost, score, count in rows
    )


def _rejected(connection: sqlite3.Connection, name: str) -> tuple[RejectedProposal, ...]:
    rows = connection.execute(
        "SELECT trial, content, errors FROM rejected_proposals WHERE study = ? ORDER BY sequence", (name,)
    )
    return tuple(
        RejectedProposal(_proposal(json.loads(content)), tuple(json.loads(errors)), trial)
        for trial, content, errors in rows
    )


def _proposal(document: Mapping[str, Any]) -> Proposal:
    return Proposal(document["values"], document["reasoning"], _cost(document["cost"]))


def _cost(document: Mapping[str, Any]) -> Cost:
    return Cost(**document)
