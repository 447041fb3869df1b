"""What keys of no convention tell."""

import pytest

from collector.graph.reading.conventions.plain import Side, side, words


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("app.user.question", Side.INPUT), ("app.answer.text", Side.OUTPUT), ("app.prompt", Side.PROMPT),
        ("app.draft", Side.EITHER), ("app.tokens", Side.NEITHER), ("langgraph.note", Side.NEITHER),
        ("inputs.answer", Side.INPUT), ("outputs.query", Side.OUTPUT), ("_ml_obs.meta.output.messages", Side.OUTPUT),
        ("llm.prompt", Side.INPUT), ("userPrompt", Side.INPUT), ("systemPrompt", Side.PROMPT),
        ("userMessage", Side.INPUT), ("assistantMessage", Side.OUTPUT), ("genkit:input", Side.INPUT),
        ("db.response.rows", Side.OUTPUT), ("db.query.text", Side.INPUT), ("messaging.message.body", Side.INPUT),
        ("code.function.parameter.island", Side.INPUT), ("code.function.return.value", Side.OUTPUT),
    ],
)  # fmt: skip
def test_which_side_a_value_is_of(key: str, expected: Side) -> None:
    assert side(key) is expected


def test_words_are_set_apart_by_any_sign_and_end_with_one_that_says_something() -> None:
    assert words("appAnswer.raw.0") == ["app", "answer"]
    assert words("genkit:metadata/sub-type x") == ["genkit", "metadata", "sub", "type", "x"]
    assert words("text") == ["text"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("app.x", Side.EITHER), ("answer", Side.OUTPUT), ("level", Side.NEITHER), ("host.name", Side.NEITHER),
        ("http.request.body", Side.INPUT), ("http.route", Side.NEITHER), ("db.system", Side.NEITHER),
        ("db.doc", Side.INPUT), ("gcp.vertex.agent.llm_request", Side.INPUT), ("gcp.project", Side.NEITHER),
        ("gen_ai.system", Side.NEITHER), ("app.system", Side.PROMPT), ("code.function.name", Side.NEITHER),
        ("spring.result", Side.OUTPUT), ("server.result", Side.NEITHER),
    ],
)  # fmt: skip
def test_general_namespaces_hold_no_contents_and_vendors_only_under_telling_names(key: str, expected: Side) -> None:
    assert side(key) is expected


def test_an_event_of_a_general_namespace_is_none_of_the_application() -> None:
    assert side("text", "draft.made") is Side.EITHER
    assert side("exception.message", "exception") is Side.NEITHER
    assert side("response", "gcp.call") is Side.OUTPUT
    assert side("latency", "gcp.call") is Side.NEITHER
    assert side("exception.message", "app.failed") is Side.NEITHER
