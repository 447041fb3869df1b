"""MLflow tracing: every attribute is JSON, the kind included."""

from typing import Final

from collector.graph.reading.runs import run
from collector.graph.reading.statement import NOTHING, Role, Source, Statement
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
    stated = "mlflow.spanOutputs" in attributes
    output = decoded(attributes["mlflow.spanOutputs"]) if stated else NOTHING
    return run(role, decoded(attributes.get("mlflow.spanInputs")), output)


def _kind(source: Source) -> str:
    return str(decoded(source.attributes.get("mlflow.spanType")) or "").upper()
