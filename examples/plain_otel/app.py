"""An application without otel_opto: OpenTelemetry's own SDK, values over plain HTTP. It tells high numbers from low.

python examples/plain_otel/app.py --api http://127.0.0.1:4319 --endpoint http://127.0.0.1:4317 --rounds 20
"""

import argparse
import json
import random
import urllib.request
from time import time_ns
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import Logger, LogRecord
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

EVENT = "gen_ai.evaluation.result"
THRESHOLD = {"key": "threshold", "type": "float", "default": 0.9, "minimum": 0, "maximum": 1, "description": "is high"}


def call(method: str, url: str, document: object = None, etag: str = "") -> tuple[Any, str]:
    """The answer and its ETag; None where the server says that nothing has changed."""
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"If-None-Match": etag}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer), answer.headers.get("ETag", "")
    except urllib.request.HTTPError as error:
        if error.code == 304:
            return None, etag
        raise


def guess(tracer: trace.Tracer, logger: Logger, number: float, release: Any) -> None:
    """One traced call: measure, decide, and the judgement on it."""
    used = release["parameters"].get("threshold") or {"value": THRESHOLD["default"], "version": None}
    named = {"opto.release": release["release"]} if release["release"] else {}
    with tracer.start_as_current_span("guess", attributes={"opto.input.x": json.dumps(number), **named}) as root:
        measured = tracer.start_span("measure", attributes={"opto.output": json.dumps(number)})
        measured.end()
        link = trace.Link(measured.get_span_context(), {"opto.arg": "measured"})
        with tracer.start_as_current_span("decide", links=[link]) as decided:
            known = ("version", "hash") if used["version"] else ("value",)
            decided.set_attributes({f"opto.param.threshold.{name}": used[name] for name in known})
            said = number > used["value"]
            decided.set_attribute("opto.output", json.dumps(said))
        root.set_attribute("opto.output", json.dumps(said))
    values: dict[str, str | float] = {
        "gen_ai.evaluation.name": "right",
        "gen_ai.evaluation.score.value": float(said == (number > 0.5)),
        "gen_ai.evaluation.explanation": f"{number:.2f} was called {'high' if said else 'low'}",
    }
    judged = trace.set_span_in_context(root)
    logger.emit(LogRecord(timestamp=time_ns(), context=judged, event_name=EVENT, attributes=values))


parser = argparse.ArgumentParser()
for option, address in (("--api", "http://127.0.0.1:4319"), ("--endpoint", "http://127.0.0.1:4317")):
    parser.add_argument(option, default=address)
parser.add_argument("--rounds", type=int, default=20)
arguments = parser.parse_args()
resource = Resource.create({"service.name": "plain"})
traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(arguments.endpoint, insecure=True)))
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(arguments.endpoint, insecure=True)))
service, in_force, tag = f"{arguments.api}/v1/services/plain", None, ""
call("PUT", f"{service}/parameters", {"parameters": [THRESHOLD]})
for round_number in range(arguments.rounds):
    changed, tag = call("GET", f"{service}/release", etag=tag)
    in_force = changed or in_force
    guess(traces.get_tracer("plain"), logs.get_logger("plain"), random.Random(round_number).random(), in_force)
traces.shutdown()
logs.shutdown()
