"""An application without otel_opto: the plain OpenTelemetry SDK, OTLP, and values over plain HTTP.

It guesses which numbers are high; what "high" means is a parameter of type float.

    python examples/plain_otel/app.py --api http://127.0.0.1:4319 --endpoint http://127.0.0.1:4317 --rounds 20
"""

import argparse
import json
import random
import time
import urllib.request
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link

SERVICE = "plain"
PARAMETER = {"key": "threshold", "type": "float", "default": 0.9, "minimum": 0, "maximum": 1}


def call(api: str, method: str, path: str, document: object = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(f"{api}/v1/services/{SERVICE}/{path}", body, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def guess(tracer: trace.Tracer, logs: LoggerProvider, number: float, release: Any) -> None:
    """One traced call: measure, decide, and the judgement on it."""
    used = release["parameters"]["threshold"]
    with tracer.start_as_current_span("guess", attributes={"opto.input.number": number}) as root:
        if release["release"]:
            root.set_attribute("opto.release", release["release"])
        with tracer.start_as_current_span("measure") as measured:
            measured.set_attribute("opto.output", json.dumps(number))
        link = Link(measured.get_span_context(), {"opto.arg": "measured"})
        with tracer.start_as_current_span("decide", links=[link]) as decided:
            if used["version"]:
                decided.set_attribute("opto.param.threshold.version", used["version"])
                decided.set_attribute("opto.param.threshold.hash", used["hash"])
            else:
                decided.set_attribute("opto.param.threshold.value", used["value"])
            said = number > used["value"]
            decided.set_attribute("opto.output", json.dumps(said))
        root.set_attribute("opto.output", json.dumps(said))
        right = said == (number > 0.5)
        logs.get_logger("plain").emit(
            LogRecord(
                timestamp=time.time_ns(),
                context=trace.set_span_in_context(root),
                event_name="gen_ai.evaluation.result",
                attributes={
                    "gen_ai.evaluation.name": "right",
                    "gen_ai.evaluation.score.value": float(right),
                    "gen_ai.evaluation.explanation": f"{number:.2f} was called {'high' if said else 'low'}",
                },
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api", default="http://127.0.0.1:4319")
    parser.add_argument("--endpoint", default="http://127.0.0.1:4317")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    resource = Resource.create({"service.name": SERVICE})
    traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=arguments.endpoint, insecure=True)))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=arguments.endpoint, insecure=True)))
    call(arguments.api, "PUT", "parameters", {"parameters": [PARAMETER]})
    for round_number in range(arguments.rounds):
        release = call(arguments.api, "GET", "release")
        guess(traces.get_tracer("plain"), logs, random.Random(round_number).random(), release)
    traces.shutdown()
    logs.shutdown()


if __name__ == "__main__":
    main()
