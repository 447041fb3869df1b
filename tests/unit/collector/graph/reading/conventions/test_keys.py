"""What keys tell."""

import pytest

from collector.graph.reading.conventions.keys import Side, is_of_application, is_of_event, side, words


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
        ("app.x", True), ("answer", True), ("level", False), ("host.name", False), ("http.request.body", True),
        ("http.route", False), ("db.system", False), ("db.doc", True), ("gcp.vertex.agent.llm_request", True),
        ("gcp.project", False), ("gen_ai.system", False), ("code.function.name", False),
        ("code.function.return.value", True),
    ],
)  # fmt: skip
def test_what_is_of_the_application(key: str, expected: bool) -> None:
    assert is_of_application(key) is expected


def test_an_event_of_a_general_namespace_is_none_of_the_application() -> None:
    assert is_of_event("draft.made", "text")
    assert not is_of_event("exception", "exception.message")
    assert is_of_event("gcp.call", "response")
    assert not is_of_event("gcp.call", "latency")
