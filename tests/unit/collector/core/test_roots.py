"""Who is the trace."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.identity.roots import Family, family_of
from collector.core.identity.sides import told_apart
from collector.core.span import Span, SpanContext
from tests import samples

REMOTE, LOCAL = 0x300, 0x100


def span(number: int, parent: int | None = None, start: int | None = None, end: int = 100, flags: int = 0) -> Span:
    context = SpanContext(samples.trace_id(1), samples.span_id(number))
    parent_id = None if parent is None else samples.span_id(parent)
    return Span(context, parent_id, f"s{number}", number if start is None else start, end, flags=flags)


def family(*spans: Span) -> Family:
    return family_of(told_apart(spans).spans)


@pytest.mark.parametrize(
    ("spans", "root", "waits"),
    [
        ([span(1), span(2, 1)], 1, False),
        ([span(1, 9), span(2, 1)], 1, True),  # the parent is elsewhere, or comes later
        ([span(1, 1), span(2, 1)], 1, False),  # its own parent
        ([span(1, 3), span(2, 1), span(3, 2), span(4, 3)], 1, False),  # a circle
        ([span(1), span(2)], 1, False),  # began first
        ([span(1, start=5, end=9), span(2, start=5, end=10)], 2, False),  # lasted longest
        ([span(1, start=5), span(2, start=5)], 1, False),  # the smaller id
        ([span(1, 9), span(2)], 1, True),  # what a gateway called, and a stray root beside it
        ([span(1, 9, flags=LOCAL), span(2)], 2, False),  # its parent was in the same process, and lost
        ([span(1, 9, flags=LOCAL), span(2, 8, flags=REMOTE)], 2, True),
        ([span(1, start=0), span(2)], 2, False),  # no start is no early start
    ],
)
def test_the_root(spans: Sequence[Span], root: int, waits: bool) -> None:
    for order in (spans, spans[::-1]):
        found = family(*order)
        assert found.root() == next(one for one in spans if one.context.span_id == samples.span_id(root))
        assert found.waits() is waits


def test_no_span_has_no_root() -> None:
    assert family().root() is None
    assert not family().waits()


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=10),
    st.randoms(use_true_random=False),
)
def test_any_parents_make_trees_in_any_order(drawn: list[tuple[int, int, int]], random: Random) -> None:
    spans = [
        span(number, parent or None, start, start + length) for number, (parent, start, length) in enumerate(drawn, 1)
    ]
    found = family(*spans)
    shuffled = list(spans)
    random.shuffle(shuffled)
    assert family(*shuffled) == found
    for span_id in found.spans:
        seen = []
        at: str | None = span_id
        while at is not None:
            assert at not in seen
            seen.append(at)
            at = found.parents.get(at)
        assert seen[-1] in found.tops
    stated = {one.context.span_id: one.parent_span_id for one in spans}
    assert all(stated[child] == parent for child, parent in found.parents.items())
    assert found.circles == {one for one in found.tops if stated[one] in found.spans}
