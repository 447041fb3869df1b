"""What users of Trace expect of its operations, where it has a meaning here (docs/from-trace.md)."""

import asyncio
from typing import Any

import pytest

import otel_opto
from otel_opto.testing import Rehearsal

level = otel_opto.parameter("from_trace.level", default=1, minimum=0, maximum=9)


def said(opto: Rehearsal, name: str) -> dict[str, Any]:
    return dict(opto.span(name).attributes or {})


def links(opto: Rehearsal, name: str) -> set[str]:
    """The names of the nodes whose outputs went into one."""
    by_id = {span.context.span_id: span.name for span in opto.spans() if span.context}
    return {by_id[link.context.span_id] for link in opto.span(name).links}


@otel_opto.node
def double(x: list[int]) -> list[int]:
    return x * 2


@otel_opto.node
def join(x: list[int], *rest: list[int], **named: list[int]) -> tuple[int, int]:
    return len(x) + sum(map(len, rest)), len(named)


def test_arguments_of_every_kind_have_their_names_and_a_tuple_is_one_output(opto: Rehearsal) -> None:
    with otel_opto.start_node("request"):
        assert join([1], [2], [3], other=[4]) == (3, 1)
    found = said(opto, "join")
    assert {key for key in found if key.startswith("opto.input.")} == {
        "opto.input.x", "opto.input.rest", "opto.input.other",
    }  # fmt: skip
    assert found["opto.output"] == "[3, 1]"


def test_what_flowed_is_linked_and_what_did_not_is_not(opto: Rehearsal) -> None:
    with otel_opto.start_node("request"):
        mine = double([1])
        otel_opto.node(lambda: [9], name="unused")()
        join(mine)
    assert links(opto, "join") == {"double"}


def test_equal_values_are_distinct_nodes_and_values_stay_plain(opto: Rehearsal) -> None:
    with otel_opto.start_node("request"):
        first = otel_opto.node(double, name="first")([1])
        second = otel_opto.node(double, name="second")([1])
        assert first == second
        assert type(first) is list
        join(second)
    assert links(opto, "join") == {"second"}


def test_a_parameter_read_inside_is_a_dependency_of_that_node(opto: Rehearsal) -> None:
    @otel_opto.node
    def inner() -> int:
        return level.value

    @otel_opto.node
    def outer() -> int:
        return inner()

    assert outer() == 1
    assert opto.used("from_trace.level") == ["inner"]
    outer_context = opto.span("outer").context
    parent = opto.span("inner").parent
    assert outer_context is not None
    assert parent is not None
    assert parent.span_id == outer_context.span_id


def test_an_error_goes_on_as_it_was_and_is_on_its_node_with_the_inputs(opto: Rehearsal) -> None:
    @otel_opto.node
    def fails(x: int) -> float:
        return x / 0

    with pytest.raises(ZeroDivisionError, match="division by zero"), otel_opto.start_node("request"):
        fails(7)
    assert said(opto, "fails")["opto.input.x"] == "7"
    (event,) = [event for event in opto.span("fails").events if event.name == "exception"]
    assert (event.attributes or {})["exception.type"] == "ZeroDivisionError"
    assert "opto.output" not in said(opto, "fails")


def test_gathered_nodes_have_the_right_parent_and_run_at_once(opto: Rehearsal) -> None:
    async def all_of_them() -> list[Any]:
        together = asyncio.Barrier(3)

        @otel_opto.node
        async def one(number: int) -> int:
            await together.wait()
            if number == 2:
                raise ValueError(number)
            return number

        with otel_opto.start_node("request"):
            return await asyncio.gather(*map(one, range(3)), return_exceptions=True)

    found = asyncio.run(all_of_them())
    assert found[:2] == [0, 1]
    assert isinstance(found[2], ValueError)
    context = opto.span("request").context
    assert context is not None
    assert [span.parent.span_id for span in opto.spans("one") if span.parent] == [context.span_id] * 3


def test_feedback_may_come_several_times_on_one_output(opto: Rehearsal) -> None:
    with otel_opto.start_node("request"):
        otel_opto.feedback(0.5, "too long", source="judge")
        otel_opto.feedback(1.0, source="user")
    assert [(one.score, one.text) for one in opto.feedback()] == [(0.5, "too long"), (1.0, "")]


def test_nothing_flows_through_a_node_that_captures_nothing(opto: Rehearsal) -> None:
    hidden = otel_opto.node(double, name="hidden")
    with otel_opto.start_node("request"):
        join(otel_opto.node(capture=False, name="stopped")(lambda x: x)(hidden([1])))
    assert "opto.output" not in said(opto, "stopped")
    assert links(opto, "stopped") == set()
