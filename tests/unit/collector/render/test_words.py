"""Values in a few words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.graph import GraphParameter
from collector.core.printable import printable
from collector.core.span import AnyValue
from collector.render.words import columns, cut, short, version_words
from tests.unit.collector.render.graphs import ANY_TEXT


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a\n  b\tc", "a b c"),
        ({"é": [1, None, 2]}, '{"é": [1, null, 2]}'),
        (b"\x00\xff", '"AP8="'),
        (float("nan"), '"nan"'),
        ("x" * 21, "x" * 19 + "…"),
        ("\x1b[31mred\u202e", "\\x1b[31mred\\u202e"),
        ("検索" * 10, "検索" * 4 + "検…"),
    ],
)
def test_a_value_fits_on_a_line(value: AnyValue, words: str) -> None:
    assert short(value, 20) == words


@given(ANY_TEXT, st.integers(1, 30))
def test_no_text_is_wider_than_asked_or_moves_a_cursor(text: str, width: int) -> None:
    words = short(text, width)
    assert columns(words) <= width
    assert words.isprintable()
    words.encode()


def test_text_that_can_be_shown_is_left_alone() -> None:
    assert printable("naïve Größe 検索 👍") == "naïve Größe 検索 👍"
    assert cut("exactly", 7) == "exactly"


@pytest.mark.parametrize(
    ("version", "trainable", "words"), [(3, True, "@release 3"), (None, True, "@code"), (None, False, "@code, fixed")]
)
def test_where_a_parameters_value_comes_from(version: int | None, trainable: bool, words: str) -> None:
    assert version_words(GraphParameter("k", version, "1", trainable, (), "n")) == words
