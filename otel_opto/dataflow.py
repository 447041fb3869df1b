"""What flowed into what: outputs of a trace's nodes, recognised where they become inputs of others."""

import threading
import weakref
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext

from otel_opto.capture import SHORT_TEXT
from otel_opto.shape import Form, Shape, Shapes

_MAX_OUTPUTS: Final = 1_024
_MAX_TRACES: Final = 1_024
_MAX_DEPTH: Final = 5
_MAX_VISITS: Final = 512
_MAX_PARTS: Final = 64
_MAX_WAITING: Final = 512
_MAX_ITEMS: Final = 256
_MAX_WEIGHT: Final = 65_536
_WHOLE_TEXT: Final = 16_384

_ATOMS: Final = frozenset((int, float, bool, type(None), complex))
_NOT_WEAK: Final = frozenset((dict, list, tuple))


_MAX_DIGESTED: Final = 8

Digest = Callable[[object], int | None]
_Waiting = tuple[object, SpanContext, bool]
_Part = tuple[object, Shape, int]


class _Held(NamedTuple):
    """An output, or a part of one.

    Attributes:
        value: Itself where it is small and Python knows no weak reference to it; else a weak reference; else None.
        mark: Of a large one: what it begins with, in the place of a reference.
        size: Of a container, when it was given; one that has grown was changed by whoever gives it next.
    """

    value: object
    mark: object
    size: int
    producer: SpanContext

    def is_of(self, value: object, shapes: Shapes) -> bool:
        """Whether this is that very object, and not another one that got its place in memory."""
        if self.mark is not None:
            return self.mark == _mark(value, shapes, 0)
        return self.value is value or (type(self.value) is weakref.ref and self.value() is value)


class Dataflow:
    """The outputs of one trace so far, in this process.

    A value is recognised by its identity, else by its content: texts and bytes of 16 and more by a digest, containers
    by the digest of their captured text. What Python shares - numbers, short texts, functions - is never recognised.
    What outputs are made of is looked at when an input comes that is none of them as a whole.

    Memory is bounded: the oldest of 1,024 outputs goes first, only small containers are held by a strong reference,
    and all goes when the trace ends in this process.
    """

    def __init__(self, shapes: Shapes, digest: Digest) -> None:
        self._shapes = shapes
        self._digest = digest
        self._lock = threading.Lock()
        self._held: dict[int, _Held] = {}
        self._digests: dict[int, SpanContext] = {}
        self._waiting: deque[_Waiting] = deque(maxlen=_MAX_WAITING)

    def produced(self, output: object, producer: SpanContext, digest: int | None, *, large: bool) -> None:
        """Remembers an output.

        Args:
            digest: Of the output, where it is a container that has been captured whole.
            large: Whether it is too large to be held until somebody asks.
        """
        shape = self._shapes.of(type(output))
        if shape.shared:
            return
        with self._lock:
            self._remember(output, shape, producer, _digest(output, shape) or digest, large=large, first=True)
            if shape.items is None and shape.attributes is None:
                return
            if large or type(output) not in _NOT_WEAK:  # is not held, and what it was made of may outlive it
                self._look_into([(output, producer, digest is not None)], large=large)
            else:
                self._waiting.append((output, producer, digest is not None))

    def _look_into(self, outputs: Iterable[_Waiting], *, large: bool = False) -> None:
        """Remembers what outputs are made of.

        A part that an earlier node gave stays its own, unless it has grown since: then it is of the last that gave it.
        """
        grown: set[int] = set()
        for output, producer, whole in outputs:
            parts, weight = self._parts(output)
            left = _MAX_DIGESTED if whole else 0
            for value, shape, depth in parts:
                digest = _digest(value, shape)
                if digest is None and depth == 1 and left > 0 and _is_container(shape):
                    left -= 1
                    digest = self._digest(value)
                known = self._held.get(id(value))
                if known is not None and known.size != _size(value, shape):
                    grown.add(id(value))
                first = id(value) in grown
                self._remember(value, shape, producer, digest, large=large or weight > _MAX_WEIGHT, first=first)
        for memory in (self._held, self._digests):
            while len(memory) > _MAX_OUTPUTS:
                del memory[next(iter(memory))]

    def _parts(self, output: object) -> tuple[list[_Part], int]:
        """What an output holds, the nearest first, and how much it weighs in characters, roughly."""
        found: list[_Part] = []
        weight, level, seen = 0, [(output, self._shapes.of(type(output)))], {id(output)}
        for depth in range(1, _MAX_DEPTH + 1):
            inner: list[tuple[object, Shape]] = []
            for container, its in level:
                for value in _children(container, its):
                    kind = type(value)
                    if kind in _ATOMS or (kind is str and len(value) < SHORT_TEXT) or id(value) in seen:
                        continue
                    shape = self._shapes.of(kind)
                    if shape.shared:
                        continue
                    if len(found) >= _MAX_PARTS:
                        return found, _MAX_WEIGHT + 1
                    seen.add(id(value))
                    found.append((value, shape, depth))
                    size = _size(value, shape)
                    weight += size if shape.form is Form.TEXT else 8 * size
                    if shape.items is not None or shape.attributes is not None:
                        inner.append((value, shape))
            level = inner
        return found, weight

    def _remember(
        self, value: object, shape: Shape, producer: SpanContext, digest: int | None, *, large: bool, first: bool
    ) -> None:
        if digest is not None and (first or digest not in self._digests):
            self._digests.pop(digest, None)
            self._digests[digest] = producer
        if type(value) is str or _says_nothing(value, shape):
            return
        key, size = id(value), _size(value, shape)
        known = self._held.get(key)
        if known is not None and not first and known.is_of(value, self._shapes):
            return
        reference, mark = self._reference(value, large=large)
        if known is not None:
            del self._held[key]
        self._held[key] = _Held(reference, mark, size, producer)

    def _reference(self, value: object, *, large: bool) -> tuple[object, object]:
        if type(value) not in _NOT_WEAK:
            try:
                return weakref.ref(value), None
            except TypeError:
                pass
        return (None, _mark(value, self._shapes, 0)) if large else (value, None)

    def producers(self, argument: object, digest: int | None) -> list[SpanContext]:
        """The spans whose outputs the argument is, or holds some levels deep; each once, in order.

        What is recognised is not looked into.

        Args:
            digest: Of the argument, where it is a container that has been captured whole.
        """
        shape = self._shapes.of(type(argument))
        if shape.shared or not (self._held or self._digests):
            return []
        producer = self._producer(argument, _digest(argument, shape) or digest)
        if producer is not None and not (self._waiting and self._has_grown(argument, shape)):
            return [producer]
        if self._waiting:
            with self._lock:
                waiting, self._waiting = self._waiting, deque(maxlen=_MAX_WAITING)
                self._look_into(waiting)
            producer = self._producer(argument, _digest(argument, shape) or digest)
            if producer is not None:
                return [producer]
        return self._search(argument, shape, whole=digest is not None)

    def _has_grown(self, value: object, shape: Shape) -> bool:
        known = self._held.get(id(value))
        return known is not None and known.size != _size(value, shape)

    def _producer(self, value: object, digest: int | None) -> SpanContext | None:
        known = self._held.get(id(value))
        if known is not None and known.is_of(value, self._shapes):
            return known.producer
        return self._digests.get(digest) if digest is not None else None

    def _search(self, argument: object, shape: Shape, *, whole: bool) -> list[SpanContext]:
        found: dict[int, SpanContext] = {}
        level, seen, left = [(argument, shape)], {id(argument)}, _MAX_DIGESTED if whole else 0
        for _ in range(_MAX_DEPTH):
            inner: list[tuple[object, Shape]] = []
            for container, its in level:
                for value in _children(container, its):
                    kind = type(value)
                    if kind in _ATOMS or (kind is str and len(value) < SHORT_TEXT) or id(value) in seen:
                        continue
                    if len(seen) >= _MAX_VISITS:
                        return list(found.values())
                    seen.add(id(value))
                    shape = self._shapes.of(kind)
                    if shape.shared:
                        continue
                    digest = _digest(value, shape)
                    producer = self._producer(value, digest)
                    if producer is None and digest is None and left > 0 and _is_container(shape):
                        left -= 1
                        digest = self._digest(value)
                        producer = self._digests.get(digest) if digest is not None else None
                    if producer is not None:
                        found.setdefault(producer.span_id, producer)
                    elif shape.items is not None or shape.attributes is not None:
                        inner.append((value, shape))
            level = inner
        return list(found.values())


class DataflowSpanProcessor(SpanProcessor):
    """Holds the dataflow of each trace from the start of its first local span to the end of its last local root."""

    def __init__(self, shapes: Shapes, digest: Digest) -> None:
        self._shapes = shapes
        self._digest = digest
        self._lock = threading.Lock()
        self._flows: OrderedDict[int, Dataflow] = OrderedDict()
        self._open_roots: Counter[int] = Counter()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """See `SpanProcessor`."""
        parent = span.parent
        if parent is None or parent.is_remote:
            self.open(span.get_span_context().trace_id)

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor`."""
        parent = span.parent
        if (parent is None or parent.is_remote) and span.context is not None:
            self.close(span.context.trace_id)

    def open(self, trace_id: int) -> Dataflow:
        """The dataflow of a trace, kept until it was closed as often as it was opened."""
        with self._lock:
            self._open_roots[trace_id] += 1
            found = self._flows.get(trace_id)
            if found is None:
                found = self._flows[trace_id] = Dataflow(self._shapes, self._digest)
                if len(self._flows) > _MAX_TRACES:
                    evicted, _ = self._flows.popitem(last=False)
                    self._open_roots.pop(evicted, None)
            return found

    def close(self, trace_id: int) -> None:
        """The counterpart of `open`."""
        with self._lock:
            left = self._open_roots.get(trace_id, 0) - 1
            if left > 0:
                self._open_roots[trace_id] = left
            else:
                self._open_roots.pop(trace_id, None)
                self._flows.pop(trace_id, None)

    def renew(self) -> None:
        """In a forked child: another thread may have held the lock."""
        self._lock = threading.Lock()

    def of(self, trace_id: int) -> Dataflow | None:
        """The dataflow of an open trace."""
        return self._flows.get(trace_id)


def _is_container(shape: Shape) -> bool:
    return shape.form is Form.LIST or shape.form is Form.MAPPING or shape.form is Form.FIELDS


def _children(value: Any, shape: Shape) -> Sequence[Any]:
    """What a container or an object holds; nothing where it cannot be read."""
    kind = type(value)
    if (kind is list or kind is tuple) and len(value) <= _MAX_ITEMS:
        return value  # type: ignore[no-any-return]
    items = shape.items or shape.attributes
    if items is None:
        return ()
    try:
        if kind is dict and len(value) <= _MAX_ITEMS:
            return list(value.values())
        found = items(value, _MAX_ITEMS)
    except Exception:  # noqa: BLE001 - changed by another thread while it was read, for example
        return ()
    return found if shape.form is Form.LIST else [item for _, item in found]


def _size(value: Any, shape: Shape) -> int:
    return shape.size(value) if shape.size is not None else 0


def _digest(value: Any, shape: Shape) -> int | None:
    """Of a text or bytes that says enough: of the whole, or where it is long of both ends and of letters between."""
    if shape.form is not Form.TEXT and type(value) is not bytes:
        return None
    size = len(value) if type(value) is bytes else str.__len__(value)
    if size < SHORT_TEXT:
        return None
    if size <= _WHOLE_TEXT:
        return hash(value) if type(value) in (str, bytes) else str.__hash__(value)
    part = bytes.__getitem__ if type(value) is bytes else str.__getitem__
    ends, between = part(value, slice(2_048)), part(value, slice(None, None, size // 512))
    return hash((size, ends, part(value, slice(-2_048, None)), between))


def _says_nothing(value: Any, shape: Shape) -> bool:
    """Whether identity says nothing, because Python shares such values, or the digest says all."""
    return shape.form is Form.TEXT or type(value) is bytes or (type(value) in (tuple, frozenset) and not value)


def _mark(value: Any, shapes: Shapes, depth: int) -> object:
    """What a large container begins with: its type and the first items, down to the first leaf."""
    shape = shapes.of(type(value))
    if shape.form is Form.TEXT:
        return str.__len__(value), str.__getitem__(value, slice(64))
    if type(value) in _ATOMS:
        return value
    items = _children(value, shape)[:2] if depth < 4 else []
    return type(value), *(_mark(item, shapes, depth + 1) for item in items)
