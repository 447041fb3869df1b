"""The service behind: finds the passage that answers a question.

uvicorn answers:app --port 8002
"""

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import otel_opto

provider = TracerProvider(resource=Resource.create({"service.name": "answers"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
otel_opto.configure()

app = FastAPI()
FastAPIInstrumentor.instrument_app(app)

PASSAGES = ("The lighthouse is 31 metres tall.", "The ferry leaves at nine.", "The museum opens at ten.")
LIMIT = otel_opto.parameter("limit", default=1, minimum=1, maximum=3)


@app.get("/answer")
async def answer(question: str) -> dict[str, str]:
    """The passages that share a word with the question."""
    words = set(question.lower().strip("?").split())
    best = sorted(PASSAGES, key=lambda passage: -len(words & set(passage.lower().split())))
    return {"answer": " ".join(best[: LIMIT.value])}
