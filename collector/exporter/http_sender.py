"""Forwarding over OTLP/HTTP with protobuf bodies. One keep-alive connection, used from a thread."""

import asyncio
import gzip
import http.client
import ssl
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError

from collector.core.hops import HOP_HEADER
from collector.core.telemetry import Signal
from collector.exporter.destination import Delivery, Destination, Outcome
from collector.exporter.grpc_sender import partly

_PATHS = {Signal.TRACES: "/v1/traces", Signal.LOGS: "/v1/logs"}
_RETRYABLE = (429, 502, 503, 504)
"""OTLP specification, "Failures" of OTLP/HTTP."""

_MAX_SHOWN = 300


class HttpSender:
    """See `Sender`."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._parts = urlsplit(destination.endpoint)
        self._connection: http.client.HTTPConnection | None = None

    async def send(self, signal: Signal, body: bytes, hops: str) -> Delivery:
        """See `Sender`."""
        return await asyncio.to_thread(self._send, signal, body, hops)

    async def close(self) -> None:
        """See `Sender`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, signal: Signal, body: bytes, hops: str) -> Delivery:
        headers = {"Content-Type": "application/x-protobuf", **self._destination.headers, HOP_HEADER: hops}
        if self._destination.gzip:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        try:
            connection = self._connected()
            connection.request("POST", self._parts.path.rstrip("/") + _PATHS[signal], body, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return Delivery(Outcome.RETRY, message=f"{type(error).__name__}: {error}")
        return _delivery(signal, response, answer)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, timeout = self._parts.hostname or "", self._destination.timeout_seconds
            if self._parts.scheme == "https":
                context = ssl.create_default_context(cafile=self._destination.ca_file)
                port = self._parts.port or 443
                self._connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
            else:
                self._connection = http.client.HTTPConnection(host, self._parts.port or 4318, timeout=timeout)
        return self._connection


def _delivery(signal: Signal, response: http.client.HTTPResponse, answer: bytes) -> Delivery:
    if response.status == 200:
        try:
            return Delivery(Outcome.TAKEN, *partly(signal, answer))
        except DecodeError:  # taken is taken, whatever was said of it
            return Delivery(Outcome.TAKEN)
    message = f"HTTP {response.status}: {answer[:_MAX_SHOWN]!r}"
    if response.status not in _RETRYABLE:
        return Delivery(Outcome.REFUSED, message=message)
    return Delivery(Outcome.RETRY, message=message, retry_after_seconds=_hint(response))


def _hint(response: http.client.HTTPResponse) -> float | None:
    """``Retry-After``: seconds, or a date (RFC 9110, 10.2.3)."""
    said = response.headers.get("Retry-After", "")
    if said.isdecimal():
        return float(said)
    try:
        until, now = parsedate_to_datetime(said), parsedate_to_datetime(response.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max((until - now).total_seconds(), 0.0)
