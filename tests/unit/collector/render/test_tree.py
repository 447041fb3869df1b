"""A graph in the terminal."""

from hypothesis import given

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, ExceptionRecord, Gap, Node, NodeKind, TraceGraph
from collector.core.span import SpanContext
from collector.render.tree import text_tree
from collector.render.words import columns
from tests import samples
from tests.unit.collector.render.graphs import ANY_TEXT, TRACE, chain, example


def test_the_tree_tells_the_whole_story() -> None:
    ids = {number: samples.span_id(number) for number in range(1, 6)}
    assert text_tree(example()).splitlines() == [
        f"trace {TRACE}  release 4",
        f"ask  {ids[1]}",
        "│   → q: why?",
        "│   = so",
        "│   ★ quality 0.25 (user) names no source",
        f"├─ find  {ids[2]}",
        "│  │   ◆ k = 3  @release 4",
        '│  │   = ["a"]',
        f"│  └─ score  {ids[3]}  incomplete: something was dropped or cut",
        "│         = 0.5",
        f"└─ tell  {ids[4]}",
        "       ◆ style = dry  @code, fixed",
        "       ← found from find (link, argument: the span names the producer)",
        "       ✗ ValueError, handled: broken",
        f"lost  {ids[5]}",
        "★ tone curt",
        "gaps",
        f"  ! missing_parent at {ids[5]}: its parent {samples.span_id(77)} has not come",
    ]


def test_a_reason_of_its_own_is_shown_wherever_it_stands() -> None:
    nodes = (
        Node("p", NodeKind.PARAMETER, "k", value=3),
        Node("i", NodeKind.INPUT, "q", "1", "why?"),
        Node("a", NodeKind.OPERATION, "a", "0"),
        Node("o", NodeKind.OPERATION, "op", "1"),
    )
    edges = tuple(Edge(node.id, "o", EdgeOrigin.LINK, reason=f"as {node.name} says") for node in nodes[:3])
    assert text_tree(TraceGraph("t", nodes, edges)).splitlines()[3:] == [
        "    ◆ k = 3  (as k says)",
        "    → q: why?  (as q says)",
        "    ← from a (link: as a says)",
    ]


def test_inferred_dataflow_says_how_sure_it_is_and_services_are_told_apart() -> None:
    nodes = tuple(Node(f"span:{n}", NodeKind.OPERATION, n, n, service=n * 2) for n in "ab")
    graph = TraceGraph("t", nodes, (Edge("span:a", "span:b", EdgeOrigin.CONTENT, 0.8, reason="found in full"),))
    assert text_tree(graph).splitlines() == [
        "trace t",
        "a  a  [aa]",
        "b  b  [bb]",
        "    ← from a (content, 80%: found in full)",
    ]


def test_an_unknown_value_of_a_parameter_is_a_question_mark() -> None:
    nodes = (Node("p", NodeKind.PARAMETER, "k"), Node("o", NodeKind.OPERATION, "op", "1"))
    assert "    ◆ k = ?" in text_tree(TraceGraph("t", nodes, (Edge("p", "o", EdgeOrigin.LINK),))).splitlines()


def test_long_feedback_is_wrapped_and_ends_after_four_lines() -> None:
    node = Node("o", NodeKind.OPERATION, "op", "1")
    feedback = Feedback(SpanContext("t", "1"), "q", text="word " * 200)
    lines = text_tree(TraceGraph("t", (node,), (), feedback=(feedback,)), width=60).splitlines()
    assert [line[:7] for line in lines[2:]] == ["    ★ q", "      w", "      w", "      w"]
    assert lines[-1].endswith("…")


def test_deep_traces_neither_recurse_nor_run_out_of_the_terminal() -> None:
    text = text_tree(chain(5_000), width=90)
    assert all(columns(line) <= 90 for line in text.splitlines())
    assert "4999› step 4999  4999" in text


@given(ANY_TEXT, ANY_TEXT)
def test_no_text_breaks_a_line_or_moves_the_cursor(name: str, value: str) -> None:
    graph = TraceGraph(
        "t",
        (
            Node("o", NodeKind.OPERATION, name, "1", value, service=name),
            Node("p", NodeKind.PARAMETER, name, value=value),
        ),
        (Edge("p", "o", EdgeOrigin.LINK),),
        exceptions=(ExceptionRecord("1", name, value),),
        feedback=(Feedback(SpanContext("t", "1"), "quality", 1.0, name, value, name),),
        gaps=(Gap("kind", "1", value),),
    )
    text = text_tree(graph)
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.startswith("trace t\n")
    assert [line[4] for line in text.split("\n")[2:5]] == ["◆", "=", "✗"]
