"""How much an item is made of."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp.fields import len_field
from collector.otlp.weight import is_heavy
from tests import samples


def test_messages_are_counted_at_any_depth() -> None:
    span = samples.span(1, 1, values={"a": [1, [2, 3]], "b": "x"}, links=[(2, "c")])
    # Two attributes and their values; a list of two; in it a list of two; a link, its attribute and its value.
    count = 4 + 3 + 3 + 3
    data = span.SerializeToString()
    assert not is_heavy(data, Span.DESCRIPTOR, count)
    assert is_heavy(data, Span.DESCRIPTOR, count - 1)


def test_what_is_malformed_or_empty_is_counted_and_not_looked_into() -> None:
    for inner in (b"", b"\xff\xff", b"\x0a\x7f"):
        data = len_field(9, inner) * 3
        assert not is_heavy(data, Span.DESCRIPTOR, 3)
        assert is_heavy(data, Span.DESCRIPTOR, 2)
