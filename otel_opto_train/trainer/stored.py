"""Examples from what a collector has stored: inputs of traces, with what came out and what was said of it."""

import asyncio
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from collector.core.errors import CollectorError
from collector.core.telemetry import TraceQuery
from collector.render.document import graph_document
from otel_opto_train.apart import finished
from otel_opto_train.trainer.bench import Bench
from otel_opto_train.trainer.examples import Example, InvalidDataset

_PAGE = 100
_SECONDS = 90.0
_SHOWN = 500
_NO_GRAPH = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})


@dataclass(frozen=True, slots=True)
class Past:
    """What happened when an example was run before.

    Attributes:
        output: Of the operation.
        score: Of the newest feedback on it that has one; None without.
        label: Of the newest feedback on it.
        text: The same.
    """

    output: Any
    score: float | None = None
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which traces make examples.

    Attributes:
        service: Of the operation; any if empty.
        operation: Whose inputs are the example; the first one that has any if empty.
        metric: Only where feedback of that name is on the operation; any if empty, also none.
        at_least: Only where that feedback has this score or a higher one.
        at_most: The same for a lower one.
        limit: So many examples at most, the newest traces first.
    """

    service: str = ""
    operation: str = ""
    metric: str = ""
    at_least: float = float("-inf")
    at_most: float = float("inf")
    limit: int = 1_000


def stored_examples(
    source: str | Path,
    *,
    service: str = "",
    operation: str = "",
    metric: str = "",
    at_least: float = float("-inf"),
    at_most: float = float("inf"),
    limit: int = 1_000,
) -> list[Example]:
    """Examples of stored traces: the operation's inputs, and a `Past` as what is expected.

    One input is given as it is, several as a mapping by name. Of equal inputs the newest trace counts.

    Args:
        source: The address of a collector's API (``http://127.0.0.1:4319``), or a data directory that no collector runs
            on. A token is read from the environment variable OTEL_OPTO_TOKEN.
        service: See `Wanted`, also for those below.
        operation: See there.
        metric: See there.
        at_least: See there.
        at_most: See there.
        limit: See there.

    Raises:
        InvalidDataset: no trace makes an example.
        OSError: no collector answers at the address, or with an error; says what.
    """
    wanted = Wanted(service, operation, metric, at_least, at_most, limit)
    if not (_is_address(str(source)) or Path(source).is_dir()):
        raise InvalidDataset(f"{source}: no such directory, and no collector's address: http://HOST:PORT")
    found = finished(_collected(str(source), wanted))
    if not found:
        raise InvalidDataset(f"{source}: no stored trace makes an example of {wanted}")
    return found


def _is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


async def _collected(source: str, wanted: Wanted) -> list[Example]:
    documents = _asked(source) if _is_address(source) else _read(Path(source), wanted)
    once: dict[str, Example] = {}
    async with aclosing(documents):
        async for document in documents:
            example = example_of(document, wanted)
            if example is not None:
                once.setdefault(Example(example.input).key, example)
                if len(once) == wanted.limit:
                    break
    return list(once.values())


async def _read(directory: Path, wanted: Wanted) -> AsyncGenerator[Mapping[str, Any], None]:
    """The graphs in a data directory."""
    async with Bench(directory, "", wanted.service) as bench:
        query = TraceQuery(service=wanted.service, operation=wanted.operation, limit=10 * wanted.limit)
        for trace_id in await bench.traces(query):
            try:
                yield graph_document(await bench.graph(trace_id))
            except CollectorError:
                continue  # one trace that makes no graph is no example


async def _asked(address: str) -> AsyncGenerator[Mapping[str, Any], None]:
    """The graphs that a collector has, the newest first."""
    cursor: dict[str, str] = {}
    while True:
        page = await asyncio.to_thread(_get, address, "/v1/traces", {"limit": str(_PAGE), **cursor})
        for trace in page["traces"]:
            document = await asyncio.to_thread(_graph, address, trace["trace_id"])
            if document is not None:
                yield document
        cursor = {"cursor": page.get("next_cursor") or ""}
        if not cursor["cursor"]:
            return


def _graph(address: str, trace_id: str) -> Any:
    """None for a trace that makes no graph, or was removed meanwhile: as of a directory, it is no example."""
    try:
        return _get(address, f"/v1/traces/{trace_id}/graph", {})
    except _Answered as error:
        if error.status in _NO_GRAPH:
            return None
        raise


class _Answered(OSError):
    """A collector's answer is an error; the text is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _get(address: str, path: str, query: Mapping[str, str]) -> Any:
    token = os.environ.get("OTEL_OPTO_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = address.rstrip("/") + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - looked at by who calls
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(_SHOWN).decode(errors="replace").strip()
        raise _Answered(error.code, f"{url} is answered with {error.code} {error.reason}: {said}") from None
    except urllib.error.URLError as error:
        raise OSError(f"no collector answers at {address}: {error.reason}") from None
    except ValueError as error:
        raise OSError(f"{url} is no collector's: {error}; allowed is the address of its API") from None


def example_of(document: Mapping[str, Any], wanted: Wanted) -> Example | None:
    """The example in a trace's graph; None where it is none of what is wanted."""
    judged = _operation(document, wanted)
    if judged is None:
        return None
    inputs = {
        node["name"]: node["value"]
        for node in document["nodes"]
        if node["kind"] == "input" and node["span_id"] == judged["span_id"]
    }
    said = [
        one
        for one in document["feedback"]
        if one["span_id"] in ("", judged["span_id"]) and wanted.metric in ("", one["name"])
    ]
    score = next((one["score"] for one in reversed(said) if one["score"] is not None), None)
    missing = wanted.metric and not said
    if not inputs or missing or not _in_range(score, wanted):
        return None
    last = said[-1] if said else {"label": "", "text": ""}
    (only, *others) = inputs.values()
    return Example(inputs if others else only, Past(judged["value"], score, last["label"], last["text"]))


def _operation(document: Mapping[str, Any], wanted: Wanted) -> Mapping[str, Any] | None:
    """The last one of the wanted name, or the first that something went into."""
    taking = {node["span_id"] for node in document["nodes"] if node["kind"] == "input"}
    found: list[Mapping[str, Any]] = [
        node
        for node in document["nodes"]
        if node["kind"] == "operation"
        and wanted.service in ("", node["service"])
        and (node["name"] == wanted.operation if wanted.operation else node["span_id"] in taking)
    ]
    if not found:
        return None
    return found[-1] if wanted.operation else found[0]


def _in_range(score: float | None, wanted: Wanted) -> bool:
    if score is None:
        return wanted.at_least == float("-inf") and wanted.at_most == float("inf")
    return wanted.at_least <= score <= wanted.at_most
