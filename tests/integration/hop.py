"""A service of a chain, in a process of its own: reads its parameter, calls the next one, reads it again.

``python hop.py SERVICE COLLECTOR [NEXT]`` prints its address; GET / answers what each service of the chain read.
"""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import propagate, trace

import otel_opto

SERVICE, COLLECTOR, *NEXT = sys.argv[1:]
otel_opto.configure(service_name=SERVICE, endpoint=COLLECTOR, wait_seconds=10.0)
k = otel_opto.parameter("k", default=0)
tracer = trace.get_tracer("hop")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        came = propagate.extract({name.lower(): value for name, value in self.headers.items()})
        with tracer.start_as_current_span("GET /", context=came, kind=trace.SpanKind.SERVER) as span:
            reads = [k.value]
            behind = _call(NEXT[0]) if NEXT else []
            reads.append(k.value)
            said = {"service": SERVICE, "reads": reads, "trace": f"{span.get_span_context().trace_id:032x}"}
        body = json.dumps([said, *behind]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _call(address: str) -> list[object]:
    headers: dict[str, str] = {}
    propagate.inject(headers)
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
        found: list[object] = json.loads(answer.read())
        return found


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
sys.stdout.flush()
server.serve_forever()
