"""Langfuse's SDK: one attribute for the input, one for the output of an observation."""

from typing import Final

from collector.graph.reading.runs import run
from collector.graph.reading.statement import NOTHING, ParameterUse, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ("langfuse",)
SAYS: Final = (
    "`langfuse.observation.{input,output,type}`, `langfuse.observation.prompt.name`, "
    "`langfuse.trace.{input,output}` of a root"
)

_ROLES = {
    "generation": Role.MODEL, "tool": Role.TOOL, "agent": Role.AGENT, "retriever": Role.RETRIEVER,
    "evaluator": Role.EVALUATOR, "chain": Role.STEP, "span": Role.STEP, "embedding": Role.STEP, "guardrail": Role.STEP,
}  # fmt: skip


def read(source: Source) -> Statement | None:
    """A generation's input and output are messages where they have that form."""
    attributes = source.attributes
    role = _ROLES.get(str(attributes.get("langfuse.observation.type") or ""), Role.OTHER)
    root = source.span.parent_span_id is None
    keys = [f"langfuse.{place}." for place in (("observation", "trace") if root else ("observation",))]
    given_in = next((attributes[key + "input"] for key in keys if key + "input" in attributes), None)
    given_out = next((attributes[key + "output"] for key in keys if key + "output" in attributes), None)
    prompt = attributes.get("langfuse.observation.prompt.name")
    said = run(role, structured(given_in), NOTHING if given_out is None else structured(given_out))
    return said._replace(uses=(ParameterUse(str(prompt)),)) if prompt else said
