"""What a value is made of, read without running any of its code: no method, property, iterator or `repr` of a class.

Values in somebody else's process can be anything: a row that queries when it is looked at, a closed cursor, a proxy. So
only what the interpreter itself keeps is read - the content of built-in containers, whatever a subclass overrides, and
the instance dictionary and slots of objects - and everything else is known by its type.
"""

import enum
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

_MAX_TYPES: Final = 4_096
_LARGE: Final = 4_096
"""Bytes of a number; one that is larger is not written out."""

_ARRAYS: Final = frozenset(("numpy", "pandas", "polars", "torch", "tensorflow", "jax", "jaxlib", "cupy", "pyarrow"))


class Form(enum.Enum):
    """How a value is written."""

    TEXT = enum.auto()
    INTEGER = enum.auto()
    FLOAT = enum.auto()
    CONSTANT = enum.auto()
    LIST = enum.auto()
    MAPPING = enum.auto()
    FIELDS = enum.auto()
    WORDS = enum.auto()


Items = Callable[[Any, int], list[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """How the values of one type are read.

    Attributes:
        form: Says which of the others there is.
        items: LIST: the first so many items. MAPPING and FIELDS: the first so many pairs of key and item.
        size: LIST, MAPPING and TEXT: how many there are.
        words: WORDS: the value in words.
        attributes: Pairs of name and item that code of the value may reach, for dataflow only: instance dictionaries
            hold secrets, too.
        later: Whether it is the beginning of something: a coroutine, a generator, a future.
        shared: Whether Python or a program shares its instances, so that identity says nothing.
    """

    form: Form
    items: Items | None = None
    size: Callable[[Any], int] | None = None
    words: Callable[[Any], str] | None = None
    attributes: Items | None = None
    later: bool = False
    shared: bool = False


class Shapes:
    """The shapes of the types that have been met; the last 4,096."""

    def __init__(self) -> None:
        self._known: dict[type, Shape] = {}

    def of(self, kind: type) -> Shape:
        """The shape of a type's values."""
        found = self._known.get(kind)
        if found is None:
            if len(self._known) >= _MAX_TYPES:
                self._known = {}
            found = self._known[kind] = shape_of(kind)
        return found


def shape_of(kind: type) -> Shape:
    """The shape of the values of a type, from what its classes are; nothing of them is called."""
    line = _line(kind)
    for base, made in _BUILT_IN.items():
        if base in line:
            fields = _named_tuple(line) if base is tuple else None
            if fields is not None:
                return Shape(Form.FIELDS, items=fields)
            return made if kind is base else Shape(made.form, made.items, made.size, made.words)
    words = _words_of(kind, line)
    if words is not None:
        size = len if kind in (bytes, bytearray) else None
        return Shape(Form.WORDS, words=words, size=size, shared=enum.Enum in line or not _SHARED.isdisjoint(line))
    fields = _fields_of(line)
    if fields is not None:
        return Shape(Form.FIELDS, items=fields)
    name = type_name(kind)
    described = _array(name) if name.split(".", 1)[0] in _ARRAYS else (lambda _: f"<{name}>")
    later = kind in _LATER or (
        _static(line, "__await__") is not None and _static(line, "add_done_callback") is not None
    )
    shared = not _SHARED.isdisjoint(line)
    return Shape(Form.WORDS, words=described, attributes=_stored(line), later=later, shared=shared)


def type_name(kind: type) -> str:
    """Module and name of a type, whatever its metaclass makes of them."""
    module, name = _TYPE["__module__"].__get__(kind), _TYPE["__qualname__"].__get__(kind)
    return f"{module}.{name}" if type(module) is str and module != "builtins" else str(name)


_TYPE: Final = type.__dict__


def _line(kind: type) -> tuple[type, ...]:
    found: tuple[type, ...] = _TYPE["__mro__"].__get__(kind)
    return found


def _static(line: tuple[type, ...], name: str) -> Any:
    """What a class or one of its bases has under that name, without the descriptor protocol; None if nothing."""
    for one in line:
        own = _TYPE["__dict__"].__get__(one)
        if name in own:
            return own[name]
    return None


_LATER: Final = frozenset((types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType))
_SHARED: Final = frozenset(
    (
        types.FunctionType,
        types.BuiltinFunctionType,
        types.MethodType,
        types.ModuleType,
        types.CodeType,
        type,
        type(...),
        type(NotImplemented),
    )
)


# --- containers -------------------------------------------------------------------------------------------------


def _first(iterate: Callable[[Any], Iterable[Any]]) -> Items:
    return lambda value, most: list(islice(iterate(value), most))


def _numbered(value: Any, most: int) -> list[Any]:
    return list(islice(dict.items(value), most))


_BUILT_IN: Final[dict[type, Shape]] = {
    str: Shape(Form.TEXT, size=str.__len__),
    bool: Shape(Form.CONSTANT, shared=True),
    int: Shape(Form.INTEGER, shared=True),
    float: Shape(Form.FLOAT, shared=True),
    type(None): Shape(Form.CONSTANT, shared=True),
    dict: Shape(Form.MAPPING, items=_numbered, size=dict.__len__),
    list: Shape(Form.LIST, items=_first(list.__iter__), size=list.__len__),
    tuple: Shape(Form.LIST, items=_first(tuple.__iter__), size=tuple.__len__),
    set: Shape(Form.LIST, items=_first(set.__iter__), size=set.__len__),
    frozenset: Shape(Form.LIST, items=_first(frozenset.__iter__), size=frozenset.__len__),
    deque: Shape(Form.LIST, items=_first(deque.__iter__), size=deque.__len__),
    type({}.values()): Shape(Form.LIST, items=_first(type({}.values()).__iter__), size=type({}.values()).__len__),
    type({}.keys()): Shape(Form.LIST, items=_first(type({}.keys()).__iter__), size=type({}.keys()).__len__),
    type({}.items()): Shape(Form.LIST, items=_first(type({}.items()).__iter__), size=type({}.items()).__len__),
}


def _named_tuple(line: tuple[type, ...]) -> Items | None:
    names = _static(line, "_fields")
    if type(names) is not tuple or not all(type(name) is str for name in names):
        return None
    return lambda value, most: list(islice(zip(names, tuple.__iter__(value), strict=False), most))


# --- objects with fields ----------------------------------------------------------------------------------------


def _fields_of(line: tuple[type, ...]) -> Items | None:
    """Fields of dataclasses, attrs, msgspec and pydantic; those that they leave out of their `repr` are left out."""
    if types.SimpleNamespace in line:
        return _public(_stored(line))
    if getattr(sys.modules.get("msgspec"), "Struct", None) in line:
        return _reader(line, list(line[0].__struct_fields__), others=False)  # type: ignore[attr-defined]
    for declared, names in _DECLARED.items():
        found = _static(line, declared)
        if found is not None:
            try:
                shown = names(found)
            except Exception:  # noqa: BLE001 - somebody else's class of a name that we know
                return None
            return _reader(line, shown, others=declared == "__pydantic_fields__")
    return None


def _shown(fields: Any) -> list[str]:
    return [name for name, field in dict(fields).items() if getattr(field, "repr", True) is not False]


_DECLARED: Final[dict[str, Callable[[Any], list[str]]]] = {
    "__pydantic_fields__": lambda fields: [
        name for name, one in dict(fields).items() if one.repr is not False and one.exclude is not True
    ],
    "__dataclass_fields__": _shown,
    "__attrs_attrs__": lambda fields: [field.name for field in fields if field.repr is not False],
}


def _reader(line: tuple[type, ...], names: list[str], *, others: bool) -> Items:
    """Reads the fields of an object; one that is not there (not loaded, deleted) is left out."""
    stored = _dictionary(line)
    slots = {name: slot for name in names if type(slot := _static(line, name)) is types.MemberDescriptorType}
    extra = _static(line, "__pydantic_extra__") if others else None

    def read(value: Any, most: int) -> list[Any]:
        own = stored(value) if stored is not None else {}
        found = []
        for name in names[:most]:
            if name in own:
                found.append((name, own[name]))
            elif name in slots:
                try:
                    found.append((name, slots[name].__get__(value)))
                except AttributeError:
                    continue
        if type(extra) is types.MemberDescriptorType and len(found) < most:
            more = extra.__get__(value)
            if type(more) is dict:
                found += islice(more.items(), most - len(found))
        return found

    return read


def _dictionary(line: tuple[type, ...]) -> Callable[[Any], dict[str, Any]] | None:
    """Reads the instance dictionary where it is the interpreter's own; a class can put a property in its place."""
    found = _static(line, "__dict__")
    if type(found) not in (types.GetSetDescriptorType, types.MemberDescriptorType):
        return None

    def read(value: Any) -> dict[str, Any]:
        own = found.__get__(value)
        return own if type(own) is dict else {}

    return read


def _stored(line: tuple[type, ...]) -> Items | None:
    stored = _dictionary(line)
    if stored is None:
        return None
    return lambda value, most: list(islice(stored(value).items(), most))


def _public(stored: Items | None) -> Items | None:
    if stored is None:
        return None
    return lambda value, most: [pair for pair in stored(value, most) if pair[0][:1] != "_"]


# --- what is written in words -----------------------------------------------------------------------------------


def _words_of(kind: type, line: tuple[type, ...]) -> Callable[[Any], str] | None:
    exact = _EXACT.get(kind)
    if exact is not None:
        return exact
    for (module, name), words in _IF_IMPORTED.items():
        if _is(kind, module, name):
            return words
    if enum.Enum in line:
        shown = type_name(kind).rsplit(".", 1)[-1]
        stored = _dictionary(line)
        return lambda value: f"{shown}.{(stored(value) if stored else {}).get('_name_')}"
    if BaseException in line:
        return _exception(type_name(kind).rsplit(".", 1)[-1])
    if PurePath in line and kind.__module__.partition(".")[0] == "pathlib":
        return PurePath.__str__
    if type in line:
        return lambda value: f"<class {type_name(value)}>"
    return None


def _exception(name: str) -> Callable[[Any], str]:
    arguments = _TYPE["__dict__"].__get__(BaseException)["args"]

    def words(error: Any) -> str:
        said = [one for one in arguments.__get__(error)[:4] if type(one) in (str, int, float, bool)]
        return f"{name}({', '.join(repr(one[:_LARGE] if type(one) is str else one) for one in said)})"

    return words


def _bytes(value: Any) -> str:
    size = len(value)
    return repr(bytes(value[:64])) if size <= 64 else f"<{type(value).__name__} of {size:,}: {bytes(value[:64])!r}…>"


def _decimal(value: Any) -> str:
    return str(value) if value.__sizeof__() <= _LARGE else "<decimal.Decimal>"


def _fraction(value: Any) -> str:
    small = max(value.numerator.__sizeof__(), value.denominator.__sizeof__()) <= 1_024
    return f"{value.numerator}/{value.denominator}" if small else "<fractions.Fraction>"


def _moment(value: Any) -> str:
    """With the offset only where the time zone is one of the standard library's: others run code."""
    zone = type(value.tzinfo)
    known = value.tzinfo is None or zone is timezone or _is(zone, "zoneinfo", "ZoneInfo")
    return str((value if known else value.replace(tzinfo=None)).isoformat())


def _function(value: Any) -> str:
    module = value.__module__
    return f"<function {module}.{value.__qualname__}>" if type(module) is str else f"<function {value.__qualname__}>"


def _module(value: Any) -> str:
    name = types.ModuleType.__getattribute__(value, "__name__")
    return f"<module {name}>" if type(name) is str else "<module>"


_EXACT: Final[dict[type, Callable[[Any], str]]] = {
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: lambda value: f"<memoryview of {value.nbytes:,} bytes>",
    complex: complex.__repr__,
    datetime: _moment,
    time: _moment,
    date: date.isoformat,
    timedelta: timedelta.__str__,
    range: range.__repr__,
    types.FunctionType: _function,
    types.ModuleType: _module,
    type(...): lambda _: "...",
    type(NotImplemented): lambda _: "NotImplemented",
}


_IF_IMPORTED: Final[dict[tuple[str, str], Callable[[Any], str]]] = {
    ("decimal", "Decimal"): _decimal,
    ("fractions", "Fraction"): _fraction,
    ("uuid", "UUID"): str,
}
"""Whoever has a value of these has imported the module; this one need not."""


def _is(kind: type, module: str, name: str) -> bool:
    return getattr(sys.modules.get(module), name, None) is kind


def _array(name: str) -> Callable[[Any], str]:
    """An array or table of a library that we know: with its shape, which costs it nothing."""

    def words(value: Any) -> str:
        if name.startswith("numpy.") and getattr(value, "shape", None) == ():
            return repr(value.item())  # a number; of another library it may lie on another device
        said = [f"{key}={found}" for key in ("shape", "dtype") if (found := getattr(value, key, None)) is not None]
        return f"<{' '.join([name, *said])}>"

    return words
