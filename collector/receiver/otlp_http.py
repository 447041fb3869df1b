"""OTLP/HTTP: protobuf and JSON, plain, gzip and deflate. A plain ASGI application: this is the hot path."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.types import Receive, Scope, Send

from collector.access.table import Listed
from collector.access.tokens import Scope as AccessScope
from collector.core.errors import CollectorError, TooLarge, Unavailable
from collector.core.hops import HOP_HEADER, hops_of
from collector.core.protocols import Ingestor
from collector.core.telemetry import Encoding, Signal
from collector.counters import Counter, Counters
from collector.receiver.answer import success
from collector.receiver.faults import answer_to
from collector.receiver.inflate import ENCODINGS, Inflater
from collector.receiver.limits import RESERVATION, Budget, ReceiverLimits, Reservation

_LOG = logging.getLogger(__name__)
_AT_ONCE, _STEP_COST = 2**20, 2**14
"""Bytes that are inflated, or put together, without a break; and what a step costs beside what it gives."""

_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_SIGNALS = {"/v1/traces": Signal.TRACES, "/v1/logs": Signal.LOGS, "/v1/metrics": None}
_RESPONSES: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
}
_CODES = {
    HTTPStatus.BAD_REQUEST: code_pb2.INVALID_ARGUMENT,
    HTTPStatus.NOT_FOUND: code_pb2.UNIMPLEMENTED,
    HTTPStatus.METHOD_NOT_ALLOWED: code_pb2.UNIMPLEMENTED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: code_pb2.RESOURCE_EXHAUSTED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: code_pb2.INVALID_ARGUMENT,
    HTTPStatus.SERVICE_UNAVAILABLE: code_pb2.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


class _Refusal(Exception):
    """The request is not one that is served here."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _SenderGone(Exception):
    """The connection was closed before the request was complete; nobody waits for an answer."""


def listed(scope: Scope) -> Listed | None:
    """What a request needs: all that is served here is telemetry."""
    return Listed(AccessScope.INGEST) if scope["path"] in _SIGNALS else None


class OtlpHttp:
    """The ASGI application: POST /v1/traces, /v1/logs and /v1/metrics.

    The scope has a `Reservation` under `RESERVATION`: for what came of the body it has taken room already.
    """

    def __init__(self, ingestor: Ingestor, counters: Counters, limits: ReceiverLimits, budget: Budget) -> None:
        self._ingestor = ingestor
        self._counters = counters
        self._limits = limits
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        assert scope["type"] == "http"
        headers = _headers(scope["headers"])
        content_type = headers.get("content-type", "").split(";")[0].strip().lower()
        try:
            answer = await self._answer(scope, headers, content_type, receive)
        except _SenderGone:
            return
        media_type = _JSON if content_type == _JSON else _PROTOBUF
        said = {"content-type": media_type, "content-length": str(len(answer.body)), **answer.headers}
        raw = [(name.encode(), value.encode()) for name, value in said.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, headers: Mapping[str, str], content_type: str, receive: Receive) -> _Answer:
        as_json = content_type == _JSON
        try:
            _check_served(scope, headers, content_type)
            with self._budget.reservation(scope[RESERVATION]) as reservation:
                body = await self._body(headers, receive, reservation)
                return _Answer(await self._export(_SIGNALS[scope["path"]], body, headers, as_json=as_json))
        except _Refusal as refusal:
            self._counters.add(Counter.RECEIVER_INVALID_REQUESTS)
            allowed = {"allow": "POST"} if refusal.status is HTTPStatus.METHOD_NOT_ALLOWED else {}
            return _refused(refusal.status, str(refusal), allowed, as_json=as_json)
        except _SenderGone:
            self._counters.add(Counter.RECEIVER_INVALID_REQUESTS)
            raise
        except Exception as error:  # noqa: BLE001 - every fault has an answer
            answer = answer_to(error)
            if answer is not error:
                _LOG.exception("a request to %s could not be kept", scope["path"])
            return self._failed(answer, as_json=as_json)

    async def _body(self, headers: Mapping[str, str], receive: Receive, reservation: Reservation) -> bytes:
        """The decompressed body; reading stops at the limit."""
        limit = self._limits.max_request_bytes
        encoding = headers.get("content-encoding", "identity").strip().lower()
        inflater = Inflater(encoding, limit)
        received = worked = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _SenderGone
            piece = message.get("body", b"")
            received += len(piece)
            if received > limit:
                raise TooLarge(f"the body is longer than {limit} bytes; send smaller batches")
            room = len(piece)  # is reserved already, by who received it
            for grown in inflater.feed(piece):
                reservation.grow(max(0, grown - room))
                room = max(0, room - grown)
                worked += grown + _STEP_COST
                if worked > _AT_ONCE:  # others come in between
                    worked = 0
                    await asyncio.sleep(0)
            if not message.get("more_body", False):
                return await asyncio.to_thread(inflater.body) if reservation.size > _AT_ONCE else inflater.body()

    async def _export(self, signal: Signal | None, body: bytes, headers: Mapping[str, str], *, as_json: bool) -> bytes:
        if signal is None:  # metrics: SDKs that find nobody here would log an error every minute
            self._counters.add(Counter.RECEIVER_IGNORED_METRIC_REQUESTS)
            return b"{}" if as_json else b""
        encoding = Encoding.JSON if as_json else Encoding.PROTOBUF
        result = await self._ingestor.ingest(signal, body, hops_of(headers.get(HOP_HEADER, "")), encoding)
        answer = success(signal, result)
        if not as_json:
            return answer
        return json_format.MessageToJson(_RESPONSES[signal].FromString(answer), indent=None).encode()

    def _failed(self, error: CollectorError, *, as_json: bool) -> _Answer:
        if isinstance(error, Unavailable):
            self._counters.add(Counter.RECEIVER_UNAVAILABLE_REQUESTS)
            hint = {"retry-after": str(error.retry_after_seconds)}
            return _refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error), hint, as_json=as_json)
        if isinstance(error, TooLarge):
            self._counters.add(Counter.RECEIVER_TOO_LARGE_REQUESTS)
            # What is left of the body would be read as the next request.
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error), {"connection": "close"}, as_json=as_json)
        self._counters.add(Counter.RECEIVER_INVALID_REQUESTS)
        return _refused(HTTPStatus.BAD_REQUEST, str(error), {}, as_json=as_json)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}


def _check_served(scope: Scope, headers: Mapping[str, str], content_type: str) -> None:
    method, path = scope["method"], scope["path"]
    if path not in _SIGNALS:
        raise _Refusal(HTTPStatus.NOT_FOUND, f"{method} {path}: not found; served are POST {', '.join(_SIGNALS)}")
    if method != "POST":
        raise _Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} {path}: method not allowed; served is POST {path}")
    if content_type not in (_PROTOBUF, _JSON):
        allowed = f"{_PROTOBUF}, {_JSON}"
        raise _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content type: found {content_type!r}, allowed: {allowed}")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if not Inflater.knows(encoding):
        raise _Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content encoding: found {encoding!r}, allowed: {', '.join(ENCODINGS)}"
        )


def _refused(status: HTTPStatus, message: str, headers: Mapping[str, str], *, as_json: bool) -> _Answer:
    """A ``google.rpc.Status`` in the request's encoding, as OTLP demands of every 4xx and 5xx."""
    body = status_pb2.Status(code=_CODES.get(status, code_pb2.UNKNOWN), message=message)
    written = json_format.MessageToJson(body, indent=None).encode() if as_json else body.SerializeToString()
    return _Answer(written, status, headers)
