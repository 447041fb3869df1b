"""Whatever Python calls, made a node and left what it was: its kind, name, signature, and what else it can do."""

import contextlib
import copy
import functools
import inspect
import logging
import types
from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

from otel_opto.code.trainable import Trainable, Trainables
from otel_opto.node import MODES, Mode, NodeFactory, Operation, View, operation_of
from otel_opto.streaming import generating, outlasting, streaming

F = TypeVar("F")
_LOG = logging.getLogger("otel_opto")
_FUNCTIONS: Final = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)


class Nodes(NodeFactory):
    """Makes nodes, of functions too.

    Args:
        trainables: Make the source of a function a parameter.
    """

    def __init__(self, trainables: Trainables, *parts: Any) -> None:
        super().__init__(*parts)
        self._trainables = trainables

    @overload
    def decorate(self, function: F, /) -> F: ...
    @overload
    def decorate(
        self,
        function: None = None,
        /,
        *,
        name: str = "",
        capture: bool | Mode | View = True,
        trainable: bool | Trainable = False,
    ) -> Callable[[F], F]: ...
    def decorate(
        self,
        function: Any = None,
        /,
        *,
        name: str = "",
        capture: bool | Mode | View = True,
        trainable: bool | Trainable = False,
    ) -> Any:
        """Makes whatever can be called a node: a span with its inputs, its output and its dataflow.

        Functions and methods, coroutines, generators and async generators (their span lasts until the last item, or
        until they are closed), functions that give a coroutine or a task (until that is done), callable objects; over
        or under `staticmethod`, `classmethod`, `property`, `functools.lru_cache` and the like. The function stays what
        it was: its kind, name, signature and types.

        Args:
            name: Of the span; else the function's.
            capture: False or ``"off"`` keeps inputs and output off the span, and ends the dataflow here; ``"metadata"``
                records types, sizes and dataflow; a function gets the name of an input (``return`` for the output)
                and the value, and gives what to record. ``OTEL_OPTO_CAPTURE`` says how much is recorded at most.
            trainable: Makes the function's source a parameter (docs/code.md); a `Trainable` says more of it.

        Raises:
            InvalidValue: it is trainable and no plain function, or its declaration contradicts itself.
        """
        mode: Mode | None = None
        view = capture if callable(capture) else None
        if view is None and capture is not True:
            if capture not in (False, *MODES):
                _LOG.warning("@node: capture=%r is none of %s; nothing is recorded", capture, MODES)
            mode = next((known for known in MODES if known == capture), "off")
        train = None
        if trainable:
            said = trainable if isinstance(trainable, Trainable) else Trainable()
            train = functools.partial(self._trainables.of, said=said, name=name)
        wrapping = Wrapping(self, name, mode, view, train)
        return wrapping.wrap if function is None else wrapping.wrap(function)


class Wrapping:
    """Makes nodes of one kind of options.

    Args:
        name: Of the spans; else the function's.
        mode: How much is recorded; None follows the setting of the process.
        view: What is recorded of each value; None: itself.
        train: Makes a function one whose source is a parameter; None leaves it.
    """

    def __init__(
        self,
        factory: NodeFactory,
        name: str,
        mode: Mode | None,
        view: View | None,
        train: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
    ) -> None:
        self.options = name, mode, view
        self._factory = factory
        self._train = train

    def wrap(self, target: Any) -> Any:
        """The node in the place of the target. What cannot be a node is given back as it is, and said in the log."""
        kind = type(target)
        if kind in _FUNCTIONS:
            return self._function(target)
        for known, made in _DESCRIPTORS.items():
            if issubclass(kind, known):
                return made(self, target)
        if issubclass(kind, type):
            _LOG.warning(
                "@node does nothing on the class %s: decorate what is called, its methods", target.__qualname__
            )
            return target
        if _is_langchain_tool(kind):
            return self._tool(target)
        if not callable(target):
            if hasattr(kind, "__get__"):
                return _Descriptor(self, target)
            _LOG.warning("@node does nothing on a %s: it cannot be called", kind.__qualname__)
            return target
        if hasattr(kind, "__get__"):
            return _with_all_of(self._function(target), target)
        return _object_of(self, target)

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self._train is not None:
            function = self._train(function)
        operation = operation_of(function, *self.options)
        begin = functools.partial(self._factory.begin, operation)
        if inspect.isasyncgenfunction(function):
            made = streaming(begin, function)
        elif inspect.iscoroutinefunction(function):
            made = self._awaiting(operation, function)
        elif inspect.isgeneratorfunction(function):
            made = generating(begin, function)
        else:
            made = self._calling(operation, function)
        made.__name__ = made.__qualname__ = operation.name
        return functools.update_wrapper(made, function)

    def called(self, target: Any) -> Callable[..., Any]:
        """What a callable object does when it is called, as a node with the name of its class."""
        name, mode, view = self.options
        named = Wrapping(self._factory, name or type(target).__name__, mode, view, self._train)
        return named._function(target.__call__)

    def _calling(self, operation: Operation, function: Callable[..., Any]) -> Callable[..., Any]:
        begin, shapes = self._factory.begin, self._factory.capture.shapes

        def calling(*args: Any, **kwargs: Any) -> Any:
            node = begin(operation, args, kwargs)
            if node is None:
                return function(*args, **kwargs)
            node.enter()
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                node.abort(error)
                raise
            if shapes.of(type(result)).later:
                node.leave()
                return outlasting(node, result)
            node.close(result)
            return result

        return calling

    def _awaiting(self, operation: Operation, function: Callable[..., Any]) -> Callable[..., Any]:
        begin = self._factory.begin

        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            node = begin(operation, args, kwargs)
            if node is None:
                return await function(*args, **kwargs)
            node.enter()
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                node.abort(error)
                raise
            node.close(result)
            return result

        return awaiting

    def _method(self, target: Any) -> Any:
        return type(target)(self.wrap(target.__func__))

    def _property(self, target: property) -> property:
        return target.getter(self.wrap(target.fget)) if target.fget is not None else target

    def _cached_property(self, target: Any) -> Any:
        made = copy.copy(target)
        made.func = self.wrap(target.func)
        return made

    def _partial(self, target: Any) -> Any:
        return type(target)(self.wrap(target.func), *target.args, **target.keywords)

    def _tool(self, target: Any) -> Any:
        """A tool of LangChain is known by what it is; what it calls becomes the node."""
        held = [name for name in ("func", "coroutine") if callable(getattr(target, name, None))]
        for name in held:
            setattr(target, name, self.wrap(getattr(target, name)))
        if not held:
            _LOG.warning("@node does nothing on the tool %s: decorate its method _run", type(target).__qualname__)
        return target


_DESCRIPTORS: Final[dict[Any, Callable[[Wrapping, Any], Any]]] = {
    staticmethod: Wrapping._method,  # noqa: SLF001 - the table is the class's own
    classmethod: Wrapping._method,  # noqa: SLF001
    property: Wrapping._property,  # noqa: SLF001
    functools.cached_property: Wrapping._cached_property,  # noqa: SLF001
    functools.partial: Wrapping._partial,  # noqa: SLF001
    functools.partialmethod: Wrapping._partial,  # noqa: SLF001
}


class _Descriptor:
    """A descriptor of another library: what it gives is a node."""

    def __init__(self, wrapping: Wrapping, target: Any) -> None:
        self._wrapping = wrapping
        self._target = target

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        found = self._target.__get__(instance, owner)
        return self._wrapping.wrap(found) if callable(found) and not isinstance(found, type) else found

    def __set_name__(self, owner: type, name: str) -> None:
        told = getattr(self._target, "__set_name__", None)
        if told is not None:
            told(owner, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_target":
            raise AttributeError(name)
        return getattr(self._target, name)


class _Object:
    """An object that can be called: its calls are nodes, and it is in everything else what it was."""

    def __init__(self, wrapping: Wrapping, target: Any) -> None:
        self.__dict__.update(_wrapping=wrapping, _target=target, __call__=wrapping.called(target), __wrapped__=target)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__["__call__"](*args, **kwargs)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.__dict__["_target"])

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.__dict__["_target"])

    def __getattr__(self, name: str) -> Any:
        if "_target" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.__dict__["_target"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["_target"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__dict__["_target"], name)

    def __copy__(self) -> Any:
        return self.__dict__["_wrapping"].wrap(copy.copy(self.__dict__["_target"]))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.__dict__["_wrapping"].wrap(copy.deepcopy(self.__dict__["_target"], memo))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _noded, (self.__dict__["_target"], *self.__dict__["_wrapping"].options)


def _noded(target: Any, name: str, mode: Mode | None, view: View | None) -> Any:
    """A callable object that was pickled, as a node of the process that reads it."""
    import otel_opto  # noqa: PLC0415 - the one instance of the process, which imports this module

    return otel_opto.node(name=name, capture=view or mode or True)(target)


def _object_of(wrapping: Wrapping, target: Any) -> Any:
    """With the special methods of the target's class, which Python looks up on the class alone."""
    kind = type(target)
    own = vars(_Object).keys() | vars(object).keys() - {"__eq__", "__hash__", "__repr__", "__str__", "__format__"}
    special = [name for name in dir(kind) if name[:2] == name[-2:] == "__" and name not in own]
    forwards = {name: _forward(name) for name in special if callable(getattr(kind, name, None))}
    return type(kind.__name__, (_Object,), {**forwards, "__doc__": kind.__doc__})(wrapping, target)


def _forward(name: str) -> Callable[..., Any]:
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.__dict__["_target"], name)(*args, **kwargs)

    return forward


def _with_all_of(made: Callable[..., Any], target: Any) -> Callable[..., Any]:
    """With what else the target can do: `cache_clear`, `register`, `delay`, …"""
    for name in dir(target):
        if not name.startswith("_") and not hasattr(made, name):
            with contextlib.suppress(Exception):  # a property of somebody else's class
                setattr(made, name, getattr(target, name))
    return made


def _is_langchain_tool(kind: type) -> bool:
    return any(str(base.__module__).startswith("langchain_core.tools") for base in kind.__mro__)
