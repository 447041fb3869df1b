"""Programs: the same names and lines for every run of one shape."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind, TraceGraph
from collector.optimizer.instance.program import Program
from tests.contract.optimizers import DEFAULTS, judged


def operation(number: int, name: str) -> Node:
    return Node(f"span:{number:016x}", NodeKind.OPERATION, name, f"{number:016x}")


def given_input(number: int, name: str) -> Node:
    return Node(f"input:{number:016x}:{name}", NodeKind.INPUT, name, f"{number:016x}", "value")


def flow(source: Node, target: Node, argument: str = "", origin: EdgeOrigin = EdgeOrigin.LINK) -> Edge:
    return Edge(source.id, target.id, origin, 1.0, argument)


def lines(nodes: tuple[Node, ...], edges: tuple[Edge, ...]) -> list[str]:
    return Program(TraceGraph("0" * 32, nodes, edges), {"top_k"}).lines()


def test_a_run_reads_as_a_program() -> None:
    program = Program(judged(1, 0.5, "").graph, DEFAULTS.keys())
    assert program.lines() == [
        "find = find(top_k)",
        "tell = tell(style, found=find)",
        "ask = ask(question=question, find, tell)",
    ]


def test_a_step_with_the_name_of_a_variable_is_numbered() -> None:
    step, tool = operation(1, "top_k"), operation(2, "use")
    assert lines((step, tool), (flow(step, tool, "k"),)) == ["top_k_2 = top_k()", "use = use(k=top_k_2)"]


def test_every_run_gives_the_same_lines() -> None:
    assert len({tuple(Program(judged(n, 0.5, "", f"{n}").graph, DEFAULTS).lines()) for n in range(1, 5)}) == 1


def test_a_parameter_that_may_not_change_is_a_setting() -> None:
    program = Program(judged(1, 0.5, "").graph, {"style"})
    assert "find = find(top_k)" in program.lines()
    assert [node.name for node in program.settings] == ["top_k"]


def test_a_call_is_not_repeated_where_its_result_is_an_argument() -> None:
    search, answer = operation(1, "search"), operation(2, "answer")
    edges = (flow(search, answer, "found"), flow(search, answer, origin=EdgeOrigin.CALL))
    assert lines((search, answer), edges) == ["search = search()", "answer = answer(found=search)"]


def test_repeated_steps_and_inputs_are_told_apart() -> None:
    first, second, third = operation(1, "look"), operation(2, "look"), operation(3, "look 2")
    nodes = (first, second, third, given_input(1, "query"), given_input(2, "query"), given_input(3, "look_2"))
    edges = (
        flow(nodes[3], first, "query"),
        flow(first, second, "before"),
        flow(nodes[4], second, "query"),
        flow(second, third),
        flow(nodes[5], third, "look_2"),
    )
    assert lines(nodes, edges) == [
        "look = look(query=look.query)",
        "look_2 = look(before=look, query=look_2.query)",
        "look_2_2 = look_2(look_2=look_2_2.look_2, look_2)",
    ]


def test_many_arguments_are_counted() -> None:
    parts = tuple(operation(number, "part") for number in range(20))
    whole = operation(99, "whole")
    text = lines((*parts, whole), tuple(flow(part, whole) for part in parts))[-1]
    assert text.endswith(", part_16, … 4 more)")


@given(st.randoms(use_true_random=False))
def test_neither_ids_nor_order_show(rng: random.Random) -> None:
    def shape(ids: list[int]) -> tuple[list[Node], list[Edge]]:
        names = ["plan", "search", "search", "rank", "write", "check"]
        nodes = [operation(number, name) for number, name in zip(ids, names, strict=True)]
        wires = [(0, 1, "left"), (0, 2, "right"), (1, 3, "one"), (2, 3, "two"), (3, 4, ""), (0, 4, "plan"), (4, 5, "")]
        return nodes, [flow(nodes[a], nodes[b], argument) for a, b, argument in wires]

    plain = lines(*map(tuple, shape([1, 2, 3, 4, 5, 6])))  # type: ignore[arg-type]
    nodes, edges = shape(rng.sample(range(1, 1000), 6))
    rng.shuffle(nodes)
    rng.shuffle(edges)
    assert lines(tuple(nodes), tuple(edges)) == plain


def test_a_long_chain_is_no_problem() -> None:
    chain = tuple(operation(number, "next") for number in range(1, 5001))
    assert len(lines(chain, tuple(flow(a, b) for a, b in pairwise(chain)))) == 5000
