"""Studies that were measured elsewhere: what of their events is taken in, and when two archives are the same.

What another collector numbered means nothing here: releases of an archive have the number 0, and what they were
stands beside (``release_there``). Such a study has ended, whatever it was there; it can be looked at and compared, and
no more.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.core.errors import AlreadyExists, InvalidRequest, Outdated
from collector.core.ledger import Change, Event, Json, Ledger, Recorded
from collector.core.study import StudyRecord, StudyState
from collector.study import history

_IMPORTED = "study_imported"
_AT, _BY, _THERE = "at_unix_nano", "by", "release_there"
_ENDED_HERE = "it had not ended where it was exported"


@dataclass(frozen=True, slots=True)
class Told:
    """One event as an archive has it: of the ledger of another collector, with its time there and who did it."""

    kind: str
    data: Mapping[str, Any]
    time_unix_nano: int
    actor: str = ""


class Archive:
    """Takes studies in.

    Args:
        ledger: Where they are kept.
        look: Shows a record as it will be shown; what it cannot show is not taken in.
    """

    def __init__(self, ledger: Ledger, look: Callable[[StudyRecord], object]) -> None:
        self._ledger = ledger
        self._look = look

    async def take(self, told: Sequence[Told], actor: str) -> tuple[StudyRecord, bool]:
        """A study in full, in one append; and whether it is new here. Says so where the same was there already.

        Raises:
            InvalidRequest: the events are not those of a study.
            AlreadyExists: a study of that name has other events.
        """
        originals = await asyncio.to_thread(_originals, told)
        kept = await asyncio.to_thread(_kept, originals)
        record = await asyncio.to_thread(_record, kept, self._look)
        stream = history.study_stream(record.study.name)
        there = await self._ledger.read(stream)
        if not there:
            imported = Event(_IMPORTED, {"content": await asyncio.to_thread(_hash, originals)}, record.study.service)
            try:
                await self._ledger.append([Change(stream, 0, (*kept, imported))], actor)
            except Outdated:
                there = await self._ledger.read(stream)
            else:
                return record, True
        if not await asyncio.to_thread(_holds, there, originals):
            raise AlreadyExists(
                f"study {record.study.name!r} is there already, with other events; nothing of the archive was taken in"
            )
        return record, False


def _holds(there: Sequence[Recorded], originals: Sequence[Told]) -> bool:
    """Whether what is here is what comes: it was imported or began here, and may have gone on here since."""
    told = [Told(one.kind, one.data, one.time_unix_nano, one.actor) for one in there]
    known = list(map(_original, _without_import(told)))
    return _hash(known[: len(originals)]) == _hash(originals)


def _without_import(told: Sequence[Told]) -> Sequence[Told]:
    """An archive of an archive is that archive."""
    if not told or told[-1].kind != _IMPORTED:
        return told
    concluded = told[-2:-1]
    added = concluded and concluded[0].data.get("message") == _ENDED_HERE
    return told[: -2 if added else -1]


def _original(one: Told) -> Told:
    """As it was where it happened."""
    there = one.data.get(_THERE, {})
    data = {**{key: value for key, value in one.data.items() if key not in (_AT, _BY, _THERE)}, **there}
    return Told(one.kind, data, one.data.get(_AT, one.time_unix_nano), one.data.get(_BY, one.actor))


def _hash(told: Sequence[Told]) -> str:
    content = [[one.kind, one.data, one.time_unix_nano] for one in told]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _originals(told: Sequence[Told]) -> Sequence[Told]:
    """The events as they were where they happened. Raises `InvalidRequest`."""
    if not told or told[0].kind != history.CREATED:
        found = told[0].kind if told else "nothing"
        raise InvalidRequest(f"events: found {found!r} first, allowed is {history.CREATED!r}: an archive is whole")
    try:
        return list(map(_original, _without_import(told)))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidRequest(f"events: they are not those of a study: {error!r}") from None


def _kept(originals: Sequence[Told]) -> Sequence[Event]:
    """The events to append. Raises `InvalidRequest`."""
    try:
        service = str(originals[0].data["service"])
        events = [Event(one.kind, _mapped(one), service) for one in originals]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidRequest(f"events: they are not those of a study: {error!r}") from None
    unknown = sorted({one.kind for one in events} - history.KINDS)
    if unknown:
        raise InvalidRequest(
            f"events: found {', '.join(unknown)[:200]}; allowed are {', '.join(sorted(history.KINDS))}"
        )
    if not any(one.kind in history.ENDS for one in events):
        ended = {"state": StudyState.STOPPED.value, "message": _ENDED_HERE}
        events.append(Event(next(iter(history.ENDS)), ended, service))
    return events


def _mapped(one: Told) -> dict[str, Json]:
    """The event's data as it is kept here."""
    data: dict[str, Any] = {**one.data, _AT: int(one.time_unix_nano), _BY: one.actor}
    there: dict[str, Json] = {}
    if "release" in data:
        there["release"], data["release"] = data["release"], 0
    if isinstance(data.get("releases"), dict):
        there["releases"], data["releases"] = data["releases"], dict.fromkeys(data["releases"], 0)
    return {**data, _THERE: there} if there else data


def _record(events: Sequence[Event], look: Callable[[StudyRecord], object]) -> StudyRecord:
    """What the events make, looked at as closely as what is asked for over the API."""
    recorded = [
        Recorded(number, "", number, one.kind, dict(one.data), one.subject, "", 0)
        for number, one in enumerate(events, 1)
    ]
    try:
        record = history.record(None, recorded)
        assert record is not None  # there is one event at least
        faults = [*record.study.faults(), *_wrong(record)]
        if not faults:
            look(record)
    except ValueError as error:
        raise InvalidRequest(f"events: they are not those of a study: {error}") from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InvalidRequest(f"events: they are not those of a study: {error!r}") from None
    if faults:
        raise InvalidRequest(f"events: {'; '.join(faults[:5])}")
    return record


def _wrong(record: StudyRecord) -> list[str]:
    faults = [
        f"trial {trial.number} stands at place {place}"
        for place, trial in enumerate(record.trials)
        if trial.number != place
    ]
    faults += [f"window {one.number} stands at {at}" for at, one in enumerate(record.windows, 1) if one.number != at]
    return faults
