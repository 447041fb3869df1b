"""Records: frozen dataclasses whose fields are written once.

The JSON document of a record, the protobuf message, the event of the ledger and the options on the command line follow
from the dataclass: from the names, types and defaults of its fields, and from what stands beside them in `About`.

A tree is a record as JSON has it: records and mappings are objects, enums their values, tuples lists.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

_T = TypeVar("_T")
_NO_WORDS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class About:
    """What stands beside a field: ``batch_size: Annotated[int, About("scored feedbacks per trial")] = 20``.

    Attributes:
        words: What it is, for the command line's help.
        option: Its name there, where it is not the field's own with ``--``; without ``--`` it is an argument by place.
        metavar: How its value is called there.
        named: Words that stand for values there: ``{"whole": 1.0}``.
    """

    words: str = ""
    option: str = ""
    metavar: str = ""
    named: Mapping[str, float] = field(default_factory=lambda: _NO_WORDS)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    Attributes:
        type: As it is annotated, which must not be a text; of an optional one what it is where it is not None.
        default: As in a tree.
        required: Whether it has no default.
        optional: Whether it may be None.
    """

    name: str
    type: Any
    about: About
    default: object
    required: bool
    optional: bool


def fields_of(kind: type) -> Iterator[Field]:
    """The fields of a record, in their order."""
    for one in fields(kind):
        hint: Any = one.type
        about = About()
        if get_origin(hint) is Annotated:
            hint, *beside = get_args(hint)
            about = next((found for found in beside if isinstance(found, About)), about)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        required = default is MISSING
        present = _present(hint)
        yield Field(one.name, present, about, None if required else tree_of(default), required, present is not hint)


def _present(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        left = [one for one in get_args(hint) if one is not NoneType]
        return left[0] if len(left) == 1 else hint
    return hint


def tree_of(value: Any) -> Any:
    """A record, or what a field of one holds, as a tree."""
    if is_dataclass(value):
        return {one.name: tree_of(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: tree_of(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [tree_of(one) for one in value]
    return value


def record_of(kind: type[_T], tree: Mapping[str, Any]) -> _T:
    """The record of a tree that was checked before; what is not there is as by default, what is not known passed over.

    Raises:
        TypeError: a field without a default is not there.
        ValueError: a word is none of its enum's.
    """
    given = {one.name: _value(one.type, tree[one.name]) for one in fields_of(kind) if one.name in tree}
    return kind(**given)


def _value(hint: Any, found: Any) -> Any:
    if found is None:
        return None
    if is_dataclass(hint) and isinstance(hint, type):
        return record_of(hint, found)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(found)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], one) for one in found)
    return found
