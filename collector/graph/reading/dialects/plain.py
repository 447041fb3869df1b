"""What an application put on its own spans, in no convention: names tell a part of it, the flow the rest."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from collector.core.span import SPAN_KINDS, AnyValue
from collector.graph.reading.chats import answered, asked
from collector.graph.reading.statement import NOTHING, Message, ParameterUse, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ()
SAYS: Final = (
    "bodies of HTTP and messages (`http.{request,response}.body`, `messaging.message.body`, `url.query`), statements, "
    "parameters and rows of databases (`db.*`), and any attribute outside OpenTelemetry's general namespaces, those of "
    "events included: by a word of its name an output (`app.answer`), an input (`app.question`) or a prompt "
    "(`app.prompt`), else by what flowed"
)

_GENERAL: Final = frozenset((
    "asgi", "aws", "az", "azure", "browser", "client", "cloud", "code", "container", "cpu", "deployment",
    "destination", "device", "disk", "dns", "enduser", "error", "eval", "event", "exception", "faas", "feature_flag",
    "file", "gcp", "gen_ai", "geo", "graphql", "host", "k8s", "llm", "log", "logfire", "metadata", "net", "network",
    "opentracing", "openinference", "opto", "os", "otel", "peer", "process", "rpc", "scope", "server", "service",
    "session", "source", "span", "system", "telemetry", "thread", "tls", "trace", "traceloop", "user", "user_agent",
    "vcs", "webengine", "worker",
))  # fmt: skip
_FLAGS: Final = frozenset(("component", "error", "event", "level", "otel", "thread"))
"""What OpenTracing's conventions and loggers write without a namespace."""

_VENDORS: Final = frozenset(("aws", "az", "azure", "gcp", "llm", "session", "user"))
"""General namespaces that are used for contents, too: what is named so (`gcp.vertex.agent.llm_request`)."""

_FRAMEWORKS: Final = frozenset((
    "ai", "langfuse", "mlflow", "pydantic_ai", "fastapi", "langgraph", "langchain", "crewai", "spring", "executor",
    "edge_group", "agentlightning", "graph", "embedding", "retrieval", "reranker",
))  # fmt: skip
"""What these write under names that tell nothing are settings."""

_TOOL: Final = re.compile(r"(?:(?:execute_|running )?tool|tool[_ ]call|call[_ ]tool) (\S+)|(\S+)\.tool")
"""Names of spans by which frameworks without a convention name a tool."""

_MODEL: Final = re.compile(
    r"(?:^|[\W_])(?:llm|gpt|chat|completions?|openai|anthropic|claude|gemini|mistral|ollama)(?:$|[\W_])", re.IGNORECASE
)
"""Names of spans and attributes by which applications say that they ask a model."""

_CONTENT: Final = re.compile(
    r"http\.(request|response)\.body(\.\w+)?|http\.\w*(body|payload)|url\.query|messaging\.message\.(body|payload)\w*|"
    r"db\.\w+(\.\w+)*"
)
"""The attributes of general namespaces that hold what was sent or received."""

_TRANSPORTS: Final = frozenset(("http", "url", "messaging"))
_DATABASE: Final = frozenset((
    "system", "name", "namespace", "operation_name", "collection", "user", "connection_string", "sql", "instance",
    "driver", "client", "redis", "mongodb", "cassandra", "elasticsearch", "cosmosdb", "stored_procedure", "vector",
))  # fmt: skip
"""What the second parts of keys under ``db`` say of the database, and not of what was asked."""

_OUTPUT: Final = frozenset((
    "output", "outputs", "result", "results", "response", "answer", "answers", "reply", "completion", "return",
    "returned", "generated", "prediction", "assistant", "bot",
    "choices", "completions",
))  # fmt: skip
_ROWS: Final = frozenset(("row", "rows", "documents", "hits"))
_INPUT: Final = frozenset((
    "input", "inputs", "request", "query", "question", "arg", "args", "argument", "arguments", "param", "params",
    "parameter", "parameters", "params", "statement", "source", "sources", "user", "human",
    "messages",
))  # fmt: skip
_PROMPT: Final = frozenset((
    "prompt", "prompts", "instructions", "instruction", "template", "system_prompt", "system",
    "guideline", "guidelines", "guidance", "persona",
))  # fmt: skip
_META: Final = frozenset((
    "id", "ids", "name", "names", "kind", "type", "class", "context", "destination", "topic", "count", "size", "length",
    "duration", "duration_ms", "ms", "seconds", "version", "model", "status", "level", "host", "port", "tokens", "cost",
    "usd", "mime_type", "code", "index", "step", "attempt", "priority", "provider", "agent", "timeout", "retries",
    "min", "max", "timestamp", "time", "language", "lang", "env", "service", "limit", "score",
))  # fmt: skip
_FORM: Final = frozenset((
    "text", "value", "json", "content", "preview", "data", "body", "raw", "payload", "string",
))  # fmt: skip
_EMPTY: Final[Sequence[AnyValue]] = ("", (), [], "{}", "[]", '""', "null", "None")
MIN_DIGITS: Final = 3
"""Of a number that may be more than a measurement: an amount, an account."""


def read(source: Source) -> Statement | None:
    """Texts, structures and long numbers; what neither goes by a known name nor is a prompt is carried.

    Who sends or receives a message records what was handed to it.
    """
    inputs: dict[str, AnyValue] = {}
    outputs: dict[str, AnyValue] = {}
    carried: dict[str, AnyValue] = {}
    uses: list[ParameterUse] = []
    received = SPAN_KINDS.get(source.span.kind) in ("producer", "consumer")
    for key, value in _said(source):
        words = _words(key)
        if words[-1] in _META or not _is_content(value):
            continue
        telling = words if _CONTENT.fullmatch(key) else words[-1:]
        if _OUTPUT.intersection(telling) or (key.startswith("db.") and _ROWS.intersection(words)):
            outputs[key] = structured(value)
        elif _INPUT.intersection(telling) or received or key.startswith(("db.", "messaging.")):
            inputs[key] = _query(value) if key == "url.query" else structured(value)
        elif words[-1] in _PROMPT and isinstance(value, str):
            uses.append(ParameterUse(key, value=value))
        elif key.partition(".")[0] not in _FRAMEWORKS:
            carried[key] = structured(value)
    if not (inputs or outputs or uses or carried):
        return None
    taken = next((found for item in inputs.items() if (found := asked(_whole(*item)))), ())
    taken = taken or _said_to_model(source, inputs)
    given = next((found for item in outputs.items() if (found := answered(_whole(*item)))), ())
    tool = _TOOL.fullmatch(source.span.name)
    output = next(iter(outputs.values())) if len(outputs) == 1 else outputs or NOTHING
    return Statement(
        role=Role.TOOL if tool else Role.MODEL if taken else Role.OTHER,
        name=tool[1] or tool[2] if tool else "",
        inputs={} if taken else {key: inputs[key] for key in sorted(inputs)},
        taken=taken,
        output=NOTHING if given else output,
        given=given,
        uses=tuple(sorted(uses)),
        carried=carried,
    )


def _whole(key: str, value: AnyValue) -> AnyValue:
    """A request or response of which each part may be an attribute: ``llm.openai.messages``."""
    return value if isinstance(value, Mapping) else {_words(key)[-1]: value}


def _said_to_model(source: Source, inputs: Mapping[str, AnyValue]) -> tuple[Message, ...]:
    """The one text that an operation was given of which a name says that it asks a model."""
    said = [value for value in inputs.values() if isinstance(value, str)]
    model = _MODEL.search(source.span.name) or any(map(_MODEL.search, inputs))
    return (Message("user", said[0]),) if model and len(said) == 1 == len(inputs) else ()


def _said(source: Source) -> Iterator[tuple[str, AnyValue]]:
    """Attributes, then those of events with the event's name before them, in the order in which they were set."""
    for key, value in source.attributes.items():
        first, dot, second = key.partition(".")
        if not dot:
            told = key not in _FLAGS
        elif first == "db":
            told = second.partition(".")[0] not in _DATABASE
        else:
            told = _CONTENT.fullmatch(key) is not None if first in _TRANSPORTS else first not in _GENERAL
        if told or (first in _VENDORS and _tells(key)):
            yield key, value
    for event in source.events:
        for key, value in event.attributes.items():
            spaces = {event.name.partition(".")[0], key.partition(".")[0]} & _GENERAL
            if not spaces or (spaces <= _VENDORS and _tells(key)):
                yield f"{event.name}.{key}", value


def _tells(key: str) -> bool:
    return _words(key)[-1] in _INPUT | _OUTPUT


def _words(key: str) -> list[str]:
    words = re.split(r"[._\s-]", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
    while len(words) > 1 and (words[-1] in _FORM or words[-1].isdigit()):
        words.pop()
    return words


def _is_content(value: AnyValue) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return len(str(value).strip("0.-")) >= MIN_DIGITS
    return isinstance(value, str | list | tuple) and value not in _EMPTY


def _query(value: AnyValue) -> AnyValue:
    return [one for found in parse_qs(value).values() for one in found] if isinstance(value, str) else value
