"""Copies of a span, and sides of a call that share an id."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.identity.sides import ToldApart, told_apart
from collector.core.span import Resource, Span, SpanContext
from tests import samples

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
SHARED = samples.span_id(7)


def span(kind: int = 0, service: object = "shop", number: int = 7, parent: int | None = 1, **fields: object) -> Span:
    context = SpanContext(samples.trace_id(1), samples.span_id(number))
    more: dict[str, object] = {"start_time_unix_nano": 10, "end_time_unix_nano": 20, **fields}
    resource = Resource({} if service is None else {"service.name": service})
    parent_id = None if parent is None else samples.span_id(parent)
    return Span(context, parent_id, f"{kind} of {service}", kind=kind, resource=resource, **more)  # type: ignore[arg-type]


def in_any_order(*spans: Span) -> ToldApart:
    """They are the same in every order of arrival."""
    found = told_apart(spans)
    assert all(told_apart(order) == found for order in permutations(spans))
    return found


@pytest.mark.parametrize(
    ("calling", "called"),
    [
        (span(CLIENT, "front"), span(SERVER, "stock")),
        (span(CLIENT, "shop"), span(SERVER, "shop")),
        (span(PRODUCER, "front"), span(CONSUMER, "stock")),
        (span(CLIENT, "front"), span(INTERNAL, "stock")),
        (span(CLIENT, None), span(SERVER, None)),
    ],
)
def test_the_called_side_keeps_the_id_and_is_the_child_of_the_calling_one(calling: Span, called: Span) -> None:
    found = in_any_order(calling, called)
    assert found.spans[SHARED] == called._replace(parent_span_id=found.spans[SHARED].parent_span_id)
    caller = found.spans[found.spans[SHARED].parent_span_id or ""]
    assert (caller.name, caller.parent_span_id) == (calling.name, samples.span_id(1))
    assert len(found.spans) == 2
    assert not found.doubled


def test_a_service_means_its_own_side() -> None:
    calling = span(CLIENT, "front")
    found = in_any_order(calling, span(SERVER, "stock"))
    own = found.meant(calling.context, "front")
    assert found.spans[own].kind == CLIENT
    assert found.meant(calling.context, "stock") == found.meant(calling.context, "other") == SHARED
    same = in_any_order(span(CLIENT, "shop"), span(SERVER, "shop"))
    assert same.meant(calling.context, "shop") == SHARED


def test_a_server_whose_parent_is_the_shared_id_is_below_the_client() -> None:
    found = in_any_order(span(CLIENT, "front", parent=7), span(SERVER, "stock", parent=7))
    caller = found.spans[found.spans[SHARED].parent_span_id or ""]
    assert caller.kind == CLIENT
    assert caller.parent_span_id == caller.context.span_id  # its own parent, as it says: cut off where roots are found


def test_two_services_without_a_call_between_them_are_two_spans() -> None:
    found = in_any_order(span(INTERNAL, "a"), span(INTERNAL, "b", start_time_unix_nano=5))
    assert sorted(one.resource.service for one in found.spans.values()) == ["a", "b"]
    assert {one.parent_span_id for one in found.spans.values()} == {samples.span_id(1)}


@pytest.mark.parametrize(
    ("kept", "other"),
    [
        (span(end_time_unix_nano=30), span(end_time_unix_nano=20, attributes={"a": 1})),
        (span(attributes={"a": 1, "b": 1}), span(attributes={"a": 1})),
        (span(end_time_unix_nano=30), span(end_time_unix_nano=0)),
        (span(SERVER, "shop", end_time_unix_nano=30), span(0, None)),
        (span(SERVER, "shop", end_time_unix_nano=30), span(SERVER, "unknown_service:python")),
    ],
)
def test_of_different_copies_the_last_ended_or_the_fullest_is_kept(kept: Span, other: Span) -> None:
    found = in_any_order(kept, other, kept)
    assert list(found.spans.values()) == [kept]
    assert found.doubled == {SHARED}


def test_copies_of_each_side_are_told_from_the_other_side() -> None:
    client, server = span(CLIENT, "front"), span(SERVER, "stock")
    late = [one._replace(end_time_unix_nano=99) for one in (client, server)]
    found = in_any_order(client, server, *late)
    assert {(one.kind, one.end_time_unix_nano) for one in found.spans.values()} == {(CLIENT, 99), (SERVER, 99)}
    assert found.doubled == {SHARED}


def test_equal_copies_are_one_span_without_a_word() -> None:
    assert in_any_order(span(), span()) == ToldApart({SHARED: span()}, frozenset(), {})


def test_an_id_in_two_traces_is_two_spans_where_they_are_told_by_trace() -> None:
    other: list[Span] = [span()._replace(context=SpanContext(samples.trace_id(2), samples.span_id(8)))]
    assert len(told_apart([span(), *other]).spans) == 2


@given(
    st.lists(
        st.builds(
            span,
            st.sampled_from([0, INTERNAL, SERVER, CLIENT, CONSUMER]),
            st.sampled_from([None, "a", "b", "unknown_service:node"]),
            number=st.sampled_from([7, 7, 8]),
            parent=st.sampled_from([None, 7, 8, 1]),
            end_time_unix_nano=st.integers(20, 22),
        ),
        max_size=4,
    )
)
def test_whatever_comes_is_told_apart_alike_in_every_order(spans: list[Span]) -> None:
    found = in_any_order(*spans)
    assert set(found.spans) >= {one.context.span_id for one in spans}
    for span_id, place in found.came.items():
        kept, given_ = found.spans[span_id], spans[place]
        assert kept == given_._replace(context=kept.context, parent_span_id=kept.parent_span_id)
