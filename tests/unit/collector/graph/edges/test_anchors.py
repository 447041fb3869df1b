"""Nothing that stands in a text is missed, and little else is named."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.graph.edges.anchors import FEW, SHARED, Anchors

WORD = st.text(string.ascii_lowercase, min_size=1, max_size=6)
TEXT = st.lists(WORD, min_size=3, max_size=9).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, min_size=FEW + 1, max_size=30, unique=True), st.data())
def test_every_text_between_words_is_named(texts: list[str], data: st.DataObject) -> None:
    inside = data.draw(st.lists(st.sampled_from(texts), max_size=4, unique=True))
    around = data.draw(st.lists(TEXT, min_size=len(inside) + 1, max_size=len(inside) + 1))
    whole = around[0] + "".join(f" {text} {other}" for text, other in zip(inside, around[1:], strict=True))
    assert {text for text in texts if f" {text} " in f" {whole} "} <= set(Anchors(texts).among(whole))


def test_borders_may_be_inside_of_words() -> None:
    texts = [f"the {number} lines of the report are done" for number in range(20)]
    assert [*Anchors(texts).among("because)the 7 lines of the report are done.And")] == [texts[7]]


def test_a_small_vocabulary_does_not_make_everything_a_candidate() -> None:
    vocabulary = [f"{a}{b}" for a in "bcdf" for b in "aeiou"]
    texts = [" ".join(vocabulary[(seed * 7 + at * (seed % 5 + 1)) % 20] for at in range(60)) for seed in range(100)]
    named = [*Anchors(dict.fromkeys(texts)).among(texts[3])]
    assert texts[3] in named
    assert len(named) < len(texts) / 4


def test_of_many_texts_that_begin_alike_the_latest_are_named() -> None:
    texts = [f"dear customer we thank you for your order and will send it soon indeed always {n}" for n in range(200)]
    named = [*Anchors(texts).among(texts[-1])]
    assert len(named) == SHARED
    assert texts[-1] in named
