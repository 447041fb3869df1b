"""Who called whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.identity.roots import family_of
from collector.core.identity.sides import told_apart
from collector.core.span import Span, SpanContext
from collector.graph.spans.forest import Forest, grow
from tests import samples


def span(number: int, parent: int | None = None, **fields: object) -> Span:
    context = SpanContext(samples.trace_id(1), samples.span_id(number))
    parent_id = samples.span_id(parent) if parent is not None else None
    return Span(
        context, parent_id, f"s{number}", **{"start_time_unix_nano": number, "end_time_unix_nano": 99, **fields}
    )  # type: ignore[arg-type]


def forest(*spans: Span) -> Forest:
    return grow(family_of(told_apart(spans).spans))


def test_spans_without_a_parent_here_are_told_apart() -> None:
    found = forest(span(1), span(2, 1), span(3, 77), span(4, 78, flags=0x300), span(5, 79, flags=0x100))
    assert found.roots == (samples.span_id(1),)
    assert found.entries == (samples.span_id(4),)
    assert found.orphans == (samples.span_id(3), samples.span_id(5))
    assert found.tops() == found.roots
    assert forest(span(3, 77, flags=0x100), span(4, 78, flags=0x300)).tops() == (samples.span_id(4),)
    assert forest(span(3, 77)).tops() == (samples.span_id(3),)


def test_the_root_says_what_the_tops_are() -> None:
    entry, stray, orphan = span(1, 77, flags=0x300), span(2), span(3, 78)
    assert forest(entry, stray, orphan).tops() == (samples.span_id(1),)
    assert forest(stray, orphan, span(4)).tops() == (samples.span_id(2), samples.span_id(4))


@pytest.mark.parametrize("spans", [[span(1, 1)], [span(9), span(1, 2), span(2, 1), span(3, 2)]])
def test_a_parent_that_leads_back_is_passed_over(spans: list[Span]) -> None:
    found = forest(*spans)
    assert found.parent(samples.span_id(1)) is None
    assert samples.span_id(1) in found.roots
    assert sorted(found.preorder) == sorted(one.context.span_id for one in spans)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=10))
def test_ancestors_and_descendants_are_what_walking_up_finds(parents: list[int]) -> None:
    spans = [span(number, min(parent, number - 1) or None) for number, parent in enumerate(parents, 1)]
    found = forest(*spans)

    def walked(span_id: str | None) -> list[str]:
        up = []
        while span_id is not None:
            up.append(span_id)
            span_id = found.parent(span_id)
        return up

    for span_id in found.spans:
        assert {other for other in found.spans if found.encloses(other, span_id)} == set(walked(span_id))
        assert set(found.descendants(span_id)) == {other for other in found.spans if span_id in walked(other)}
        assert found.descendants(span_id)[0] == span_id
