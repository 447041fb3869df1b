"""A trace of other people's spans: a tool, a model, a step and an application's own span in turn, each on what the one
before it made, under one root."""

import json
import random
from collections.abc import Mapping

from benchmarks.graph.words import text_of
from collector.core.span import AnyValue, Resource, Span, SpanContext

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT = f"{2**63:016x}"
SERVICE = Resource({"service.name": "shop"})


def foreign(count: int) -> list[Span]:
    """With texts of 200 to 600 characters in OpenInference's, OpenTelemetry's and no convention."""
    chance = random.Random(1)
    spans = [Span(SpanContext(TRACE, ROOT), None, "run", 1, 10 * count + 9, resource=SERVICE)]
    made = text_of(chance, 400)
    for number in range(1, count + 1):
        taken, made = made, text_of(chance, (600, 400, 300, 200)[number % 4])
        name, attributes = (_tool, _model, _step, _own)[number % 4](taken, made)
        context, begin = SpanContext(TRACE, f"{number:016x}"), 10 * number + 1
        spans.append(Span(context, ROOT, name, begin, begin + 8, attributes=attributes, resource=SERVICE))
    return spans


_Said = tuple[str, Mapping[str, AnyValue]]


def _tool(taken: str, made: str) -> _Said:
    arguments = json.dumps({"query": taken[:60]})
    said = {"openinference.span.kind": "TOOL", "tool.name": "look", "input.value": arguments, "output.value": made}
    return "look", said


def _model(taken: str, made: str) -> _Said:
    asked = [
        _message("system", "You are a careful assistant."),
        _message("user", f"Answer with this: {taken} Be brief."),
    ]
    return "chat m", {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": len(taken),
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps([_message("assistant", made)]),
    }


def _message(role: str, content: str) -> Mapping[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _step(taken: str, made: str) -> _Said:
    return "step", {"openinference.span.kind": "CHAIN", "input.value": taken, "output.value": made}


def _own(taken: str, made: str) -> _Said:
    return "plain", {"app.question": taken, "app.answer": made, "app.user": "u1"}
