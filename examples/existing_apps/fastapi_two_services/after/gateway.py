"""What users call: asks the service of answers and words the reply.

uvicorn gateway:app --port 8001
"""

import os

import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import otel_opto

provider = TracerProvider(resource=Resource.create({"service.name": "gateway"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
HTTPXClientInstrumentor().instrument()
otel_opto.configure()

app = FastAPI()
FastAPIInstrumentor.instrument_app(app)

STYLE = otel_opto.parameter("style", default="{answer}")


@app.get("/ask")
async def ask(question: str) -> dict[str, str]:
    """The reply to a user."""
    async with httpx.AsyncClient(base_url=os.environ["ANSWERS_URL"]) as answers:
        found = (await answers.get("/answer", params={"question": question})).json()
    return {"reply": STYLE.value.format(answer=found["answer"])}
