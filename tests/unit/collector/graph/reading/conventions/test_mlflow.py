"""MLflow: JSON in every attribute."""

import json

from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span


def test_spans_of_a_traced_function_and_a_chat_model() -> None:
    plan = "1. look the tide up 2. compare it"
    request = {"model": "m", "messages": [{"role": "system", "content": "Answer shortly."},
                                          {"role": "user", "content": f"Follow the plan: {plan}"}]}  # fmt: skip
    response = {"id": "r", "choices": [{"index": 0, "message": {"role": "assistant", "content": "It is 5.9 m high."}}]}
    spans = [
        span(1, None, "run", 0, 9, {"mlflow.spanType": '"CHAIN"', "mlflow.spanInputs": '{"question": "How high?"}',
                                    "mlflow.spanOutputs": '"It is 5.9 m high."'}),
        span(2, 1, "plan", 1, 2, {"mlflow.spanType": '"UNKNOWN"', "mlflow.spanInputs": '{"question": "How high?"}',
                                  "mlflow.spanOutputs": json.dumps(plan)}),
        span(3, 1, "Completions", 3, 4, {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanInputs": json.dumps(request),
                                         "mlflow.spanOutputs": json.dumps(response)}),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"run.system_prompt": ("Answer shortly.", [3])}
    assert final(graph) == "It is 5.9 m high."
