"""What the key of an attribute tells of its value, where no convention says it: a namespace, a word."""

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Final


class Side(Enum):
    """Of an operation: where a value went, or what it is."""

    INPUT = "input"
    OUTPUT = "output"
    PROMPT = "prompt"
    EITHER = "either"
    NEITHER = "neither"


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

_VENDORS: Final = frozenset(("aws", "az", "azure", "gcp", "gen_ai", "llm", "session", "user"))
"""General namespaces that are used for contents, too: what is named so (`gcp.vertex.agent.llm_request`)."""

_FRAMEWORKS: Final = frozenset((
    "ai", "langfuse", "mlflow", "pydantic_ai", "fastapi", "langgraph", "langchain", "crewai", "spring", "executor",
    "edge_group", "agentlightning", "graph", "embedding", "retrieval", "reranker",
))  # fmt: skip
"""What these write under names that tell nothing are settings."""

_CONTENT: Final = re.compile(
    r"http\.(request|response)\.body(\.\w+)?|http\.\w*(body|payload)|url\.query|messaging\.message\.(body|payload)\w*|"
    r"db\.\w+(\.\w+)*|code\.function\.(parameter|return)\..+"
)
"""The attributes of general namespaces that hold what was sent or received."""

_TRANSPORTS: Final = frozenset(("http", "url", "messaging", "code"))
_DATABASE: Final = frozenset((
    "system", "name", "namespace", "operation_name", "collection", "user", "connection_string", "sql", "instance",
    "driver", "client", "redis", "mongodb", "cassandra", "elasticsearch", "cosmosdb", "stored_procedure", "vector",
))  # fmt: skip
"""What the second parts of keys under ``db`` say of the database, and not of what was asked."""

_OUTPUT: Final = frozenset((
    "output", "outputs", "result", "results", "response", "answer", "answers", "reply", "completion", "return",
    "returned", "generated", "prediction", "assistant", "bot",
    "choices", "completions", "calls", "chunk", "delta", "token",
))  # fmt: skip
PIECES: Final = frozenset(("chunk", "delta", "token"))
"""Of an output that came bit by bit."""

_ROWS: Final = frozenset(("row", "rows", "documents", "hits"))
_INPUT: Final = frozenset((
    "input", "inputs", "request", "query", "question", "arg", "args", "argument", "arguments", "kwargs", "param",
    "params", "parameter", "parameters", "statement", "source", "sources", "user", "human",
    "messages", "history", "ctx", "original",
))  # fmt: skip
_PROMPT: Final = frozenset((
    "prompt", "prompts", "instructions", "instruction", "template", "system_prompt", "system",
    "guideline", "guidelines", "guidance", "persona",
))  # fmt: skip
_SIDES: Final = frozenset(("input", "inputs", "args", "kwargs", "arguments", "output", "outputs"))

_SENT: Final = frozenset(("user", "human", "llm", "request", "rendered", "formatted", "filled", "full", "final"))
"""Before the word prompt: that it is the one which was sent."""

_META: Final = frozenset((
    "id", "ids", "name", "names", "kind", "type", "class", "destination", "topic", "count", "size", "length",
    "duration", "duration_ms", "ms", "seconds", "version", "model", "status", "level", "host", "port", "tokens", "cost",
    "usd", "mime_type", "code", "index", "step", "attempt", "priority", "provider", "agent", "timeout", "retries",
    "min", "max", "role", "timestamp", "time", "language", "lang", "env", "service", "limit", "score",
))  # fmt: skip
_FORM: Final = frozenset((
    "text", "value", "json", "content", "message", "preview", "data", "body", "raw", "payload", "string",
))  # fmt: skip


@lru_cache(maxsize=4_096)
def side(key: str) -> Side:
    """By the last word that says something, or one before it that says which side the whole is of.

    ``app.user.question`` went in, ``outputs.query`` came out, ``app.prompt`` is a template, ``llm.prompt`` one that was
    filled and sent, ``app.draft`` may be either, ``app.tokens`` is neither.
    """
    said = words(key)
    if said[-1] in _META:
        return Side.NEITHER
    telling = said if _CONTENT.fullmatch(key) else [word for word in said[:-1] if word in _SIDES][-1:] or said[-1:]
    if _OUTPUT.intersection(telling) or (key.startswith("db.") and _ROWS.intersection(said)):
        return Side.OUTPUT
    if _INPUT.intersection(telling) or _is_filled(said) or key.startswith(("db.", "messaging.")):
        return Side.INPUT
    if said[-1] in _PROMPT:
        return Side.PROMPT
    return Side.NEITHER if key.partition(".")[0] in _FRAMEWORKS else Side.EITHER


def words(key: str) -> list[str]:
    """Lower-cased; without those at the end that only tell the form: ``appAnswer.raw`` is app, answer."""
    found = re.split(r"[._:/\s-]", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
    while len(found) > 1 and (found[-1] in _FORM or found[-1].isdigit()):
        found.pop()
    return found


def is_of_application(key: str) -> bool:
    """Whether an attribute is outside of OpenTelemetry's general namespaces or holds what was sent or received."""
    first, dot, second = key.partition(".")
    if not dot:
        return key not in _FLAGS
    if first == "db":
        return second.partition(".")[0] not in _DATABASE
    told = _CONTENT.fullmatch(key) is not None if first in _TRANSPORTS else first not in _GENERAL
    return told or (first in _VENDORS and _tells(key))


def is_of_event(event: str, key: str) -> bool:
    """The same of an attribute of an event, by both names."""
    spaces = {event.partition(".")[0], key.partition(".")[0]} & _GENERAL
    return not spaces or (spaces <= _VENDORS and _tells(key))


def _tells(key: str) -> bool:
    return words(key)[-1] in (_INPUT | _OUTPUT | _PROMPT) - {"system"}


def _is_filled(said: Sequence[str]) -> bool:
    """Whether it is a prompt as it was sent, and no template: ``userPrompt``, ``llm.prompt``."""
    return said[-1] in ("prompt", "prompts") and not _SENT.isdisjoint(said[:-1])
