"""Haystack's own tracer with content tracing on: what went into a component, and what came out of it."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.messages import messages
from collector.graph.reading.statement import NOTHING, Message, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ("haystack",)
SAYS: Final = (
    "`haystack.component.{name,type,input,output}`, `haystack.pipeline.{input_data,output_data}`, "
    "`haystack.agent.{input,output}`"
)

_ROLES: Final = (
    ("Generator", Role.MODEL), ("PromptBuilder", Role.TEMPLATE), ("Retriever", Role.RETRIEVER),
    ("Ranker", Role.RETRIEVER), ("Evaluator", Role.EVALUATOR), ("Agent", Role.AGENT), ("Tool", Role.TOOL),
)  # fmt: skip
"""By the end of a component's class, the first that fits."""

_PLACES: Final = (
    ("haystack.component.input", "haystack.component.output"),
    ("haystack.agent.input", "haystack.agent.output"),
    ("haystack.pipeline.input_data", "haystack.pipeline.output_data"),
)


def read(source: Source) -> Statement | None:
    """A component's inputs are its `run` method's arguments; those of a model are a prompt or messages."""
    attributes = source.attributes
    kind = str(attributes.get("haystack.component.type") or "")
    place = next((place for place in _PLACES if place[0] in attributes or place[1] in attributes), None)
    if place is None and not kind:
        return None
    inputs = _stated(attributes.get(place[0])) if place else {}
    output = _stated(attributes.get(place[1])) if place else {}
    role = next((role for end, role in _ROLES if kind.endswith(end)), Role.STEP)
    taken: tuple[Message, ...] = ()
    given: tuple[Message, ...] = ()
    if role is Role.MODEL:
        taken, given = _asked(inputs), _answered(output.get("replies"))
    value = next(iter(output.values())) if len(output) == 1 else output
    return Statement(
        role=role,
        name=str(attributes.get("haystack.component.name") or ""),
        inputs={} if taken else inputs,
        taken=taken,
        output=NOTHING if given or not output else value,
        given=given,
    )


def _stated(value: AnyValue) -> Mapping[str, AnyValue]:
    """Arguments that were given."""
    found = structured(value)
    if not isinstance(found, Mapping):
        return {} if found in (None, "") else {"input": found}
    return {key: inner for key, inner in found.items() if inner not in (None, "", [], {})}


def _asked(inputs: Mapping[str, AnyValue]) -> tuple[Message, ...]:
    prompt, system = inputs.get("prompt"), inputs.get("system_prompt")
    said = (Message("user", prompt),) if isinstance(prompt, str) else messages(inputs.get("messages"))
    return (Message("system", system), *said) if isinstance(system, str) else said


def _answered(replies: AnyValue) -> tuple[Message, ...]:
    texts = replies if isinstance(replies, list) else []
    return tuple(Message("assistant", one) for one in texts if isinstance(one, str)) or messages(replies)
