"""Makes a message readable that is not: what cannot be text is replaced, what cannot be read is left out.

Of one message that `google.protobuf` refuses:

- A text that is no UTF-8 has U+FFFD where its bytes are none. Every other byte stays.
- An attribute, an event or a link that cannot be read is left out, and counted where OTLP counts what is not there
  (``dropped_attributes_count``, ``dropped_events_count``, ``dropped_links_count``).
- Any other part that cannot be read (a status, a body) is left out.
- A message whose own bytes are no fields cannot be repaired: whoever holds it leaves it out.
"""

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from collector.otlp.fields import LEN, MOST_NESTED, VARINT, Malformed, fields, len_field, varint, written

_INDIVISIBLE = frozenset(
    f"opentelemetry.proto.common.v1.{name}" for name in ("KeyValue", "AnyValue", "ArrayValue", "KeyValueList")
)
"""An attribute is kept whole or not at all: a list that lacks an element would say something else."""


def repaired(data: bytes, message: Descriptor, faults: list[str], depth: int = 0) -> bytes:
    """The message as it can be read; `data` itself where nothing had to be done.

    Args:
        data: The serialized message.
        message: Its type.
        faults: Takes what was found, for people.
        depth: In how many messages it lies.

    Raises:
        Malformed: its bytes are no fields, or it is nested too deeply.
    """
    if depth > MOST_NESTED:
        raise Malformed(f"nested deeper than {MOST_NESTED} messages")
    parts: list[bytes] = []
    dropped: dict[int, int] = {}
    done = 0
    for tag, begin, content, end in fields(data):
        field = message.fields_by_number.get(tag >> 3)
        if field is None or tag & 7 != LEN:
            continue
        piece = data[content:end]
        try:
            mended = _mended(piece, field, faults, depth)
        except Malformed as error:
            if message.full_name in _INDIVISIBLE:
                raise
            faults.append(f"{field.full_name} is left out: {error}")
            counter = message.fields_by_name.get(f"dropped_{field.name}_count")
            if counter is not None:
                dropped[counter.number] = dropped.get(counter.number, 0) + 1
            mended = None
        if mended is not piece:
            parts.append(data[done:begin])
            parts.append(b"" if mended is None else len_field(tag >> 3, mended))
            done = end
    if not parts:
        return data
    parts.append(data[done:])
    parts += [written(number << 3) + written(count + _last(data, number)) for number, count in dropped.items()]
    return b"".join(parts)


def _mended(piece: bytes, field: FieldDescriptor, faults: list[str], depth: int) -> bytes:
    if field.message_type is not None:
        return repaired(piece, field.message_type, faults, depth + 1)
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            piece.decode()
        except UnicodeDecodeError as error:
            faults.append(f"{field.full_name} is no UTF-8 ({error.reason}); U+FFFD stands there")
            return piece.decode(errors="replace").encode()
    return piece


def _last(data: bytes, number: int) -> int:
    """The value of a number's field: of several the last one counts."""
    found = 0
    for tag, _, content, _ in fields(data):
        if tag == number << 3 | VARINT:
            found = varint(data, content)[0] & 0xFFFFFFFF
    return found
