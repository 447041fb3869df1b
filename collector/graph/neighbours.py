"""Which other traces belong to a trace: those that its spans link to, and those of its session."""

from collections.abc import Sequence
from typing import Final

from collector.core.span import Span

SESSION_KEYS: Final = (
    "session.id",
    "gen_ai.conversation.id",
    "langfuse.session.id",
    "mlflow.trace.session",
    "traceloop.association.properties.session_id",
    "langgraph.thread_id",
)
"""Attributes that name a session, the most general first (OTel's session and GenAI conventions, then frameworks)."""


def linked_traces(spans: Sequence[Span]) -> tuple[str, ...]:
    """The traces that span links name, each once, in the order in which the spans began."""
    own = {span.context.trace_id for span in spans}
    found = dict.fromkeys(link.context.trace_id for span in spans for link in span.links)
    return tuple(trace_id for trace_id in found if trace_id not in own and trace_id.strip("0"))


def session_of(spans: Sequence[Span]) -> tuple[str, str] | None:
    """The attribute that names the session of a trace, and its value; None where no span has one."""
    for key in SESSION_KEYS:
        for span in spans:
            value = span.attributes.get(key) or span.resource.attributes.get(key)
            if isinstance(value, str) and value:
                return key, value
    return None
