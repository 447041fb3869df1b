"""Small structures as texts."""

import pytest

from collector.graph.content.records import field_value, fields_of, record


def test_order_and_what_is_about_the_message_do_not_count() -> None:
    one = {"stone": "caliza", "tons": 40, "id": "a", "type": "order"}
    other = {"tons": 40, "stone": "caliza", "id": "b"}
    assert record(one) == record(other) == '{"stone": "caliza", "tons": 40}'


@pytest.mark.parametrize(
    "value",
    [
        {"text": "one value alone"},
        {"ok": True, "done": False},
        {"role": "user", "content": "hello there"},
        {"a": "x" * 500, "b": "y"},
        {"a": list(range(50)), "b": 1},
        {},
    ],
)
def test_what_is_no_record(value: dict[str, object]) -> None:
    assert record(value) == ""  # type: ignore[arg-type]


def test_fields_are_short_values_under_telling_names() -> None:
    value = {"berth": "H7", "place": "Zarautz", "net": 1638, "ok": True, "text": "Zarautz", "why": "x" * 100}
    assert [*fields_of(value)] == ['"place": "Zarautz"', '"net": 1638']
    assert [field_value(text) for text in fields_of(value)] == ["Zarautz", "1638"]
    assert field_value("The place: Zarautz") == field_value("Zarautz") == ""
