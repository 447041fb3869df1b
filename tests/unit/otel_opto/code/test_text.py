"""The source of a function as a parameter's value."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from otel_opto.code.source import source_of
from otel_opto.code.text import NoSource, source_text


def marked(function: Any) -> Any:
    return function


@marked
# between decorator and function
@marked
def plain(x: int, *, k: int = 3) -> int:
    """Adds."""
    # a comment
    return x + k


class Shop:
    class Inner:
        @staticmethod
        @marked
        def total(items: list[int]) -> str:
            """The sum.

            In words.
            """
            text = """
  kept as
            it is {items}
"""
            return text + f"""{sum(items)}"""

    @marked
    async def later(
        self,
        x: int,
    ) -> int:
        if x:
            # a comment
            return 1
        return 2


def within() -> Callable[[int], int]:
    count = 0

    def counted(x: int) -> int:
        nonlocal count
        count += x
        return count

    return counted


def test_decorators_and_the_margin_are_left_away() -> None:
    assert source_text(plain) == (
        'def plain(x: int, *, k: int = 3) -> int:\n    """Adds."""\n    # a comment\n    return x + k\n'
    )


def test_texts_of_several_lines_stay_what_they_are() -> None:
    text = source_text(Shop.Inner.total)
    assert text.startswith('def total(items: list[int]) -> str:\n    """The sum.\n\n    In words.\n    """\n')
    assert '    text = """\n  kept as\n            it is {items}\n"""\n' in text
    names: dict[str, Any] = {}
    exec(text, names)
    assert names["total"]([1, 2]) == Shop.Inner.total([1, 2])


def test_coroutines_and_inner_functions_have_one() -> None:
    assert source_text(Shop.later).startswith(
        "async def later(\n    self,\n    x: int,\n) -> int:\n    if x:\n        # a comment"
    )
    assert source_text(within()).startswith("def counted(x: int) -> int:\n    nonlocal count\n")
    assert source_of(source_text(within()), []).fault_of("def counted(x):\n    nonlocal count\n    return x") == ""


def test_what_has_none_is_told_in_words(tmp_path: Any) -> None:
    names: dict[str, Any] = {}
    exec("def made(): return 1", names)
    with pytest.raises(NoSource, match="the source of made is not to be had"):
        source_text(names["made"])
    with pytest.raises(NoSource, match="stands something else"):
        source_text(lambda x: x)  # type: ignore[arg-type] # a lambda is a function


def test_a_file_that_has_changed_since_is_noticed(tmp_path: Any) -> None:
    file = tmp_path / "module.py"
    file.write_text("def first(x):\n    return x\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert source_text(names["first"]) == "def first(x):\n    return x\n"
    file.write_text("def first(y):\n    return y + 1\n")
    assert "first(y)" in inspect.getsource(names["first"])
    with pytest.raises(NoSource, match=r"at line 1 of .*module\.py stands something else"):
        source_text(names["first"])
