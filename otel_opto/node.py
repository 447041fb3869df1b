"""Operations of the graph: functions, and blocks of code, that become spans with inputs, output and dataflow."""

import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Token
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, StatusCode, TracerProvider

from otel_opto import semconv
from otel_opto.arguments import Arguments, arguments_of
from otel_opto.capture import MAX_CHARS, MILLISECONDS, REFUSED, Capture, Captured, Hook, passes, without_halves
from otel_opto.code_attributes import attributes_of
from otel_opto.dataflow import Dataflow, DataflowSpanProcessor
from otel_opto.process.limits import room_for_inputs
from otel_opto.process.settings import positive
from otel_opto.shape import type_name

_LOG = logging.getLogger("otel_opto")
_SCOPE: Final = "otel_opto"
_MAX_KEYS: Final = 1_024
_MAX_FRAMES: Final = 64
_MAX_STACK: Final = 4 * MAX_CHARS

Mode = Literal["off", "metadata", "full"]
"""How much of inputs and outputs is recorded: nothing; types, sizes and dataflow; values, too."""

Attribute = str | int | bool
NO_VALUES: Final[Mapping[str, object]] = MappingProxyType({})
MODES: Final[tuple[Mode, ...]] = ("off", "metadata", "full")
View = Callable[[str, object], object]
"""Gets the name of an input (``return`` for the output) and its value; gives what to record in its place."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is known of a node before it runs.

    Attributes:
        mode: None follows the setting of the process.
        view: What is recorded of each value; None: itself.
        keys: Attribute keys of the inputs met so far.
    """

    name: str
    attributes: Mapping[str, str | int]
    mode: Mode | None = None
    view: View | None = None
    arguments: Arguments | None = None
    keys: dict[str, str] = field(default_factory=dict)


class Node:
    """A running operation, for code that is no function of its own. Nothing of it raises."""

    __slots__ = ("_capture", "_flow", "_mode", "_opened", "_operation", "_token", "context", "span")

    def __init__(
        self, span: Span, inner: Context, operation: Operation, capture: Capture, mode: Mode, flow: Dataflow | None
    ) -> None:
        self.span = span
        self.context = inner
        self._operation = operation
        self._capture = capture
        self._mode: Mode = mode
        self._flow = flow
        self._opened: DataflowSpanProcessor | None = None
        self._token: Token[Context] | None = None

    @property
    def records(self) -> bool:
        """Whether anything that is said is recorded."""
        return self._mode != "off" and self.span.is_recording()

    def inputs(self, values: Mapping[str, object]) -> None:
        """Records inputs, and links to the nodes whose outputs they are."""
        if not self.records:
            return
        attributes: dict[str, Attribute] = {}
        links: list[Link] = []
        taken(self._operation, self._capture, self._mode, self._flow, values, attributes, links)
        try:
            self.span.set_attributes(attributes)
            for link in links:
                self.span.add_link(link.context, link.attributes)
        except Exception as error:  # noqa: BLE001 - somebody else's span
            self._capture.failures.add("inputs could not be recorded", error)

    def output(self, value: object) -> None:
        """Records the output; a node that takes it later, or what it is made of, is linked to this one."""
        captured = self.gave(value)
        if captured is not None:
            self.say(captured)

    def gave(self, value: object) -> Captured | None:
        """Remembers a value as this node's, and gives what would be recorded of it; None where nothing is."""
        if not self.records:
            return None
        try:
            captured = captured_of(self._operation, self._capture, self._mode, "return", value)
            if self._flow is not None and not captured.small:
                self._flow.produced(value, self.span.get_span_context(), captured.digest, large=captured.cut)
        except BaseException as error:
            if passes(error):
                raise
            self._capture.failures.add("an output could not be recorded", error)
            return None
        return captured

    def say(self, captured: Captured) -> None:
        """Records what has been captured as the output."""
        self.span.set_attribute(semconv.OUTPUT, captured.text)
        if captured.cut:
            self.span.set_attribute(semconv.TRUNCATED, value=True)

    def enter(self) -> None:
        """Makes the span the current one."""
        self._token = context.attach(self.context)

    def leave(self) -> None:
        """Ends that."""
        token, self._token = self._token, None
        if token is not None:
            detach(token, self.context)

    def fail(self, error: BaseException) -> None:
        """Records an exception; what only ends or cancels is none."""
        if isinstance(error, Exception) and self.span.is_recording():
            try:
                record_exception(self.span, error)
            except BaseException as another:
                if passes(another):
                    raise
                self._capture.failures.add("an exception could not be recorded", another)

    def end(self, at: int | None = None) -> None:
        """Ends the span."""
        try:
            self.span.end(at)
            if self._opened is not None:
                self._opened.close(self.span.get_span_context().trace_id)
        except Exception as error:  # noqa: BLE001 - somebody else's span processor
            self._capture.failures.add("a span could not be ended", error)

    def close(self, result: object) -> None:
        """Leaves, records the output and ends; recording is not part of the operation's time."""
        if self.span.is_recording():
            at = time.time_ns()
            self.leave()
            self.output(result)
            self.end(at)
        else:
            self.leave()
            self.end()

    def abort(self, error: BaseException) -> None:
        """Leaves, records an exception and ends."""
        self.leave()
        self.fail(error)
        self.end()

    def follows(self, flows: DataflowSpanProcessor) -> None:
        """Takes part in the dataflow of its trace; where no local root holds that, this node does."""
        trace_id = self.span.get_span_context().trace_id
        self._flow = flows.of(trace_id)
        if self._flow is None:
            self._flow = flows.open(trace_id)
            self._opened = flows


def captured_of(operation: Operation, capture: Capture, mode: Mode, name: str, value: object) -> Captured:
    """What is recorded of a value; what stands in its place tells nothing of where the value goes."""
    if mode == "metadata":
        return capture.summary(value)
    if operation.view is None:
        return capture.text(name, value)
    try:
        return capture.text(name, operation.view(name, value))._replace(digest=None, small=False)
    except BaseException as error:
        if passes(error):
            raise
        capture.failures.add("the node's capture function failed", error)
        return Captured(REFUSED, cut=True)


def taken(
    operation: Operation,
    capture: Capture,
    mode: Mode,
    flow: Dataflow | None,
    values: Mapping[str, object],
    attributes: dict[str, Attribute],
    links: list[Link],
) -> None:
    """Adds what is recorded of inputs, and links to the nodes whose outputs they are. Never raises."""
    keys = operation.keys
    try:
        for name, value in values.items():
            if len(attributes) >= capture.room:
                attributes[semconv.TRUNCATED] = True
                break
            key = keys.get(name) or _remembered(keys, name)
            captured = captured_of(operation, capture, mode, name, value)
            attributes[key] = captured.text
            if captured.small:
                continue
            if captured.cut:
                attributes[semconv.TRUNCATED] = True
            producers = flow.producers(value, captured.digest) if flow is not None else ()
            if producers:
                links.extend([Link(producer, {semconv.ARG: name}) for producer in producers])
                ids = ",".join([f"{producer.span_id:016x}" for producer in producers])
                attributes[f"{semconv.ARG_PREFIX}{name}{semconv.ARG_FROM_SUFFIX}"] = ids
    except BaseException as error:
        if passes(error):
            raise
        capture.failures.add("inputs could not be recorded", error)


def _remembered(keys: dict[str, str], name: str) -> str:
    """The attribute key of an input; keywords come from anywhere, so that not all of them are kept."""
    key = f"{semconv.INPUT_PREFIX}{name}"
    if len(keys) < _MAX_KEYS:
        keys[name] = key
    return key


class NodeFactory:
    """Makes nodes on the tracer provider in force.

    Args:
        flows: Knows what flowed in each open trace.
        capture: Writes inputs and outputs.
        provider: Gives the tracer provider; asked for each span, because it may be set up late.
    """

    def __init__(
        self, flows: DataflowSpanProcessor, capture: Capture, provider: Callable[[], TracerProvider | None]
    ) -> None:
        self.capture = capture
        self.mode: Mode = "full"
        self._flows = flows
        self._provider = provider
        self._tracer: tuple[TracerProvider, trace.Tracer] | None = None

    def open(self, operation: Operation, values: Mapping[str, object] = NO_VALUES) -> Node:
        """Starts a span in the current context; it is not entered yet.

        Below a recorded span the inputs are there from the start, for samplers and processors; else it shows first
        whether they are wanted at all.
        """
        provider = self._provider() or trace.get_tracer_provider()
        known = self._tracer
        if known is None or known[0] is not provider:
            known = self._tracer = provider, trace.get_tracer(_SCOPE, tracer_provider=provider)
            self.capture.room = room_for_inputs(provider)
        current = context.get_current()
        parent = trace.get_current_span(current)
        own = operation.mode
        mode = self.mode if own is None else lesser(self.mode, own)
        if mode == "off" or not values or not parent.is_recording():
            span = known[1].start_span(operation.name, current, attributes=operation.attributes)
            node = Node(span, trace.set_span_in_context(span, current), operation, self.capture, mode, None)
            if span.is_recording():
                node.follows(self._flows)
                node.inputs(values)
            return node
        attributes: dict[str, Attribute] = {}
        links: list[Link] = []
        flow = self._flows.of(parent.get_span_context().trace_id)
        taken(operation, self.capture, mode, flow, values, attributes, links)
        attributes |= operation.attributes  # behind the inputs: a span that is full drops its oldest
        span = known[1].start_span(operation.name, current, attributes=attributes, links=links)
        node = Node(span, trace.set_span_in_context(span, current), operation, self.capture, mode, flow)
        if flow is None and span.is_recording():
            node.follows(self._flows)
        return node

    def limit(
        self,
        mode: str | None,
        redact: Hook | None,
        milliseconds: float | None,
        environment: Mapping[str, str],
    ) -> None:
        """Says how much is recorded at most; what is None is read from the environment.

        A word that is none of `MODES` records nothing: who writes it has something to hide.
        """
        said = mode or environment.get("OTEL_OPTO_CAPTURE") or "full"
        found = next((known for known in MODES if known == said.strip().lower()), None)
        if found is None:
            _LOG.warning("OTEL_OPTO_CAPTURE: found %r, allowed: %s; inputs and outputs are not recorded", said, MODES)
        self.mode = found or "off"
        self.capture.redact = redact
        self.capture.milliseconds = milliseconds or positive(
            "OTEL_OPTO_CAPTURE_MILLISECONDS", environment, MILLISECONDS
        )

    def begin(self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Node | None:
        """A node of a call, with its inputs, not entered yet; None where none could be made: the call goes on."""
        try:
            return self.open(operation, operation.arguments(args, kwargs) if operation.arguments else NO_VALUES)
        except Exception as error:  # noqa: BLE001 - the application comes first
            self.capture.failures.add("a span could not be started", error)
            return None

    @contextmanager
    def start(self, operation: Operation, values: Mapping[str, object] = NO_VALUES) -> Iterator[Node]:
        """A node around a block of code. Exceptions are recorded and go on."""
        node = self.open(operation, values)
        node.enter()
        try:
            yield node
        except BaseException as error:
            node.abort(error)
            raise
        node.leave()
        node.end()


def lesser(one: Mode, other: Mode) -> Mode:
    """Of the node's own mode and the process's: who runs the process says how much is recorded at most."""
    return one if MODES.index(one) <= MODES.index(other) else other


def operation_of(function: Callable[..., object], name: str, mode: Mode | None, view: View | None) -> Operation:
    """What is known of a function that is a node."""
    shown = name or _name_of(function)
    return Operation(shown, attributes_of(function), mode, view, arguments_of(function))


def _name_of(function: Callable[..., object]) -> str:
    name = getattr(function, "__name__", None) or getattr(getattr(function, "func", None), "__name__", None)
    return name if isinstance(name, str) and name else type(function).__name__


def detach(token: Token[Context], entered: Context) -> None:
    """Goes back to the context before the one that was entered.

    A generator may end a block in another task or thread than it began it in; there OpenTelemetry's own `detach` logs a
    traceback and leaves the span current that has ended.
    """
    try:
        token.var.reset(token)
    except AttributeError:  # another implementation of OpenTelemetry's runtime context
        context.detach(token)
    except (ValueError, RuntimeError):
        if context.get_current() is entered:
            before = token.old_value
            context.attach(before if isinstance(before, Context) else Context())


def record_exception(span: Span, error: BaseException) -> None:
    """As OpenTelemetry does it, but bounded, and whatever the exception's own ``__str__`` does."""
    name = type_name(type(error))
    try:
        message = without_halves(str(error)[:MAX_CHARS])
        stack = "".join(traceback.format_exception(error, limit=-_MAX_FRAMES))
    except Exception:  # noqa: BLE001 - somebody else's __str__
        message, stack = f"<{name}>", "".join(traceback.format_tb(error.__traceback__, -_MAX_FRAMES))
    span.add_event(
        semconv.EXCEPTION_EVENT,
        {
            semconv.EXCEPTION_TYPE: name,
            semconv.EXCEPTION_MESSAGE: message,
            semconv.EXCEPTION_STACKTRACE: without_halves(stack[-_MAX_STACK:]),
            semconv.EXCEPTION_ESCAPED: "False",
        },
    )
    span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {message}")
