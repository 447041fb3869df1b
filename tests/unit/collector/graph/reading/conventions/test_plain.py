"""Attributes of no convention."""

import json

from collector.core.span import Event
from collector.graph.reading.conventions import installed, plain
from collector.graph.reading.facts import Facts, Role, source
from collector.graph.reading.reader import read as read_span
from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

CHAT = {"messages": [{"role": "system", "content": "Summarise the sales."}, {"role": "user", "content": "Oliwa 344"}]}
SUMMARY = "344 units were sold in Oliwa, all of them in October."


def read(attributes: dict[str, object], name: str = "step", *events: Event) -> Facts | None:
    return plain.read(source(span(1, None, name, 0, 1, attributes, events=events)))  # type: ignore[arg-type]


def test_names_tell_by_their_last_word() -> None:
    said = read({
        "app.user.question": "how?", "app.answer.text": "so.", "app.prompt": "Be brief.", "app.draft": ["one", "two"],
        "app.tokens": 5123, "app.mode.id": "x7", "reply.order": "two of them", "total": 1638, "ok": True, "n": 12,
        "service.note": "ours", "appAnswer.raw": "[1]", "app.reply": "{}",
    })  # fmt: skip
    assert said is not None
    assert said.inputs == {"app.user.question": "how?"}
    assert said.output == {"app.answer.text": "so.", "appAnswer.raw": [1]}
    assert [(use.key, use.value) for use in said.uses] == [("app.prompt", "Be brief.")]
    assert dict(said.carried) == {"app.draft": ["one", "two"], "reply.order": "two of them", "total": 1638}


def test_databases_and_messages() -> None:
    said = read({
        "db.system": "sqlite", "db.query.text": "SELECT * FROM t WHERE a = ?", "db.query.parameter.0": "x1",
        "db.response.rows": '[{"a": "x1"}]', "db.doc": '{"b": 2}', "db.name": "main",
    })  # fmt: skip
    assert said is not None
    assert said.inputs == {
        "db.doc": {"b": 2},
        "db.query.parameter.0": "x1",
        "db.query.text": "SELECT * FROM t WHERE a = ?",
    }
    assert said.output == [{"a": "x1"}]
    assert not said.carried
    queued = read(
        {"messaging.system": "kafka", "messaging.message.body": '{"ticket": 4711}', "messaging.message.id": "7"}
    )
    assert queued is not None
    assert (queued.inputs, queued.output) == ({"messaging.message.body": {"ticket": 4711}}, None)


def test_events_are_read_with_their_names() -> None:
    said = read({}, "step", Event("finding", 1, {"text": "pets are allowed"}), Event("exception", 1, {"text": "no"}))
    assert said is not None
    assert dict(said.carried) == {"finding.text": "pets are allowed"}
    assert read({}, "step", Event("exception", 1, {"exception.message": "no"})) is None


def test_a_chat_over_plain_http_is_a_models_call() -> None:
    answer = {"choices": [{"message": {"role": "assistant", "content": SUMMARY}}]}
    graph = graph_of([
        span(1, None, "GET /report", 0, 9, {"url.query": "q=sales+in+Oliwa"}),
        span(2, 1, "POST", 1, 2, {"http.request.body": json.dumps(CHAT), "http.response.body": json.dumps(answer)}),
        span(3, 1, "translate", 3, 4, {"app.text": SUMMARY, "app.translation": "344 sztuki sprzedano w Oliwie."}),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}
    assert list(parameters(graph).values()) == [("Summarise the sales.", [2])]
    assert final(graph) == "344 sztuki sprzedano w Oliwie."


def test_the_name_of_a_span_may_say_that_it_is_a_tool() -> None:
    for name in ("tool stock", "execute_tool stock", "tool_call stock", "stock.tool", "running tool stock"):
        said = read({"part": "DS-88", "shelf": "C-17-04"}, name)
        assert said is not None
        assert (said.role, said.name) == (Role.TOOL, "stock")


def test_what_frameworks_write_under_other_names_is_no_dataflow() -> None:
    assert (
        read({"spring.ai.advisor": "SafeGuard", "ai.settings.mode": "streaming", "langchain.callback": "x y z"}) is None
    )


def test_vendors_namespaces_say_what_was_asked_and_answered() -> None:
    """Google's ADK, first version of its spans; LiteLLM's raw requests."""
    request = {"model": "m", "config": {"system_instruction": "Plan a leg."}, "contents": [
        {"role": "user", "parts": [{"text": "To Helgoland?"}]}]}  # fmt: skip
    said = read({
        "gcp.vertex.agent.llm_request": json.dumps(request), "gcp.vertex.agent.session_id": "s-1",
        "gcp.vertex.agent.llm_response": '{"content": {"parts": [{"text": "At ten."}], "role": "model"}}',
    })  # fmt: skip
    assert said is not None
    assert [(one.role, one.content) for one in said.taken] == [("system", "Plan a leg."), ("user", "To Helgoland?")]
    assert [one.content for one in said.given] == ["At ten."]
    said = read({
        "llm.openai.messages": "[{'role': 'user', 'content': 'Four pieces?'}]", "llm.openai.model": "m",
        "llm.openai.choices": "[{'index': 0, 'logprobs': None, 'message': {'content': 'Es ist ein Ros'}}]",
    })  # fmt: skip
    assert said is not None
    assert ([one.content for one in said.taken], [one.content for one in said.given]) == (
        ["Four pieces?"], ["Es ist ein Ros"],
    )  # fmt: skip
    assert read({"gcp.vertex.agent.llm_request": "{}", "gcp.project.name": "ours", "error": "yes"}) is None
    assert read({"url": "https://pod.example/e118"}).carried == {"url": "https://pod.example/e118"}  # type: ignore[union-attr]


def test_who_says_that_it_asks_a_model_says_it_to_the_model() -> None:
    advice = "Raise the oxygen in basin 2 at once."
    asked = f"Translate into French, keep all the numbers: {advice}"
    graph = graph_of([
        span(1, None, "nightly", 0, 9),
        span(2, 1, "explain", 1, 2, {"acme.answer": advice}),
        span(3, 1, "llm.call", 3, 4, {"llm.user_text": asked, "llm.engine": "m"},
             events=[Event("llm.finished", 4, {"llm.bot_text": "Augmentez l'oxygène."}, 0)]),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"nightly.user_prompt": ("Translate into French, keep all the numbers: {explain}", [3])}
    assert final(graph) == "Augmentez l'oxygène."


def test_parts_of_names_are_set_apart_by_any_sign() -> None:
    said = read({"genkit:input": "how?", "genkit:output": "so it is", "genkit:metadata:subtype": "flow"})
    assert said is not None
    assert (said.inputs, said.output) == ({"genkit:input": "how?"}, "so it is")


def test_a_list_of_messages_is_what_a_model_was_asked_whatever_its_key() -> None:
    for key in ("app.draft", "gen_ai.conversation.past", "acme.input"):
        said = read({key: json.dumps(CHAT["messages"]), "acme.output": SUMMARY})
        assert said is not None
        assert said.role is Role.MODEL
        assert [(one.role, one.content) for one in said.taken] == [
            ("system", "Summarise the sales."),
            ("user", "Oliwa 344"),
        ]
        assert said.output == SUMMARY


def test_the_output_is_looked_for_where_another_dialect_states_inputs_only() -> None:
    step = span(2, 1, "rewrite", 1, 2, {"inputs.question": "how?", "output": "so it is"})
    reading = read_span(step, (), installed())
    assert (reading.inputs, reading.output) == ({"question": "how?"}, "so it is")


def test_pieces_of_a_stream_are_one_text_and_other_events_of_a_name_a_list() -> None:
    pieces = [Event("llm.chunk", n, {"delta": SUMMARY[n : n + 9]}) for n in range(0, len(SUMMARY), 9)]
    drafts = [Event("draft", n, {"answer.text": text}) for n, text in enumerate(("first of all", "second of all"))]
    stream, several = read({}, "step", *pieces), read({}, "step", *drafts)
    assert stream is not None
    assert several is not None
    assert stream.output == SUMMARY
    assert several.output == ["first of all", "second of all"]


def test_messages_are_read_where_they_stand_in_events_or_are_spelled_out_by_keys() -> None:
    events = [
        Event("turn", n, {"role": role, "content": f"{role} speaks"}) for n, role in enumerate(("user", "assistant"))
    ]
    keys = {f"chat.{n}.{key}": value for n, role in enumerate(("user", "assistant"))
            for key, value in (("role", role), ("content", f"{role} speaks"))}  # fmt: skip
    for said in (read({}, "step", *events), read({**keys})):
        assert said is not None
        assert [(one.role, one.content) for one in said.taken] == [("user", "user speaks")]
        assert [one.content for one in said.given] == ["assistant speaks"]
