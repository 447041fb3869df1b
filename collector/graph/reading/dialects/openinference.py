"""OpenInference (Arize): messages, documents and values; https://arize-ai.github.io/openinference/spec/."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue, Attributes
from collector.graph.reading.chats import answered, asked
from collector.graph.reading.flat import items, lifted
from collector.graph.reading.messages import messages
from collector.graph.reading.statement import NOTHING, Message, Nothing, ParameterUse, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ("openinference", "input", "output", "llm", "retrieval", "reranker", "tool", "graph", "agent")
SAYS: Final = (
    "`openinference.span.kind` (of Alibaba's probes `gen_ai.span.kind`), `llm.{input,output}_messages.<i>.message.*`, "
    "`llm.prompts.<i>.prompt.text`, "
    "`llm.prompt_template.{template,variables}`, `retrieval.documents.<i>.document.*`, "
    "`reranker.{query,input_documents,output_documents}`, `{input,output}.value`, `tool.{name,parameters}`, "
    "`agent.name`, `tool_call.id`, `graph.node.{id,parent_id}`"
)

_ROLES = {
    "LLM": Role.MODEL, "TOOL": Role.TOOL, "AGENT": Role.AGENT, "RETRIEVER": Role.RETRIEVER, "RERANKER": Role.RETRIEVER,
    "CHAIN": Role.STEP, "PROMPT": Role.TEMPLATE, "EVALUATOR": Role.EVALUATOR, "GUARDRAIL": Role.STEP,
    "EMBEDDING": Role.STEP,
}  # fmt: skip


def read(source: Source) -> Statement | None:
    """Messages before documents before the bare value, which repeats them with much around.

    Where a limit on the number of attributes left no message, a model's values are the request and the response.
    """
    attributes = source.attributes
    kind = attributes.get("openinference.span.kind") or attributes.get("gen_ai.span.kind")
    role = _ROLES.get(str(kind or "").upper(), Role.OTHER)
    taken = _messages(attributes, "llm.input_messages.")
    given = _messages(attributes, "llm.output_messages.")
    if role is Role.MODEL:
        taken = taken or asked(structured(attributes.get("input.value")))
        given = given or answered(structured(attributes.get("output.value")))
    return Statement(
        role=role,
        name=str(attributes.get("tool.name") or "") if role is Role.TOOL else "",
        actor=str(attributes.get("agent.name") or ""),
        inputs={} if taken else _inputs(attributes),
        taken=taken,
        output=_output(attributes, given),
        given=given,
        uses=_template(attributes),
        message_id=str(attributes.get("graph.node.id") or ""),
        follows=str(attributes.get("graph.node.parent_id") or ""),
        call_id=str(attributes.get("tool_call.id") or attributes.get("tool.id") or ""),
    )


def _messages(attributes: Attributes, prefix: str) -> tuple[Message, ...]:
    found: list[Message] = []
    for item in items(attributes, prefix):
        message = lifted(item, "message")
        if isinstance(message, Mapping):
            calls = [lifted(call, "tool_call") for call in _list(message.get("tool_calls"))]
            parts = [lifted(part, "message_content") for part in _list(message.get("contents"))]
            content = message.get("content") or parts
            found.extend(messages({**message, "content": content, "tool_calls": calls}))
    return tuple(found)


def _list(value: AnyValue) -> list[AnyValue]:
    return list(value) if isinstance(value, list | tuple) else []


def _inputs(attributes: Attributes) -> dict[str, AnyValue]:
    if "input.value" in attributes:
        return {"input": structured(attributes["input.value"])}
    prompts = [lifted(lifted(item, "prompt"), "text") for item in items(attributes, "llm.prompts.")]
    if prompts:
        return {"prompts": prompts}
    if "reranker.query" in attributes:
        documents = _documents(attributes, "reranker.input_documents.")
        return {"query": attributes["reranker.query"], "documents": documents}
    return {"input": structured(attributes["tool.parameters"])} if "tool.parameters" in attributes else {}


def _documents(attributes: Attributes, prefix: str) -> list[AnyValue]:
    return [lifted(lifted(item, "document"), "content") for item in items(attributes, prefix)]


def _output(attributes: Attributes, given: tuple[Message, ...]) -> "AnyValue | Nothing":
    if given:
        return NOTHING
    documents = _documents(attributes, "retrieval.documents.") or _documents(attributes, "reranker.output_documents.")
    if documents:
        return documents
    return structured(attributes["output.value"]) if "output.value" in attributes else NOTHING


def _template(attributes: Attributes) -> tuple[ParameterUse, ...]:
    template = attributes.get("llm.prompt_template.template")
    return (ParameterUse("template", value=template, prompt=True),) if isinstance(template, str) and template else ()
