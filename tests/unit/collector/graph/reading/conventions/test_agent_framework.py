"""Microsoft's agent-framework: executors joined by links."""

from tests.unit.collector.graph.workflows import flows, graph_of, span


def test_an_executor_takes_what_the_executor_made_that_sent_the_message() -> None:
    spans = [
        span(1, None, "workflow.run", 0, 9),
        span(2, 1, "executor.process writer", 1, 2, {"executor.id": "writer"}),
        span(3, 2, "message.send", 1.8, 1.9, {"message.type": "standard"}),
        span(4, 1, "executor.process editor", 3, 4, {"executor.id": "editor"}, links=[3]),
    ]
    graph = graph_of(spans)
    assert flows(graph) == {(2, 4)}
    assert [node.name for node in graph.nodes if node.span_id and node.span_id.endswith(("2", "4"))] == [
        "writer",
        "editor",
    ]
