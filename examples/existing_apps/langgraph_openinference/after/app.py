"""Answers a question in two steps with LangGraph, traced by OpenInference.

python app.py "How tall is the lighthouse?" SESSION
"""

import sys
from typing import TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from openinference.instrumentation import using_session
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import otel_opto

provider = TracerProvider(resource=Resource.create({"service.name": "langgraph-qa"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
LangChainInstrumentor().instrument()
otel_opto.configure(wait_seconds=2)

PASSAGES = ("The lighthouse is 31 metres tall.", "The ferry leaves at nine.")
PROMPT = otel_opto.parameter("prompt", default="Answer in one sentence from: {passages}")


class State(TypedDict):
    """What goes from step to step."""

    question: str
    passages: str
    answer: str


def retrieve(state: State) -> dict[str, str]:
    """The passages that share a word with the question."""
    words = set(state["question"].lower().strip("?").split()) - {"the", "is"}
    return {"passages": " ".join(passage for passage in PASSAGES if words & set(passage.lower().split()))}


def answer(state: State) -> dict[str, str]:
    """One call of the model."""
    instructions = PROMPT.value.format(passages=state["passages"])
    reply = ChatOpenAI(model="gpt-5-mini").invoke([("system", instructions), ("human", state["question"])])
    return {"answer": str(reply.content)}


steps = StateGraph(State)
steps.add_node("retrieve", retrieve)
steps.add_node("answer", answer)
steps.add_edge(START, "retrieve")
steps.add_edge("retrieve", "answer")
steps.add_edge("answer", END)
graph = steps.compile()


@otel_opto.node
def ask(question: str) -> str:
    """The answer to a question."""
    return str(graph.invoke({"question": question, "passages": "", "answer": ""})["answer"])


if __name__ == "__main__":
    with using_session(sys.argv[2]):
        print(ask(sys.argv[1]))
    provider.shutdown()
