"""Texts with gaps, as a regular expression would compare them."""

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from collector.core.wildcard import fits


@given(st.lists(st.text(alphabet="ab.\n", max_size=3), min_size=1, max_size=5), st.text(alphabet="ab.\n", max_size=12))
def test_it_is_the_pieces_with_anything_between(pieces: list[str], text: str) -> None:
    expression = ".*".join(map(re.escape, pieces))
    assert fits(pieces, text) is (re.fullmatch(expression, text, re.DOTALL) is not None)


@given(st.lists(st.text(max_size=4), min_size=2, max_size=6), st.data())
def test_what_fills_the_gaps_does_not_matter(pieces: list[str], data: st.DataObject) -> None:
    gaps = [data.draw(st.text(max_size=5)) for _ in pieces[1:]]
    assert fits(pieces, pieces[0] + "".join(gap + piece for gap, piece in zip(gaps, pieces[1:], strict=True)))


def test_many_gaps_cost_no_more_than_the_text() -> None:
    begun = time.thread_time()
    assert not fits(["a"] * 1_000 + ["!"], "a" * 1_000_000 + "?")
    assert not fits([*["ab"] * 1_000, "!", "a"], "ab" * 500_000 + "a")
    assert time.thread_time() - begun < 5
