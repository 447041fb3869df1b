"""OTLP/HTTP: protobuf and JSON, plain, gzip and deflate."""

import logging
import zlib
from http import HTTPStatus

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.core.errors import InvalidRequest, TooLarge, Unavailable
from collector.core.protocols import Ingestor
from collector.core.telemetry import Signal
from collector.counters import Counter, Counters
from collector.otlp.json_request import to_protobuf
from collector.receiver.answer import success
from collector.receiver.limits import ReceiverLimits

_LOG = logging.getLogger(__name__)
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
# zlib's window bits: 16 + 15 reads gzip, 15 reads zlib, which is what HTTP calls deflate (RFC 9110, 8.4.1.2).
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
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


class _Unsupported(InvalidRequest):
    """A content type or encoding that is not spoken here."""


def app(ingestor: Ingestor, counters: Counters, limits: ReceiverLimits) -> Starlette:
    """The ASGI application: POST /v1/traces, /v1/logs and /v1/metrics."""
    receiver = _Receiver(ingestor, counters, limits)
    return Starlette(
        routes=[
            Route("/v1/traces", receiver.traces, methods=["POST"]),
            Route("/v1/logs", receiver.logs, methods=["POST"]),
            Route("/v1/metrics", receiver.metrics, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _not_served},
    )


class _Receiver:
    def __init__(self, ingestor: Ingestor, counters: Counters, limits: ReceiverLimits) -> None:
        self._ingestor = ingestor
        self._counters = counters
        self._limits = limits

    async def traces(self, request: Request) -> Response:
        return await self._export(Signal.TRACES, request)

    async def logs(self, request: Request) -> Response:
        return await self._export(Signal.LOGS, request)

    async def metrics(self, request: Request) -> Response:
        """Taken, counted and let go: SDKs that find nobody here would log an error every minute."""
        try:
            await self._body(request)
        except (InvalidRequest, TooLarge) as error:
            return self._refused(request, error)
        self._counters.add(Counter.RECEIVER_IGNORED_METRIC_REQUESTS)
        return Response(b"{}" if _content_type(request) == _JSON else b"", media_type=_content_type(request))

    async def _export(self, signal: Signal, request: Request) -> Response:
        try:
            content_type = _content_type(request)
            if content_type not in (_PROTOBUF, _JSON):
                raise _Unsupported(f"content type: found {content_type!r}, allowed: {_PROTOBUF}, {_JSON}")
            body = await self._body(request)
            if content_type == _JSON:
                body = to_protobuf(signal, body)
            answer = success(signal, await self._ingestor.ingest(signal, body))
        except (InvalidRequest, TooLarge, Unavailable) as error:
            return self._refused(request, error)
        except Exception:  # noqa: BLE001 - our own fault must not cost the sender its data: it tries again
            _LOG.exception("an export request of %s could not be kept", signal.value)
            return self._refused(request, Unavailable("the collector could not keep the request; see its log", 3))
        if content_type == _JSON:
            message = _RESPONSES[signal].FromString(answer)
            return Response(json_format.MessageToJson(message, indent=None), media_type=_JSON)
        return Response(answer, media_type=_PROTOBUF)

    async def _body(self, request: Request) -> bytes:
        """The decompressed body; reading stops at the limit."""
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding != "identity" and encoding not in _WINDOW_BITS:
            raise _Unsupported(f"content encoding: found {encoding!r}, allowed: gzip, deflate, identity")
        inflate = None if encoding == "identity" else zlib.decompressobj(_WINDOW_BITS[encoding])
        limit = self._limits.max_request_bytes
        body, received = bytearray(), 0
        async for chunk in request.stream():
            received += len(chunk)
            try:
                body += chunk if inflate is None else inflate.decompress(chunk, limit + 1 - len(body))
            except zlib.error as error:
                raise InvalidRequest(f"the body is not {encoding}: {error}") from None
            if len(body) > limit:
                raise TooLarge(f"the body is longer than {limit} bytes (decompressed); send smaller batches")
        if inflate is not None and received and not inflate.eof:
            raise InvalidRequest(f"the {encoding} body is cut off")
        return bytes(body)

    def _refused(self, request: Request, error: InvalidRequest | TooLarge | Unavailable) -> Response:
        headers = {}
        if isinstance(error, Unavailable):
            status, counter = HTTPStatus.SERVICE_UNAVAILABLE, Counter.RECEIVER_UNAVAILABLE_REQUESTS
            headers["Retry-After"] = str(error.retry_after_seconds)
        elif isinstance(error, TooLarge):
            status, counter = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Counter.RECEIVER_TOO_LARGE_REQUESTS
        else:
            unsupported = isinstance(error, _Unsupported)
            status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE if unsupported else HTTPStatus.BAD_REQUEST
            counter = Counter.RECEIVER_INVALID_REQUESTS
        self._counters.add(counter)
        return _error(request, status, str(error), headers)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _error(request: Request, status: HTTPStatus, message: str, headers: dict[str, str]) -> Response:
    """A ``google.rpc.Status`` in the request's encoding, as OTLP demands of every 4xx and 5xx."""
    body = status_pb2.Status(code=_CODES.get(status, code_pb2.UNKNOWN), message=message)
    if _content_type(request) == _JSON:
        return Response(json_format.MessageToJson(body, indent=None), status, headers, _JSON)
    return Response(body.SerializeToString(), status, headers, _PROTOBUF)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = f"{request.method} {request.url.path}: {error.detail}; served are POST /v1/traces, /v1/logs, /v1/metrics"
    return _error(request, HTTPStatus(error.status_code), said, dict(error.headers or {}))
