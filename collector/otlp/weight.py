"""How much an item is made of, told from its bytes: its size does not say what reading it costs."""

from google.protobuf.descriptor import Descriptor

from collector.otlp.fields import LEN, Malformed, fields


def is_heavy(data: bytes, message: Descriptor, most: int) -> bool:
    """Whether more messages than that lie in a serialized message, at any depth.

    Args:
        data: The message. What of it is malformed is not looked into: it will not be kept.
        message: Its type.
        most: Looked for until there are more.
    """
    open_messages = [(memoryview(data), message)]
    seen = 0
    while open_messages:
        piece, kind = open_messages.pop()
        within = {
            number << 3 | LEN: field.message_type
            for number, field in kind.fields_by_number.items()
            if field.message_type is not None
        }
        try:
            for tag, _, content, end in fields(piece):
                if tag in within:
                    seen += 1
                    if seen > most:
                        return True
                    if end > content:
                        open_messages.append((piece[content:end], within[tag]))
        except Malformed:
            continue
    return False
