"""LangSmith's OpenTelemetry export: a run's inputs and outputs as JSON under two older GenAI attributes.

https://docs.langchain.com/langsmith/trace-with-opentelemetry
"""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.runs import run
from collector.graph.reading.statement import NOTHING, Role, Source, Statement
from collector.graph.reading.values import decoded

NAMESPACES: Final = ("langsmith",)
SAYS: Final = "`langsmith.span.kind`; `gen_ai.{prompt,completion}` whole, the inputs and outputs of a run as JSON"

_ROLES = {
    "llm": Role.MODEL, "tool": Role.TOOL, "retriever": Role.RETRIEVER, "chain": Role.STEP, "prompt": Role.STEP,
    "parser": Role.STEP, "embedding": Role.STEP,
}  # fmt: skip


def read(source: Source) -> Statement | None:
    """The arguments of a run by their names; of a model's, the messages. A prompt's run is no model's, as it says."""
    attributes = source.attributes
    role = _ROLES.get(str(attributes.get("langsmith.span.kind") or ""), Role.OTHER)
    output = _alone("output", decoded(attributes.get("gen_ai.completion")))
    return run(role, decoded(attributes.get("gen_ai.prompt")), NOTHING if output is None else output)


def _alone(key: str, value: AnyValue) -> AnyValue:
    """What a function returned that is no mapping stands in one."""
    return value[key] if isinstance(value, Mapping) and value.keys() == {key} else value
