"""JSON over HTTP between processes, with plain OpenTelemetry on either side."""

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry import propagate, trace

_TIMEOUT_SECONDS = 60.0
_TRACER = trace.get_tracer("two_services")

Respond = Callable[[Mapping[str, Any]], Mapping[str, object]]


class Server(ThreadingHTTPServer):
    """Answers POST with what `respond` makes of the document, in a span of its caller's trace."""

    daemon_threads = True

    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond = respond


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        came = propagate.extract({name.lower(): value for name, value in self.headers.items()})
        with _TRACER.start_as_current_span("POST", context=came, kind=trace.SpanKind.SERVER):
            body = json.dumps(self.server.respond(asked), ensure_ascii=False).encode()
        self.send_response(http.client.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet: the traces tell what was asked."""


class Caller:
    """Asks a server, over one connection for each thread."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._local = threading.local()

    def ask(self, document: Mapping[str, object]) -> Mapping[str, Any]:
        """The decoded answer.

        Raises:
            OSError, http.client.HTTPException: nobody answers.
        """
        with _TRACER.start_as_current_span("POST", kind=trace.SpanKind.CLIENT):
            headers = {"Content-Type": "application/json"}
            propagate.inject(headers)
            connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_SECONDS)
                self._local.connection = connection
            try:
                connection.request("POST", "/", json.dumps(document), headers)
                found: Mapping[str, Any] = json.loads(connection.getresponse().read())
            except BaseException:
                self.close()
                raise
            return found

    def close(self) -> None:
        """This thread's connection."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
