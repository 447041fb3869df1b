"""Small structures as texts."""

import pytest

from collector.graph.texts import record


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
