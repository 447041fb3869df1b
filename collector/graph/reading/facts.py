"""What a span says of one operation, in OPTO's words: the one vocabulary into which every convention is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from collector.core.span import AnyValue, Attributes, Event, LogRecord, Span, SpanContext
from collector.graph.reading.values import structured


class Role(Enum):
    """What an operation is for, as far as its instrumentation says."""

    MODEL = "model"
    TOOL = "tool"
    AGENT = "agent"
    RETRIEVER = "retriever"
    TEMPLATE = "template"
    EVALUATOR = "evaluator"
    STEP = "step"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish that a tool be called; `id` is empty where it is not stated."""

    name: str
    arguments: AnyValue = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to or from a model.

    Attributes:
        role: ``system``, ``user``, ``assistant`` or ``tool``.
        content: Its texts and other parts, without what surrounds them on the wire.
        answers: Of a tool's message, the id of the call that it answers.
    """

    role: str
    content: AnyValue = None
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""

    def plain(self) -> AnyValue:
        """The message as the graph shows it."""
        shown: dict[str, AnyValue] = {"role": self.role}
        if self.content not in (None, "", []):
            shown["content"] = self.content
        if self.calls:
            shown["tool_calls"] = [{"name": call.name, "arguments": call.arguments} for call in self.calls]
        return shown


class ParameterUse(NamedTuple):
    """A parameter that the operation used, as far as its span says.

    Attributes:
        version: The number of the release that brought the value; None where it comes from the code.
        hash: Of the value; empty if it is not stated.
        value: The value itself; None if it is not stated.
        trainable: None if it is not stated.
        prompt: The value is a prompt or a template that an instrumentation recorded; its key is given by its place.
        discovered: It looks like a prompt, and the span does not call it a parameter.
    """

    key: str
    version: int | None = None
    hash: str = ""
    value: AnyValue = None
    trainable: bool | None = None
    prompt: bool = False
    discovered: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that is stated by attributes alone."""

    type: str = ""
    message: str = ""


NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Facts(NamedTuple):
    """Facts about one operation, of one convention or of all together; an empty field says nothing.

    Attributes:
        role: What it is for.
        name: The operation's own name; of all conventions together at last the span's.
        actor: The agent or component on whose behalf it ran.
        inputs: By name, decoded; messages to a model, without the system's, under ``messages``.
        taken: Messages that a model was given, the system's first.
        has_output: Tells an output of None from no output.
        output: Of a model its answer.
        given: Messages that a model answered.
        uses: Parameters, by key; not yet the prompts that stand in messages.
        arguments: Names of inputs, in order, with the spans whose outputs they were made of, one by one.
        references: By input name, ids of messages (see `message_id`) whose producer it was made of.
        message_id: A name under which other spans refer to this one's output.
        call_id: Of a tool, the id of the model's call that it carries out.
        failure: An error that has no exception event.
        follows: The `message_id` of the operation that handed over to this one.
        release: ``opto.release``.
        incomplete: Something of it was dropped or cut.
        relay: It only passes on what the operation around it makes.
        carried: Values of which it is not said whether they went in or came out, in the order in which they were set.
        hearsay: Inputs of which no convention says that they are; they may repeat what came out.
        both: Of the outputs those that may be inputs that were made of several.
        description: What the operation does, in words.
    """

    role: Role = Role.OTHER
    name: str = ""
    actor: str = ""
    inputs: Mapping[str, AnyValue] = NOTHING
    taken: tuple[Message, ...] = ()
    has_output: bool = False
    output: AnyValue = None
    given: tuple[Message, ...] = ()
    uses: tuple[ParameterUse, ...] = ()
    arguments: tuple[tuple[str, SpanContext], ...] = ()
    references: Mapping[str, str] = NOTHING
    message_id: str = ""
    call_id: str = ""
    failure: Failure | None = None
    follows: str = ""
    release: int | None = None
    incomplete: bool = False
    relay: bool = False
    carried: Mapping[str, AnyValue] = NOTHING
    hearsay: frozenset[str] = frozenset()
    both: Mapping[str, AnyValue] = NOTHING
    description: str = ""

    def speaks(self) -> bool:
        """Whether it says anything of the dataflow itself."""
        return bool(self.has_output or self.inputs or self.taken or self.given or self.arguments or self.references)


class Source(NamedTuple):
    """A span with its log records; these are read as events, their body among the attributes.

    Attributes:
        events: Of the span and of its log records, in order of time.
    """

    span: Span
    attributes: Attributes
    events: tuple[Event, ...]


def source(span: Span, records: tuple[LogRecord, ...] = ()) -> Source:
    """The span as conventions read it."""
    events = span.events
    if records:
        events = tuple(sorted((*events, *map(event_of, records)), key=lambda event: event.time_unix_nano))
    return Source(span, span.attributes, events)


def event_of(record: LogRecord) -> Event:
    """A log record as an event: a structured body, JSON too, stands among the attributes, any other under ``body``."""
    said = structured(record.body)
    body = said if isinstance(said, Mapping) else {} if said is None else {"body": said}
    name = record.event_name or str(record.attributes.get("event.name") or "")
    time = record.time_unix_nano or record.observed_time_unix_nano
    return Event(name, time, {**body, **record.attributes}, record.dropped_attributes_count)
