"""MLflow tracing: every attribute is JSON, the kind included."""

from collections.abc import Mapping
from typing import Final

from collector.graph.reading.chats import answered, asked
from collector.graph.reading.messages import messages
from collector.graph.reading.statement import NOTHING, Message, Role, Source, Statement
from collector.graph.reading.values import decoded

NAMESPACES: Final = ("mlflow",)
SAYS: Final = '`mlflow.span{Inputs,Outputs,Type}`, `mlflow.spanFunctionName`, all JSON-quoted (`"\\"CHAIN\\""`)'

_ROLES = {
    "LLM": Role.MODEL, "CHAT_MODEL": Role.MODEL, "TOOL": Role.TOOL, "AGENT": Role.AGENT, "RETRIEVER": Role.RETRIEVER,
    "CHAIN": Role.STEP, "PARSER": Role.STEP, "RERANKER": Role.RETRIEVER, "EVALUATOR": Role.EVALUATOR,
    "UNKNOWN": Role.STEP,
}  # fmt: skip


def read(source: Source) -> Statement | None:
    """Named arguments of the traced function become the inputs; a model's messages are read as such."""
    attributes = source.attributes
    if "mlflow.spanInputs" not in attributes and "mlflow.spanOutputs" not in attributes and not _kind(source):
        return None
    role = _ROLES.get(_kind(source), Role.OTHER)
    given_in = decoded(attributes.get("mlflow.spanInputs"))
    given_out = decoded(attributes.get("mlflow.spanOutputs"))
    taken: tuple[Message, ...] = ()
    given: tuple[Message, ...] = ()
    if role is Role.MODEL:
        taken = asked(given_in) or messages(given_in)
        given = answered(given_out) or messages(given_out)
    inputs = given_in if isinstance(given_in, Mapping) else {"input": given_in}
    stated = "mlflow.spanOutputs" in attributes and not given
    return Statement(
        role=role,
        inputs={} if taken or given_in is None else inputs,
        taken=taken,
        output=given_out if stated else NOTHING,
        given=given,
    )


def _kind(source: Source) -> str:
    return str(decoded(source.attributes.get("mlflow.spanType")) or "").upper()
