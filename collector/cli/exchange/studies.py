"""Studies as lines of a file: each one whole, with all that was decided in it, and back into a collector."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collector.cli.client import ApiClient, Refused, quoted
from collector.core.errors import InvalidRequest

KEY = "otelOptoStudy"
"""Of a line that holds a study."""

_STREAM = "study/"
_FORMAT = 1
_EVENT = ("kind", "data", "time_unix_nano", "actor")
_REFUSED = frozenset({400, 409, 413})


def archives(client: ApiClient, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The studies of these names, or all where none is named; each a line.

    Raises:
        Refused: there is no such study.
    """
    for name in names or [str(one["name"]) for one in client.listed("/v1/studies", "studies", trials=0)]:
        client.get(f"/v1/studies/{quoted(name)}", trials=0)
        stream = _STREAM + name
        newest_first = client.each("/v1/audit", "events", stream=stream)
        events = [{key: one[key] for key in _EVENT} for one in newest_first if one["stream"] == stream]
        yield {KEY: {"format": _FORMAT, "name": name, "events": events[::-1]}}


def take(client: ApiClient, line: Mapping[str, Any]) -> bool:
    """Brings one; whether it was new there.

    Raises:
        InvalidRequest: it is no archive that is known here, or the collector does not take it.
    """
    archive = line[KEY]
    if not isinstance(archive, dict) or archive.get("format") != _FORMAT or not isinstance(archive.get("events"), list):
        found = archive.get("format") if isinstance(archive, dict) else type(archive).__name__
        raise InvalidRequest(f"{KEY}: found format {found!r}, allowed is {_FORMAT} with a list of events")
    try:
        return bool(client.post("/v1/archives", {"events": archive["events"]})["new"])
    except Refused as error:
        if error.status not in _REFUSED:
            raise
        raise InvalidRequest(f"study {str(archive.get('name'))[:80]!r}: {error}") from None
