"""Values as what they stand for."""

import pytest

from collector.core.span import AnyValue
from collector.graph.reading.values import structured


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("{'a': [1, None], 'b': (True, 'it\\'s')}", {"a": [1, None], "b": [True, "it's"]}),
        ("('Havneby-List', {'quay': 'Kai 4'})", ["Havneby-List", {"quay": "Kai 4"}]),
        (" ['x', -1.5] ", ["x", -1.5]),
        ("{1: 'one'}", {"1": "one"}),
        ('{"a": "cut he', {"a": "cut he"}),
        ('{"a": "cut he…', {"a": "cut he"}),
        ('[{"a": 1}, {"b": "cut he... (120 more characters)', [{"a": 1}, {"b": "cut he"}]),
        ('{"a": "cut", "he…[truncated]', {"a": "cut", "he": None}),
        ('{"a": "cut \\', {"a": "cut "}),
        ('{"a": "cut \\u00f', {"a": "cut "}),
        ('{"a": "kept \\\\', {"a": "kept \\"}),
        ('{"a": [1, {"b": tru', {"a": [1]}),
    ],
)
def test_what_json_and_python_write_is_opened(text: str, value: AnyValue) -> None:
    assert structured(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "42", "(see above)", "(42)", "('one')", "[a, b]", "['open", "{'a', 'b'}", "[b'x']", "[1, 2j]", "['\\d']",
        "[1, 2] and more", "(" * 200 + "1" + ")" * 200, "[" + "'" * 3, "['a'] * 1000000000", "(1, __import__('os'))",
    ],
)  # fmt: skip
def test_what_neither_wrote_stays_text(text: str) -> None:
    assert structured(text) == text
