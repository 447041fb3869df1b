"""What flows into a node."""

from collector.core.graph import Edge, EdgeOrigin
from collector.core.inflow import inflow


def test_a_call_is_left_out_where_the_result_is_an_argument_of_the_same_node() -> None:
    call, link, other = (
        Edge("a", "b", EdgeOrigin.CALL, 0.5),
        Edge("a", "b", EdgeOrigin.CONTENT, 0.9, "x"),
        Edge("a", "c", EdgeOrigin.CALL, 0.5),
    )
    assert inflow([call, link, other]) == {"b": [link], "c": [other]}


def test_two_arguments_from_one_source_are_two() -> None:
    both = [Edge("a", "b", EdgeOrigin.LINK, argument=name) for name in "xy"]
    assert inflow(both) == {"b": both}
