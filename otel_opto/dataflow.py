"""What flowed into what: outputs of a trace's nodes, recognised by identity where they become inputs."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext

_MAX_OUTPUTS = 512
_MAX_TRACES = 1024
_SHORT_TEXT = 16


class Dataflow:
    """The outputs of one trace so far, in this process.

    They are held by strong references, so that an identity cannot be given to another object while it counts; the
    oldest go first beyond 512, and all go when the trace ends in this process.
    """

    def __init__(self) -> None:
        self._outputs: OrderedDict[int, tuple[object, SpanContext]] = OrderedDict()

    def produced(self, output: object, producer: SpanContext) -> None:
        """Remembers an output, and the items of a tuple that may be unpacked."""
        self._remember(output, producer)
        if isinstance(output, tuple):
            for item in output:
                self._remember(item, producer)

    def _remember(self, value: object, producer: SpanContext) -> None:
        if _is_atom(value):
            return
        self._outputs[id(value)] = (value, producer)
        self._outputs.move_to_end(id(value))
        while len(self._outputs) > _MAX_OUTPUTS:
            self._outputs.popitem(last=False)

    def producers(self, argument: object) -> list[SpanContext]:
        """The spans whose outputs the argument is, or holds one level deep; each once, in order."""
        found: dict[int, SpanContext] = {}
        for value in _parts(argument):
            known = self._outputs.get(id(value))
            if known is not None:
                found.setdefault(known[1].span_id, known[1])
        return list(found.values())


class DataflowSpanProcessor(SpanProcessor):
    """Holds the dataflow of each trace from the start of its first local span to the end of its last local root."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flows: OrderedDict[int, Dataflow] = OrderedDict()
        self._open_roots: Counter[int] = Counter()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """See `SpanProcessor`."""
        if _is_local_root(span):
            trace_id = span.get_span_context().trace_id
            with self._lock:
                self._open_roots[trace_id] += 1
                self._flows.setdefault(trace_id, Dataflow())
                while len(self._flows) > _MAX_TRACES:
                    evicted, _ = self._flows.popitem(last=False)
                    self._open_roots.pop(evicted, None)

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor`."""
        if _is_local_root(span) and span.context is not None:
            trace_id = span.context.trace_id
            with self._lock:
                self._open_roots[trace_id] -= 1
                if self._open_roots[trace_id] <= 0:
                    self._open_roots.pop(trace_id, None)
                    self._flows.pop(trace_id, None)

    def of(self, trace_id: int) -> Dataflow | None:
        """The dataflow of an open trace."""
        return self._flows.get(trace_id)


def _is_local_root(span: ReadableSpan) -> bool:
    return span.parent is None or span.parent.is_remote


def _parts(argument: object) -> Iterator[object]:
    yield argument
    if isinstance(argument, Mapping):
        yield from argument.values()
    elif isinstance(argument, list | tuple):
        yield from argument


def _is_atom(value: object) -> bool:
    """Values whose identity says nothing, because Python shares them."""
    if value is None or isinstance(value, bool | int | float | bytes | type):
        return True
    if isinstance(value, str):
        return len(value) < _SHORT_TEXT
    return isinstance(value, tuple | frozenset) and not value
