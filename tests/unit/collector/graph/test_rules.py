"""The rules by which edges are found."""

import pytest

from collector.graph.builder import build
from collector.graph.rules import BY_NAME, EQUAL, RULES
from tests.unit.collector.graph.workflows import TRACE, flows, graph_of, span

SPANS = [
    span(1, None, "run", 0, 9),
    span(2, 1, "plan", 1, 2, {"input.value": "q", "output.value": "look up the tide table of Brest"}),
    span(3, 1, "find", 3, 4, {"input.value": "look up the tide table of Brest", "output.value": "5.9 m"}),
]


def test_every_edge_between_operations_names_its_rule() -> None:
    edges = [edge for edge in graph_of(SPANS).edges if edge.source.startswith("span:")]
    assert {edge.rule for edge in edges} == {"equal", "result"}
    assert all((edge.origin, edge.confidence) == BY_NAME[edge.rule][1:3] for edge in edges)


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_a_rule_that_is_off_makes_no_edge(rule: str) -> None:
    graph = build(TRACE, SPANS, {}, {}, (), (), (rule,))
    assert rule not in {edge.rule for edge in graph.edges if rule not in ("result", "argument")}
    assert flows(graph) == (set() if rule == EQUAL.name else {(2, 3)})


def test_names_are_told_apart_and_confidences_are_shares() -> None:
    assert len(BY_NAME) == len(RULES)
    assert all(0 < rule.confidence <= 1 and rule.why for rule in RULES)
    assert BY_NAME["named"].confidence > BY_NAME["step before"].confidence
