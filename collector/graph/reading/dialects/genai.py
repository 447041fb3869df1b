"""OpenTelemetry's GenAI conventions as span attributes, and what builds on them (pydantic-ai, OpenLLMetry).

https://github.com/open-telemetry/semantic-conventions-genai
"""

from typing import Final

from collector.core.span import AnyValue, Attributes
from collector.graph.reading.messages import messages, text_of
from collector.graph.reading.statement import NOTHING, Failure, Message, Nothing, ParameterUse, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ("gen_ai", "pydantic_ai", "final_result", "tool_arguments")
SAYS: Final = (
    "`gen_ai.{input,output}.messages`, `gen_ai.system_instructions`, `gen_ai.tool.call.{id,arguments,result}`, "
    "`gen_ai.operation.name`, `gen_ai.{agent,tool}.name`, `gen_ai.prompt.{name,version}`, "
    "`gen_ai.task.{input,output}`, `gen_ai.retrieval.{query.text,documents}`, "
    "Sentry's `gen_ai.request.messages`, `gen_ai.response.{text,tool_calls}` and `gen_ai.tool.{input,output}`, "
    "pydantic-ai's `final_result`, `pydantic_ai.all_messages` and "
    "`tool_arguments`, `tool_response`"
)

ROLES: Final = {
    "chat": Role.MODEL, "generate_content": Role.MODEL, "text_completion": Role.MODEL, "completion": Role.MODEL,
    "execute_tool": Role.TOOL, "invoke_agent": Role.AGENT, "create_agent": Role.OTHER, "invoke_workflow": Role.AGENT,
    "retrieval": Role.RETRIEVER, "vector_db_retrieve": Role.RETRIEVER, "execute_task": Role.STEP, "plan": Role.STEP,
}  # fmt: skip


def read(source: Source) -> Statement | None:
    """Messages may be JSON text or structured; the system role is among them or apart."""
    attributes = source.attributes
    role = ROLES.get(str(attributes.get("gen_ai.operation.name") or ""), Role.OTHER)
    failed = attributes.get("error.type")
    given = messages(attributes.get("gen_ai.output.messages")) or _response(attributes)
    return Statement(
        role=role,
        name=str((attributes.get("gen_ai.tool.name") if role is Role.TOOL else "") or ""),
        actor=str(attributes.get("gen_ai.agent.name") or ""),
        inputs=_inputs(attributes),
        taken=taken(attributes),
        output=NOTHING if given else _output(attributes),
        given=given,
        uses=_named_prompt(attributes),
        call_id=str(attributes.get("gen_ai.tool.call.id") or ""),
        failure=Failure(str(failed)) if failed else None,
    )


def taken(attributes: Attributes) -> tuple[Message, ...]:
    """The instructions as a system message, then the messages; of an agent's history those before its first answer."""
    found = messages(attributes.get("gen_ai.input.messages", attributes.get("gen_ai.request.messages")))
    history = messages(attributes.get("pydantic_ai.all_messages")) if not found else ()
    for message in history:
        if message.role == "assistant":
            break
        found = (*found, message)
    return (*instructions(attributes.get("gen_ai.system_instructions")), *found)


def _response(attributes: Attributes) -> tuple[Message, ...]:
    """Of Sentry's SDKs: the texts and the calls of an answer, each as JSON."""
    said = structured(attributes.get("gen_ai.response.text"))
    calls = structured(attributes.get("gen_ai.response.tool_calls"))
    return messages({"role": "assistant", "content": said, "tool_calls": calls}) if said or calls else ()


def instructions(value: AnyValue) -> tuple[Message, ...]:
    """``[{"type": "text", "content": …}]``, a list of texts or one text, as one system message."""
    value = structured(value)
    parts = [text_of(part) for part in value] if isinstance(value, list | tuple) else [value]
    texts = [part for part in parts if isinstance(part, str) and part]
    return (Message("system", "\n".join(texts)),) if texts else ()


def _inputs(attributes: Attributes) -> dict[str, AnyValue]:
    for key, name in (
        ("gen_ai.tool.call.arguments", "arguments"),
        ("tool_arguments", "arguments"),
        ("gen_ai.tool.input", "arguments"),
        ("gen_ai.retrieval.query.text", "query"),
    ):
        if key in attributes:
            return {name: _unwrapped(structured(attributes[key]))}
    if "gen_ai.task.input" in attributes:
        return {"input": _unwrapped(structured(attributes["gen_ai.task.input"]))}
    return {}


def _output(attributes: Attributes) -> "AnyValue | Nothing":
    keys = (
        "gen_ai.tool.call.result",
        "tool_response",
        "gen_ai.tool.output",
        "final_result",
        "gen_ai.retrieval.documents",
        "gen_ai.task.output",
        "gen_ai.output.messages",
    )
    for key in keys:
        if key in attributes:
            return _unwrapped(structured(attributes[key]))
    return NOTHING


def _unwrapped(value: AnyValue) -> AnyValue:
    """Without what a LangChain callback wraps around a value: tags, metadata and the like."""
    if isinstance(value, dict) and ("tags" in value or "metadata" in value or "kwargs" in value):
        for key in ("inputs", "outputs", "input_str", "output", "query"):
            if key in value:
                return structured(value[key])
    return value


def _named_prompt(attributes: Attributes) -> tuple[ParameterUse, ...]:
    name = attributes.get("gen_ai.prompt.name")
    return (ParameterUse(str(name)),) if name else ()
