"""What is said of Jaeger's query API to who writes a client: the frames of its documents, which are Jaeger's own."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from collector.access.described import Described, Query, json_of

_WHOLE = {"type": "integer", "minimum": 0}


class JaegerFault(BaseModel):
    """What went wrong; 206 where the data are a part."""

    code: int
    msg: str


class JaegerList(BaseModel):
    """The envelope of version 1."""

    data: list[Any] | None
    total: int
    limit: int
    offset: int
    errors: list[JaegerFault] | None


class JaegerServices(BaseModel):
    """The names of services."""

    services: list[str]


class JaegerOperation(BaseModel):
    """An operation and the kind of its spans."""

    name: str
    spanKind: str  # noqa: N815 - Jaeger's name


class JaegerOperations(BaseModel):
    """The operations of a service."""

    operations: list[JaegerOperation]


class OtlpTraces(BaseModel):
    """OTLP's TracesData as JSON."""

    resourceSpans: list[dict[str, Any]]  # noqa: N815 - OTLP's name


class JaegerTraces(BaseModel):
    """Traces as OTLP/JSON."""

    result: OtlpTraces


class JaegerSummaries(BaseModel):
    """Traces in a few numbers."""

    summaries: list[dict[str, Any]]


class JaegerError(BaseModel):
    """Of version 3."""

    httpCode: int  # noqa: N815 - Jaeger's name
    message: str


class JaegerRefusal(BaseModel):
    """Why something was not answered, in version 3."""

    error: JaegerError


_SERVICE = Query("service", "The service's name.")
_FIND = (
    _SERVICE,
    Query("operation", "Name of spans."),
    Query("tags", 'Attributes as a JSON object: `{"key":"value"}`.'),
    Query("tag", "One attribute, `key:value`; may be repeated."),
    Query("start", "Microseconds since 1970.", _WHOLE),
    Query("end", "Microseconds since 1970.", _WHOLE),
    Query("minDuration", "For example `1.2s`, `100ms`."),
    Query("maxDuration", "Likewise."),
    Query("limit", "Traces at most.", _WHOLE),
    Query("traceID", "Traces by their ids, in place of a search; may be repeated."),
)
_FIND_3 = (
    Query("query.serviceName", "The service's name."),
    Query("query.operationName", "Name of spans."),
    Query("query.attributes", 'Attributes as a JSON object: `{"key":"value"}`.'),
    Query("query.startTimeMin", "Needed; RFC 3339."),
    Query("query.startTimeMax", "Needed; RFC 3339."),
    Query("query.durationMin", "For example `1.2s`, `100ms`."),
    Query("query.durationMax", "Likewise."),
    Query("query.searchDepth", "Traces at most.", _WHOLE),
)
_TRUE = {"type": "boolean"}
_KIND = Query("spanKind", "For example `server`.")


def _first(says: str, *query: Query) -> Described:
    return Described(says, json_of(JaegerList), query, refusal=JaegerList)


def _third(says: str, answer: type[BaseModel], *query: Query) -> Described:
    return Described(says, json_of(answer), query, refusal=JaegerRefusal)


DESCRIBED: Mapping[str, Described] = {
    "GET /api/services": _first("The names of services, as Jaeger lists them."),
    "GET /api/services/{service}/operations": _first("The names of a service's operations."),
    "GET /api/operations": _first("The operations of a service with their kinds.", _SERVICE, _KIND),
    "GET /api/traces": _first("Searches traces, in Jaeger's own JSON.", *_FIND),
    "GET /api/traces/{trace_id}": _first("A trace in Jaeger's own JSON.", Query("raw", "As it came.", _TRUE)),
    "GET /api/dependencies": _first(
        "Which service calls which.",
        Query("endTs", "Milliseconds since 1970; now, if it is not there.", _WHOLE),
        Query("lookback", "Milliseconds before it; a day, if it is not there.", _WHOLE),
    ),
    "GET /api/v3/services": _third("The names of services.", JaegerServices),
    "GET /api/v3/operations": _third("The operations of a service.", JaegerOperations, _SERVICE, _KIND),
    "GET /api/v3/traces": _third(
        "Searches traces, as OTLP/JSON.", JaegerTraces, *_FIND_3, Query("query.rawTraces", "As they came.", _TRUE)
    ),
    "GET /api/v3/traces/{trace_id}": _third(
        "A trace as OTLP/JSON.", JaegerTraces, Query("rawTraces", "As it came.", _TRUE)
    ),
    "GET /api/v3/trace-summaries": _third("Searches traces, each in a few numbers.", JaegerSummaries, *_FIND_3),
}
"""By method and path."""
