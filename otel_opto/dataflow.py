"""What flowed into what: outputs of a trace's nodes, recognised by identity where they become inputs."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext

_KEY = context.create_key("otel-opto-dataflow")
_MAX_OUTPUTS = 512
_SHORT_TEXT = 16


class Dataflow:
    """The outputs of one trace so far, in this process.

    They are held by strong references, so that an identity cannot be given to another object while it counts; the
    oldest go first beyond 512, and all go with the trace's outermost node.
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


def current() -> Dataflow | None:
    """The dataflow of the current trace; None outside of a node."""
    flow = context.get_value(_KEY)
    return flow if isinstance(flow, Dataflow) else None


def begun(within: Context) -> Context:
    """The context with a dataflow of its own, unless it has one already."""
    return (
        within if isinstance(context.get_value(_KEY, within), Dataflow) else context.set_value(_KEY, Dataflow(), within)
    )


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
