"""Operations of the graph: functions, and blocks of code, that become spans with inputs, output and dataflow."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast, overload

from opentelemetry import context, trace
from opentelemetry.trace import Span, TracerProvider

from otel_opto import semconv
from otel_opto.capture import capture
from otel_opto.dataflow import Dataflow, DataflowSpanProcessor
from otel_opto.pinning import Pins

P = ParamSpec("P")
R = TypeVar("R")
_SCOPE = "otel_opto"


class Node:
    """A running operation, for code that is no function of its own."""

    def __init__(self, span: Span, flow: Dataflow | None, *, records: bool) -> None:
        self.span = span
        self._flow = flow
        self._records = records

    def inputs(self, values: Mapping[str, object]) -> None:
        """Records inputs, and links to the nodes whose outputs they are."""
        if not self._records or not self.span.is_recording():
            return
        for name, value in values.items():
            self._capture(f"{semconv.INPUT_PREFIX}{name}", value)
            producers = self._flow.producers(value) if self._flow is not None else []
            for producer in producers:
                self.span.add_link(producer, {semconv.ARG: name})
            if producers:
                ids = ",".join(f"{producer.span_id:016x}" for producer in producers)
                self.span.set_attribute(f"{semconv.ARG_PREFIX}{name}{semconv.ARG_FROM_SUFFIX}", ids)

    def output(self, value: object) -> None:
        """Records the output; a node that takes this very object later is linked to this one."""
        if not self._records or not self.span.is_recording():
            return
        self._capture(semconv.OUTPUT, value)
        if self._flow is not None:
            self._flow.produced(value, self.span.get_span_context())

    def _capture(self, key: str, value: object) -> None:
        text, cut = capture(value)
        self.span.set_attribute(key, text)
        if cut:
            self.span.set_attribute(semconv.TRUNCATED, value=True)


class NodeFactory:
    """Makes nodes on the tracer provider in force.

    Args:
        pins: Say which release goes into baggage.
        flows: Knows what flowed in each open trace.
        provider: Gives the tracer provider; asked for each span, because it may be set up late.
    """

    def __init__(self, pins: Pins, flows: DataflowSpanProcessor, provider: Callable[[], TracerProvider | None]) -> None:
        self._pins = pins
        self._flows = flows
        self._provider = provider

    @contextmanager
    def start(self, name: str, attributes: Mapping[str, str | int], *, records: bool) -> Iterator[Node]:
        """A span in a context whose baggage names the release. Exceptions are recorded and go on."""
        tracer = trace.get_tracer(_SCOPE, tracer_provider=self._provider())
        with tracer.start_as_current_span(name, attributes=attributes) as span:
            token = context.attach(self._pins.carried())
            try:
                yield Node(span, self._flows.of(span.get_span_context().trace_id), records=records)
            finally:
                context.detach(token)

    @overload
    def decorate(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def decorate(
        self, function: None = None, /, *, name: str = "", capture: bool = True
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def decorate(self, function: Callable[P, R] | None = None, /, *, name: str = "", capture: bool = True) -> object:
        """Makes a function, plain or ``async``, a node: a span with its inputs, its output and its dataflow.

        Args:
            name: Of the span; else the function's.
            capture: False keeps inputs and output off the span.
        """
        if function is None:
            return functools.partial(self._wrap, name=name, records=capture)
        return self._wrap(function, name=name, records=capture)

    def _wrap(self, function: Callable[P, R], *, name: str, records: bool) -> Callable[P, R]:
        shown = name or getattr(function, "__name__", "node")
        attributes = _code_attributes(function)
        name_arguments = _argument_names(function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                with self.start(shown, attributes, records=records) as node:
                    node.inputs(name_arguments(args, kwargs))
                    result = await function(*args, **kwargs)
                    node.output(result)
                return result

            return cast("Callable[P, R]", awaiting)

        @functools.wraps(function)
        def calling(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.start(shown, attributes, records=records) as node:
                node.inputs(name_arguments(args, kwargs))
                result = function(*args, **kwargs)
                node.output(result)
            return result

        return calling


def _code_attributes(function: Callable[..., object]) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {}
    module, qualified = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if qualified:
        attributes[semconv.CODE_FUNCTION_NAME] = f"{module}.{qualified}" if module else qualified
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is not None:
        attributes[semconv.CODE_FILE_PATH] = code.co_filename
        attributes[semconv.CODE_LINE_NUMBER] = code.co_firstlineno
    return attributes


_Arguments = Callable[[tuple[Any, ...], dict[str, Any]], Mapping[str, object]]


def _argument_names(function: Callable[..., object]) -> _Arguments:
    """Names for positional arguments, worked out once; `inspect.Signature.bind` would cost 10 µs a call."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
    skip = 1 if positional[:1] in (["self"], ["cls"]) else 0

    def named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
        values: dict[str, object] = dict(zip(positional[skip:], args[skip:], strict=False))
        if len(args) > len(positional):
            values[rest] = args[len(positional) :]
        values.update(kwargs)
        return values

    return named
