"""Recorded content as text that stays in its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.optimizer.instance.quoting import fitted, identifier, inert, quoted, shortened, words

ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", '"plain"'),
        ('a "b"\n', '"a \\"b\\"\\n"'),
        ("ü", '"ü"'),
        ("\u2028\x85\u200b\U000e0041", '"\\u2028\\u0085\\u200b\\U000e0041"'),
        ("\ud800", '"\\ud800"'),
        (1.5, "1.5"),
        (None, "null"),
        ([1, {"a": True}], '[1, {"a": true}]'),
        (b"raw", "\"b'raw'\""),
    ],
)
def test_values_are_json_on_one_line(value: object, text: str) -> None:
    assert quoted(value, 100) == text  # type: ignore[arg-type]


@given(ANY_TEXT, st.integers(9, 50))
def test_a_quoted_text_is_one_printable_line_of_bounded_length(value: str, width: int) -> None:
    text = quoted(value, width)
    assert text.isprintable()
    assert len(text.splitlines()) == 1
    assert len(text) <= 10 * (width + 40) + 2  # at most ten characters for one
    assert words(value, width).isprintable()


def test_what_is_nested_too_deeply_is_said() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert quoted(deep, 100) == "(nested too deeply to be shown)"  # type: ignore[arg-type]


def test_a_long_text_keeps_both_ends_and_says_what_is_missing() -> None:
    assert shortened("abcdefghijklmnop", 6) == "abcd …(10 more characters)… op"
    assert shortened("abcdef", 6) == "abcdef"
    assert json.loads(quoted("x" * 50 + "answer", 12)).endswith("swer")


@given(ANY_TEXT)
def test_an_inert_line_has_no_angle_bracket(text: str) -> None:
    assert not set("<>") & set(inert(text))


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("retrieve", "retrieve"),
        ("GET /users/{id}", "GET_/users/_id"),
        ("</run>\n#Variables", "/run_Variables"),
        ("", "step"),
        ("  ", "step"),
        ("x" * 99, "x" * 60),
    ],
)
def test_names_are_letters_and_digits(name: str, short: str) -> None:
    assert identifier(name) == short


LINES = ["one", "two", "three", "four", "five", "six"]


def test_lines_in_the_middle_give_way() -> None:
    assert fitted(LINES, 100).splitlines() == LINES
    assert fitted(LINES[:3], 13).splitlines() == LINES[:3]
    long = [line * 10 for line in LINES]
    assert fitted(long, 120).splitlines() == [long[0], long[1], "… 3 lines left out …", long[5]]
    assert fitted(long, 20) == "… 6 lines left out …"
    assert fitted(long, 19) == ""


@given(st.lists(st.text(st.characters(exclude_characters="\n")), max_size=30), st.integers(0, 200))
def test_fitted_lines_fit(lines: list[str], chars: int) -> None:
    assert len(fitted(lines, chars)) <= chars
