"""An application that knows nothing of otel-opto: its values are feature flags, asked for with OpenFeature.

OTEL_SERVICE_NAME=no-code OTEL_OPTO_PARAMETERS=examples/no_code/parameters.yaml \
    opentelemetry-instrument python examples/no_code/app.py "How tall is the lighthouse?"
"""

import sys

from openfeature import api
from opentelemetry import trace

PASSAGES = ("The lighthouse is 31 metres tall.", "The ferry leaves at nine.", "The museum opens at ten.")
flags = api.get_client()
tracer = trace.get_tracer("no_code")


def answer(question: str) -> str:
    """The passages that share most words with the question."""
    with tracer.start_as_current_span("answer", attributes={"input.value": question}) as span:
        words = set(question.lower().strip("?").split())
        best = sorted(PASSAGES, key=lambda passage: -len(words & set(passage.lower().split())))
        found = " ".join(best[: flags.get_integer_value("limit", 1)])
        span.set_attribute("output.value", found)
        return found


print(answer(sys.argv[1]))
