"""What an application put on its own spans: the last part of a key says what it is."""

import re
from typing import Final, TypeAlias

from collector.core.span import AnyValue
from collector.graph.statement import NOTHING, ParameterUse, Role, Source, Statement
from collector.graph.values import structured

Found: TypeAlias = dict[str, AnyValue]

NAMESPACES: Final = ()
SAYS: Final = (
    "any other attribute outside OpenTelemetry's general namespaces: by its last word an output (`app.output`), a "
    "prompt (`app.prompt`), else an input"
)

_GENERAL: Final = frozenset((
    "asgi", "aws", "az", "azure", "browser", "client", "cloud", "code", "container", "cpu", "db", "deployment",
    "destination", "device", "disk", "dns", "enduser", "error", "event", "exception", "faas", "feature_flag",
    "file", "gcp", "gen_ai", "geo", "graphql", "host", "http", "k8s", "llm", "log", "logfire", "messaging",
    "metadata", "net", "network", "opentracing", "openinference", "opto", "os", "otel", "peer", "process", "rpc",
    "scope", "server", "service", "session", "source", "span", "system", "telemetry", "thread", "tls", "trace",
    "traceloop", "url", "user", "user_agent", "vcs", "webengine", "worker",
))  # fmt: skip
_OUTPUT: Final = frozenset((
    "output", "outputs", "result", "results", "response", "answer", "reply", "completion", "return", "returned",
))  # fmt: skip
_PROMPT: Final = frozenset((
    "prompt", "prompts", "instructions", "instruction", "template", "system_prompt", "system",
))  # fmt: skip
_META: Final = frozenset((
    "id", "ids", "name", "names", "kind", "type", "count", "size", "length", "duration", "duration_ms", "ms",
    "seconds", "version", "model", "status", "level", "host", "port", "tokens", "cost", "usd", "mime_type", "code",
    "index", "step", "attempt", "timestamp", "time", "date", "language", "lang", "env", "service",
))  # fmt: skip
_FORM: Final = frozenset((
    "text", "value", "json", "content", "preview", "data", "body", "raw",
))  # fmt: skip


def read(source: Source) -> Statement | None:
    """Texts and structures only: a bare number is more often a measurement than dataflow."""
    inputs: Found = {}
    outputs: Found = {}
    uses: list[ParameterUse] = []
    for key, value in sorted(source.attributes.items()):
        words = re.split(r"[._]", key.lower())
        if key.partition(".")[0] in _GENERAL or not isinstance(value, str | list | tuple) or not value:
            continue
        while len(words) > 1 and words[-1] in _FORM:
            words.pop()
        if words[-1] in _META:
            continue
        if words[-1] in _OUTPUT:
            outputs[key] = structured(value)
        elif words[-1] in _PROMPT and isinstance(value, str):
            uses.append(ParameterUse(key, value=value))
        else:
            inputs[key] = structured(value)
    if not (inputs or outputs or uses):
        return None
    output = next(iter(outputs.values())) if len(outputs) == 1 else outputs or NOTHING
    return Statement(role=Role.OTHER, inputs=inputs, output=output, uses=tuple(uses))
