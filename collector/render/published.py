"""The published form of a graph as JSON; `docs/schema/graph.v1.json` is generated from these types.

A reader must bear members that it does not know. A member that is taken away or changes its meaning makes a version 2.
"""

from typing import (
    Literal,
    NotRequired,  # pydantic, which makes the schema, reads no other on Python 3.11
)

from typing_extensions import TypedDict


class NodeDocument(TypedDict):
    """A parameter in one version, an input of an operation, or an operation with its output."""

    id: str
    """Unique in the document: `span:<span id>`, `input:<span id>:<name>` or `param:<service>/<key>@<version>`."""
    kind: Literal["parameter", "input", "operation"]
    name: str
    """The parameter's key, the input's name, or the operation's name."""
    span_id: str | None
    """The operation's span, or the span that takes the input; null for a parameter."""
    incomplete: bool
    """The span says that something of it was dropped or cut."""
    value: object
    """The parameter's value, the input, or the operation's output, decoded; bytes as base64."""
    service: str
    """`service.name` of an operation or a parameter; may be empty."""
    description: str
    """What an operation does, in its developers' words; empty where its span does not say."""


class EdgeDocument(TypedDict):
    """Dataflow: the source's value went into the target."""

    source: str
    """The id of a node."""
    target: str
    """The id of a node."""
    origin: Literal["link", "content", "call", "control", "sequence"]
    """How it is known: stated; found in contents; a call's result; named by an answer; only the order."""
    confidence: float
    """From 0 to 1; 1 where it was stated."""
    argument: str
    """The name under which the target took it; empty if unknown."""
    reason: str
    """Why the edge is there, in words."""
    rule: NotRequired[str]
    """The name of the rule that found it (docs/graph.md); empty for inputs and parameters."""


class ParameterDocument(TypedDict):
    """A parameter in one version."""

    key: str
    version: int | None
    """The number of the release that brought the value; null for the code's own."""
    text: str | None
    """The value in words; null where it is not known."""
    trainable: bool
    used_by: list[str]
    """Span ids."""
    node: str
    """The id of its node."""
    discovered: NotRequired[bool]
    """It only looks like a prompt: nobody declared it, and no span calls it a parameter. Never trainable."""


class OutputDocument(TypedDict):
    """A final output of the trace."""

    node: str
    """The id of a node."""
    value: object
    """Decoded."""


class FeedbackDocument(TypedDict):
    """A judgement of an output."""

    trace_id: str
    span_id: str
    """The span whose output is judged; empty: the root of the trace."""
    name: str
    """The metric."""
    score: float | None
    label: str
    text: str
    source: str
    """Who says so: `evaluator`, `user`, …"""
    attributes: dict[str, str]
    time_unix_nano: int


class ExceptionDocument(TypedDict):
    """An exception, or an ERROR status."""

    span_id: str
    type: str
    message: str
    handled: bool
    """The trace's root ended without an error all the same."""
    stacktrace: str


class GapDocument(TypedDict):
    """Something that is missing or was refused."""

    kind: str
    """For example `missing_parent`, `missing_link`, `duplicate_span`."""
    span_id: str
    detail: str


class GraphDocument(TypedDict):
    """The OPTO graph of one trace: a DAG of what flowed into what."""

    trace_id: str
    nodes: list[NodeDocument]
    edges: list[EdgeDocument]
    parameters: list[ParameterDocument]
    outputs: list[OutputDocument]
    feedback: list[FeedbackDocument]
    exceptions: list[ExceptionDocument]
    gaps: list[GapDocument]
    release: int | None
    """The release that the trace ran with; null for the code's own values."""
