"""One message of OTLP/JSON: read as the library reads it, and where it refuses, as far as it can be meant.

OTLP/JSON is proto3 JSON, except that ids are hexadecimal (OTLP specification, "JSON Protobuf Encoding"). Of a message
that is written otherwise:

| found | outcome |
| --- | --- |
| half a surrogate pair in a text | U+FFFD stands there |
| a number or a boolean where a text belongs | its text |
| an attribute's value that its kind cannot hold (``intValue`` of 2^64, ``boolValue`` "yes") | its text |
| an attribute's value without a kind (``"value": "v"``) | what it is in JSON |
| attributes as an object | its members |
| an attribute, event or link that is null or of another type, a link of wrong ids | left out, counted in the item |
| any other field whose value cannot be read (an unknown name of a kind, a negative time) | left out |
| an id that is not hexadecimal | an id of a wrong length: the item is rejected by `collector.otlp.request` |
"""

import base64
import json
import math
import re
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
_WRONG_ID = base64.b64encode(b"\0").decode()
_REFUSALS = (json_format.ParseError, ValueError, TypeError, AttributeError, KeyError, RecursionError, SystemError)
"""What the library raises; the last where it looks up a name, of a field or of an enum's value, with half a surrogate
pair."""
_SURROGATES = re.compile("[\ud800-\udfff]")
_VALUE, _ATTRIBUTE, _LINK = AnyValue.DESCRIPTOR.full_name, KeyValue.DESCRIPTOR.full_name, Span.Link.DESCRIPTOR.full_name
_MAX_SHOWN = 200
_Object = dict[str, Any]


class Refused(Exception):
    """It is no such message, in no reading; or a part of it is not."""


def serialized(document: object, kind: type[Message], descriptor: Descriptor, faults: list[str]) -> bytes:
    """The message that a JSON document stands for. Unknown fields are ignored, as OTLP says.

    Args:
        document: As `json` reads it. Ids in it are rewritten.
        kind: Of the message.
        descriptor: Of the message.
        faults: Takes what was read otherwise than it is written, or left out.

    Raises:
        Refused: it is no object, or nested too deeply.
    """
    if not isinstance(document, dict):
        raise Refused(f"found {_shown(document)}, allowed is an object")
    if _rewritten(document):
        try:
            return _parsed(document, kind()).SerializeToString()
        except _REFUSALS:
            pass  # unknown fields, too: the library would pass over a kind it does not know, and say nothing
    try:
        mended = _Mender(faults).message(document, descriptor)
        return _parsed(mended, kind()).SerializeToString()
    except _REFUSALS as error:
        raise Refused(str(error)[:_MAX_SHOWN]) from None


def _parsed(document: _Object, message: Message) -> Message:
    return json_format.ParseDict(document, message)


def _rewritten(document: _Object) -> bool:
    """Writes the ids as the library wants them; says whether all is there that it would silently pass over."""
    _rewrite_ids(document)
    links = [link for link in _list(document.get("links")) if isinstance(link, dict)]
    for link in links:
        _rewrite_ids(link)
    status = document.get("status")
    numbers = [
        document.get("kind"),
        document.get("severityNumber"),
        status.get("code") if isinstance(status, dict) else 0,
    ]
    return all(map(_has_ids, links)) and all(map(_is_enumerable, numbers))


def _is_enumerable(value: object) -> bool:
    """Whether a number fits an enum; the library silently passes over one that does not."""
    return not isinstance(value, int) or -(2**31) <= value < 2**31


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _rewrite_ids(item: _Object) -> None:
    for key in _IDS:
        value = item.get(key)
        if value is not None:
            item[key] = _id(value) if isinstance(value, str) else _WRONG_ID


def _id(text: str) -> str:
    """What is no hexadecimal becomes an id of one byte: the item is refused for its length, and it alone."""
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        return _WRONG_ID


def _has_ids(link: _Object) -> bool:
    return _WRONG_ID not in [link.get(key) for key in _IDS]


class _Mender:
    """Rewrites documents until the library reads them."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults

    def message(self, document: _Object, message: Descriptor) -> _Object:
        """An object as one that can be read as the message; what cannot be is left out of it."""
        kept: _Object = {}
        dropped: dict[str, int] = {}
        for name, value in document.items():
            field = _field(message, name)
            if field is None or value is None:
                continue
            if _is_list(field):
                kept[field.name], lost = self._elements(value, field)
                counter = f"dropped_{field.name}_count"
                if lost and counter in message.fields_by_name:
                    dropped[counter] = lost
                continue
            try:
                kept[field.name] = self._one(value, field)
            except Refused as error:
                self._faults.append(f"{field.full_name} is left out: {error}")
        for counter, lost in dropped.items():
            before = kept.get(counter, 0)
            kept[counter] = lost + (int(before) if str(before).isdecimal() else 0)
        return kept

    def _elements(self, value: object, field: FieldDescriptor) -> tuple[list[_Object], int]:
        """The elements that can be read, and how many cannot."""
        kind = _message_type(field)
        if isinstance(value, dict) and kind.full_name == _ATTRIBUTE:
            self._faults.append(f"{field.full_name} is an object; its members are taken")
            value = [{"key": key, "value": member} for key, member in value.items()]
        if not isinstance(value, list):
            self._faults.append(f"{field.full_name} is left out: found {_shown(value)}, allowed is a list")
            return [], 1
        kept = []
        for item in value:
            try:
                one = self._one(item, field)
                _parsed(one, GetMessageClass(kind)())
            except (Refused, *_REFUSALS) as error:
                self._faults.append(f"one of {field.full_name} is left out: {str(error)[:_MAX_SHOWN]}")
            else:
                kept.append(one)
        return kept, len(value) - len(kept)

    def _one(self, value: object, field: FieldDescriptor) -> Any:
        if field.message_type is not None:
            if field.message_type.full_name == _VALUE:
                return self._value(value)
            if not isinstance(value, dict):
                raise Refused(f"found {_shown(value)}, allowed is an object")
            if field.message_type.full_name == _LINK and not _has_ids(value):
                raise Refused("its ids are no hexadecimal digits")
            return self.message(value, field.message_type)
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._text(value, field.full_name)
        try:
            _parsed({field.name: value}, GetMessageClass(_containing(field))())
        except _REFUSALS:
            raise Refused(f"found {_shown(value)}") from None
        if field.enum_type is not None and not _is_enumerable(value):
            raise Refused(f"found {_shown(value)}")
        return value

    def _text(self, value: object, where: str) -> str:
        if isinstance(value, str):
            clean = _SURROGATES.sub("\ufffd", value)
            if clean != value:
                self._faults.append(f"{where} has half a surrogate pair; U+FFFD stands there")
            return clean
        if isinstance(value, dict | list):
            raise Refused(f"found {_shown(value)}, allowed is a text")
        self._faults.append(f"{where} is {_shown(value)}; its text is taken")
        return json.dumps(value)

    def _value(self, value: object) -> _Object:
        """An AnyValue."""
        if not isinstance(value, dict) or not value:
            return {} if value == {} else self._plain(value)
        names = [name for name in value if _field(AnyValue.DESCRIPTOR, name)]
        if not names:
            return self._plain(value)
        name = names[0]
        if len(names) > 1:
            self._faults.append(f"the value {_shown(value)} has several kinds; the first is taken")
        field = _field(AnyValue.DESCRIPTOR, name)
        assert field is not None
        if field.message_type is None:
            return self._scalar(value[name], field)
        within = value[name]
        if isinstance(within, dict) and "values" in within:
            within = within["values"]
        if field.name == "array_value" and isinstance(within, list):
            return {"array_value": {"values": [self._value(item) for item in within]}}
        if field.name == "kvlist_value" and isinstance(within, list | dict):
            return {"kvlist_value": {"values": self._members(within)}}
        return self._plain(within)

    def _scalar(self, value: object, field: FieldDescriptor) -> _Object:
        """A text, a number, a boolean or bytes; as text where it is none of that kind."""
        if value is None:
            return {}
        if isinstance(value, float) and not math.isfinite(value):
            if field.name != "double_value":
                self._faults.append(f"{field.full_name} is {_shown(value)}, a double")
            return {"double_value": json.dumps(value)}
        if isinstance(value, str):
            value = self._text(value, field.full_name)
        try:
            _parsed({field.name: value}, AnyValue())
        except _REFUSALS:
            self._faults.append(f"{field.full_name} is {_shown(value)}; its text is taken")
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            return {"string_value": _SURROGATES.sub("\ufffd", text)}
        return {field.name: value}

    def _members(self, within: list[Any] | _Object) -> list[_Object]:
        if isinstance(within, dict):
            within = [{"key": key, "value": member} for key, member in within.items()]
        return [self.message(item, KeyValue.DESCRIPTOR) for item in within if isinstance(item, dict)]

    def _plain(self, value: object) -> _Object:
        """A value without the name of its kind: what it is in JSON."""
        self._faults.append(f"the value {_shown(value)} has no kind; it is taken as it is in JSON")
        return self._as_it_is(value)

    def _as_it_is(self, value: object) -> _Object:
        if value is None:
            return {}
        if isinstance(value, bool):
            return {"bool_value": value}
        if isinstance(value, int) and -(2**63) <= value < 2**63:
            return {"int_value": value}
        if isinstance(value, float):
            return {"double_value": value if math.isfinite(value) else json.dumps(value)}
        if isinstance(value, list):
            return {"array_value": {"values": [self._as_it_is(item) for item in value]}}
        if isinstance(value, dict):
            members = [
                {"key": _SURROGATES.sub("\ufffd", key), "value": self._as_it_is(one)} for key, one in value.items()
            ]
            return {"kvlist_value": {"values": members}}
        return {"string_value": _SURROGATES.sub("\ufffd", str(value))}


def _field(message: Descriptor, name: str) -> FieldDescriptor | None:
    if not name.isascii():
        return None
    return message.fields_by_camelcase_name.get(name) or message.fields_by_name.get(name)


def _is_list(field: FieldDescriptor) -> bool:
    return field.message_type is not None and not field.has_presence


def _message_type(field: FieldDescriptor) -> Descriptor:
    assert field.message_type is not None
    return field.message_type


def _containing(field: FieldDescriptor) -> Descriptor:
    assert field.containing_type is not None
    return field.containing_type


def _shown(value: object) -> str:
    """A value in a fault; it came from outside and may be long."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 80 else text[:80] + "…"
