"""Messages as trees, which are what the JSON API's documents are: one translation for every field of every record.

A field has one name in both. An enum's value is a word (``DIRECTION_MAXIMIZE`` is ``maximize``), and a text
``NAME_json`` is what its JSON says, under ``NAME``. What a message does not say is not in its tree: a document has the
defaults.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from collector.api.bodies import tree_of as tree_of_json
from collector.core.errors import InvalidRequest

_Message = TypeVar("_Message", bound=Message)
_Field: TypeAlias = Any
"""A `FieldDescriptor`: protobuf has two classes for it, of which only one has types."""

_JSON = "_json"


def tree_of(message: Message) -> dict[str, Any]:
    """What a message says.

    Raises:
        InvalidRequest: a text ``NAME_json`` is no JSON.
    """
    return {name_of(field): _read(field, value) for field, value in message.ListFields()}


def message_of(kind: type[_Message], tree: Mapping[str, Any]) -> _Message:
    """The message that says what a tree does; what is None, or no field of it, is left out."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        value = tree.get(name_of(field))
        if value is not None:
            _write(message, field, value)
    return message


def name_of(field: _Field) -> str:
    """Under which a field stands in a tree."""
    return str(field.name).removesuffix(_JSON)


def words_of(enum: EnumDescriptor) -> dict[str, int]:
    """The values of an enum by their words; without the one that says nothing."""
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
    return {value.name.removeprefix(prefix).lower(): value.number for value in enum.values if value.number}


def _is_map(field: _Field) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _read(field: _Field, value: Any) -> Any:
    if isinstance(value, Message):
        return tree_of(value)
    if isinstance(value, bool | int | float | str | bytes):
        return _read_one(field, value)
    if _is_map(field):
        return {key: _read(field.message_type.fields_by_name["value"], one) for key, one in value.items()}
    return [_read(field, one) for one in value]


def _read_one(field: _Field, value: Any) -> Any:
    if field.enum_type is not None:
        return {number: word for word, number in words_of(field.enum_type).items()}.get(value, str(value))
    if field.name.endswith(_JSON):
        try:
            return tree_of_json(value.encode())
        except InvalidRequest as error:
            raise InvalidRequest(f"{field.name}: {error}") from None
    return value


def _write(message: Message, field: _Field, value: Any) -> None:
    if _is_map(field):
        getattr(message, field.name).update(value)
    elif isinstance(value, Mapping) and field.message_type is not None:
        getattr(message, field.name).CopyFrom(message_of(GetMessageClass(field.message_type), value))
    elif isinstance(value, list | tuple):
        getattr(message, field.name).extend([_written(field, one) for one in value])
    else:
        setattr(message, field.name, _written(field, value))


def _written(field: _Field, value: Any) -> Any:
    if field.message_type is not None:
        return message_of(GetMessageClass(field.message_type), value)
    if field.enum_type is not None:
        return words_of(field.enum_type)[value]
    return json.dumps(value, ensure_ascii=False) if field.name.endswith(_JSON) else value
