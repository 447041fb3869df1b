"""The parameters of Jaeger's query API, versions 1 and 3, as they come in a URL."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.datastructures import QueryParams

from collector.core.errors import InvalidRequest
from collector.core.telemetry import TraceQuery
from collector.core.times import LATEST

_DEFAULT_LIMIT, _MOST = 100, 1_500
_LONGEST_DURATION = 64
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def query_v1(parameters: QueryParams) -> TraceQuery:
    """``/api/traces``: times in microseconds, durations in Go's syntax, ``tag=key:value`` and ``tags={json}``.

    Raises:
        InvalidRequest: naming the parameter, what was found and what is allowed.
    """
    return TraceQuery(
        service=parameters.get("service", ""),
        operation=parameters.get("operation", ""),
        attributes=_tags(parameters),
        start_min_unix_nano=_whole(parameters, "start", 0) * 1_000,
        start_max_unix_nano=min(_whole(parameters, "end", LATEST) * 1_000, LATEST),
        duration_min_nano=duration(parameters.get("minDuration", ""), "minDuration") or 0,
        duration_max_nano=duration(parameters.get("maxDuration", ""), "maxDuration"),
        limit=min(_whole(parameters, "limit", _DEFAULT_LIMIT) or _DEFAULT_LIMIT, _MOST),
    )


def query_v3(parameters: QueryParams) -> TraceQuery:
    """``/api/v3/traces``: ``query.serviceName`` and so on, in camelCase or (deprecated) snake_case. Raises as above."""

    def given(camel: str, *snake: str) -> str:
        names = (camel, *snake)
        return next((parameters[f"query.{name}"] for name in names if f"query.{name}" in parameters), "")

    depth = given("searchDepth", "search_depth", "num_traces", "numTraces")
    if depth and (not depth.isdecimal() or len(depth) > 19):
        raise InvalidRequest(f"query.searchDepth: found {depth!r}, allowed is a whole number")
    earliest, latest = given("startTimeMin", "start_time_min"), given("startTimeMax", "start_time_max")
    for name, text in (("startTimeMin", earliest), ("startTimeMax", latest)):
        if not text:
            raise InvalidRequest(f"query.{name}: is missing, needed is a time such as 2026-01-31T00:00:00Z")
    return TraceQuery(
        service=given("serviceName", "service_name"),
        operation=given("operationName", "operation_name"),
        attributes=_json_map(given("attributes"), "query.attributes"),
        start_min_unix_nano=moment(earliest, "query.startTimeMin"),
        start_max_unix_nano=moment(latest, "query.startTimeMax"),
        duration_min_nano=duration(given("durationMin", "duration_min"), "query.durationMin") or 0,
        duration_max_nano=duration(given("durationMax", "duration_max"), "query.durationMax"),
        limit=min(int(depth or 0) or _DEFAULT_LIMIT, _MOST),
    )


def duration(text: str, name: str) -> int | None:
    """Nanoseconds of ``1.2s``, ``100ms``, ``1h30m``; None for an empty text."""
    if not text:
        return None
    parts = _DURATION.findall(text) if len(text) <= _LONGEST_DURATION else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise InvalidRequest(f"{name}: found {text!r}, allowed is a duration such as 1.2s, 100ms, 500us")
    return min(sum(int(float(number) * _UNITS[unit]) for number, unit in parts), LATEST)


def moment(text: str, name: str) -> int:
    """Unix nanoseconds of an RFC 3339 time, nanoseconds included."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", text)
    try:
        if match is None:
            raise ValueError
        at = datetime.fromisoformat(match[1].upper() + match[3].upper().replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        raise InvalidRequest(f"{name}: found {text!r}, allowed is a time such as 2026-01-31T00:00:00Z") from None
    fraction = int((match[2] or ".0")[1:].ljust(9, "0"))
    return int(at.timestamp()) * 10**9 + fraction


def _whole(parameters: QueryParams, name: str, default: int) -> int:
    text = parameters.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 19:
        raise InvalidRequest(f"{name}: found {text!r}, allowed is a whole number")
    return int(text)


def _tags(parameters: QueryParams) -> Mapping[str, str]:
    tags: dict[str, str] = {}
    for text in parameters.getlist("tag"):
        key, colon, value = text.partition(":")
        if not key or not colon:
            raise InvalidRequest(f"tag: found {text!r}, allowed is key:value")
        tags[key] = value
    for text in parameters.getlist("tags"):
        tags.update(_json_map(text, "tags"))
    return tags


def _json_map(text: str, name: str) -> Mapping[str, str]:
    if not text:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f'{name}: found {text!r}, allowed is a JSON object such as {{"key":"value"}}: {error}'
        ) from None
    if not isinstance(document, dict):
        raise InvalidRequest(f'{name}: found {text!r}, allowed is a JSON object such as {{"key":"value"}}')
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in document.items()}
