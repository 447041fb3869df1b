"""Releases and assignments as events of the ledger.

Stream ``releases`` holds every release of the collector; a release's number is its version there. Stream
``assignment/SERVICE`` holds what was in force for a service; an assignment's revision is its version there.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from collector.core.ledger import Change, Event, Json, Recorded
from collector.core.release import Release, ReleasedValue
from otel_opto.assignment import Arm, Assignment, Crossing, Layer

RELEASES = "releases"
SIGNED = "release_signed"
_SIGNATURES = "signature/"
_RELEASED, _ASSIGNED = "released", "assigned"


def assignment_stream(service: str) -> str:
    """Where the assignments of a service are."""
    return f"assignment/{service}"


def released(*releases: Release) -> Change:
    """Adds releases, whose numbers follow each other. Their time is that of the ledger."""
    events = [
        Event(
            _RELEASED,
            {
                "parent": one.parent,
                "reason": one.reason,
                "content": {key: [value.value, value.version] for key, value in one.values.items()},
            },
            one.service,
        )
        for one in releases
    ]
    return Change(RELEASES, releases[0].number - 1, tuple(events))


def release_of(recorded: Recorded) -> Release:
    """The release that an event added."""
    data: Any = recorded.data
    values = {key: ReleasedValue(value, version) for key, (value, version) in data["content"].items()}
    return Release(recorded.version, recorded.subject, values, data["parent"], recorded.time_unix_nano, data["reason"])


def signature_stream(number: int) -> str:
    """Where the signatures of a release are."""
    return f"{_SIGNATURES}{number}"


def number_of(stream: str) -> int:
    """Of the release whose signatures are in the stream."""
    return int(stream.removeprefix(_SIGNATURES))


def signed(release: Release, envelope: str, version: int) -> Change:
    """Adds a signature; the last one counts."""
    event = Event(SIGNED, {"envelope": envelope}, release.service)
    return Change(signature_stream(release.number), version, (event,))


def assigned(assignment: Assignment, reason: str) -> Change:
    """Puts an assignment in force."""
    data: dict[str, Json] = {
        "control": assignment.control,
        "arms": _listed(assignment.arms),
        "salt": assignment.salt,
        "reason": reason,
    }
    if assignment.layers:
        data["layers"] = [[layer.name, layer.salt, _listed(layer.arms)] for layer in assignment.layers]
        data["crossings"] = [[one.release, list(one.of)] for one in assignment.crossings]
    stream = assignment_stream(assignment.service)
    return Change(stream, assignment.revision - 1, (Event(_ASSIGNED, data, assignment.service),))


def assignment_of(recorded: Recorded) -> Assignment:
    """The assignment that an event put in force."""
    data: Any = recorded.data
    layers = tuple(Layer(name, salt, _arms(arms)) for name, salt, arms in data.get("layers", ()))
    crossings = tuple(Crossing(release, tuple(of)) for release, of in data.get("crossings", ()))
    arms = _arms(data["arms"])
    return Assignment(recorded.subject, recorded.version, data["control"], arms, data["salt"], layers, crossings)


def _listed(arms: Iterable[Arm]) -> list[Json]:
    return [[arm.release, arm.start, arm.share] for arm in arms]


def _arms(said: Iterable[Sequence[int]]) -> tuple[Arm, ...]:
    return tuple(Arm(*arm) for arm in said)
