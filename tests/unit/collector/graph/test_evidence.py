"""Kinds of workflows in which words of one language, positions or constants once decided what the evidence decides."""

import json

import pytest

from collector.core.graph import EdgeOrigin, TraceGraph
from collector.core.span import AnyValue, Event, Span
from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, record, span

DOCUMENT = "Liegeplatz 7 ist bis Sonntag an die Yacht Mathilde vergeben, Liegeplatz 9 ist frei."
DELIVERY = "お荷物は十一月三日の午前中にお届けします。"
LETTER = "Sehr geehrte Frau Ahrens, Ihr Liegeplatz 9 ist ab Montag für Sie reserviert. Mit freundlichen Grüßen, Hafen."


def model(
    number: int,
    parent: int | None,
    begin: float,
    asked: str,
    said: str,
    system: str = "",
    name: str = "chat m",
    **more: str,
) -> Span:
    """A call of a model in the GenAI conventions; further attributes with ``__`` for a dot."""
    taken = [{"role": "user", "parts": [{"type": "text", "content": asked}]}]
    if system:
        taken.insert(0, {"role": "system", "parts": [{"type": "text", "content": system}]})
    attributes: dict[str, AnyValue] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(taken, ensure_ascii=False),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": said}]}], ensure_ascii=False
        ),
    }
    return span(
        number,
        parent,
        name,
        begin,
        begin + 1,
        {**attributes, **{key.replace("__", "."): value for key, value in more.items()}},
    )


def oi(number: int, parent: int | None, kind: str, begin: float, taken: str, made: str, name: str = "") -> Span:
    """An OpenInference span."""
    attributes: dict[str, AnyValue] = {"openinference.span.kind": kind, "input.value": taken, "output.value": made}
    return span(number, parent, name or kind.lower(), begin, begin + 1, attributes)


def controls(graph: TraceGraph) -> set[tuple[int, int]]:
    return {
        (int(edge.source[5:], 16), int(edge.target[5:], 16))
        for edge in graph.edges
        if edge.origin is EdgeOrigin.CONTROL
    }


@pytest.mark.parametrize("answer", ["No", "Nein", "いいえ", "لا", "Ja.", "yes", "7"])
def test_a_short_answer_to_a_question_is_the_final_output(answer: str) -> None:
    question = "Ist Liegeplatz 7 am Freitag frei?"
    graph = graph_of([
        span(1, None, "frage", 0, 9),
        oi(2, 1, "RETRIEVER", 1, question, DOCUMENT),
        model(3, 1, 3, f"{DOCUMENT}\n\nFrage: {question} Antworte mit einem Wort.", answer),
    ])  # fmt: skip
    assert final(graph) == answer
    assert flows(graph) == {(2, 3)}


@pytest.mark.parametrize("verdict", ["APPROVED", "GENEHMIGT", "承認", "مقبول", "4"])
def test_who_only_judges_an_answer_has_not_the_last_word(verdict: str) -> None:
    graph = graph_of([
        span(1, None, "brief", 0, 9),
        model(2, 1, 1, "Schreibe Frau Ahrens, dass sie Liegeplatz 9 bekommt.", LETTER),
        model(3, 1, 3, f"Prüfe diesen Brief:\n{LETTER}", verdict),
    ])  # fmt: skip
    assert final(graph) == LETTER


def test_who_extracts_from_an_answer_has_the_last_word() -> None:
    made = {"Name": "Ahrens", "Liegeplatz": 9}
    spans = [
        span(1, None, "brief", 0, 9),
        model(2, 1, 1, "Schreibe Frau Ahrens, dass sie Liegeplatz 9 bekommt.", LETTER),
        model(3, 1, 3, f"Welche Daten stehen darin?\n{LETTER}", json.dumps(made)),
    ]
    assert final(graph_of(spans)) == json.dumps(made)


def test_an_evaluation_names_the_judged_call_whatever_stands_last() -> None:
    text = "判定: この回答は資料と一致しており、敬語も適切で、配送日も正しく書かれています。"
    spans = [
        span(1, None, "kaitou", 0, 9),
        model(2, 1, 1, "質問: 荷物はいつ届きますか", DELIVERY, gen_ai__response__id="r-1"),
        model(
            3, 1, 3, f"評価してください: 質問: 荷物はいつ届きますか 回答: {DELIVERY}", text, gen_ai__response__id="r-2"
        ),
    ]
    said = {"gen_ai__evaluation__name": "correctness", "gen_ai__response__id": "r-1"}
    assert final(graph_of(spans, [record(3, "gen_ai.evaluation.result", 4, **said)])) == DELIVERY
    assert final(graph_of(spans)) == text


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("billing", "billing"),
        ("Rechnung", "rechnung_bearbeiten"),
        ("配送", "配送"),
        ('{"ziel": "Rechnung"}', "Rechnung"),
    ],
)
def test_a_router_controls_the_step_that_it_names(said: str, name: str) -> None:
    graph = graph_of([
        span(1, None, "support", 0, 9),
        model(2, 1, 1, "Wo bleibt meine Gutschrift?", said, system="Wohin gehört diese Anfrage?"),
        oi(3, 1, "CHAIN", 3, "Wo bleibt meine Gutschrift?", "Die Gutschrift kam am Montag.", name),
        oi(4, 1, "CHAIN", 5, "Danke", "Gern geschehen, bis bald.", "Abschied"),
    ])  # fmt: skip
    assert controls(graph) == {(2, 3)}
    assert next(edge for edge in graph.edges if edge.origin is EdgeOrigin.CONTROL).reason


def test_what_two_lookups_say_alike_is_no_flow_between_them() -> None:
    graph = graph_of([
        span(1, None, "order", 0, 9),
        oi(2, 1, "TOOL", 1, '{"sku": "A-17"}', '{"sku": "A-17", "warehouse": "Berlin", "left": 12}', "stock"),
        oi(3, 1, "TOOL", 3, '{"sku": "B-20", "warehouse": "Berlin"}', '{"warehouse": "Berlin", "left": 3}', "stock"),
        span(4, 1, "bestand", 5, 6, {"bestand.daten": '{"artikel": "C-1", "warehouse": "Berlin"}'}),
        span(5, 1, "bestand", 7, 8, {"bestand.daten": '{"artikel": "D-2", "warehouse": "Berlin"}'}),
    ])  # fmt: skip
    assert flows(graph) == set()


def test_instructions_are_a_constant_and_no_output_of_who_keeps_a_record_of_them() -> None:
    system = "Du bist ein Hafenmeister und antwortest kurz, freundlich und ohne Fachwörter."
    record_ = json.dumps({"aufgabe": "Plätze zählen", "agent": {"instructions": system}}, ensure_ascii=False)
    graph = graph_of([
        span(1, None, "lauf", 0, 9),
        oi(2, 1, "CHAIN", 1, "Plätze zählen", record_, "Aufgabe"),
        model(3, 1, 3, "Wie viele Plätze sind frei?", "Es sind drei Plätze frei.", system=system),
    ])  # fmt: skip
    assert flows(graph) == set()


def test_what_was_made_inside_did_not_come_from_outside_whatever_its_key() -> None:
    raw = json.dumps({"choices": [{"text": LETTER}]}, ensure_ascii=False)
    graph = graph_of([
        span(1, None, "job", 0, 9, {"audit.log.request": LETTER}),
        span(2, 1, "write", 1, 2, {"input.value": "Bitte schreiben", "output.value": LETTER, "debug.raw_request": raw}),
        oi(3, 1, "CHAIN", 3, f"Versenden: {LETTER}", "gesendet", "send"),
    ])  # fmt: skip
    assert (2, 3) in flows(graph)


@pytest.mark.parametrize(("question", "answer"), [("app.frage", "app.antwort"), ("x.q", "x.a"), ("سؤال", "جواب")])
def test_what_a_call_is_given_went_into_its_caller_in_any_language(question: str, answer: str) -> None:
    asked, said = "Ist Liegeplatz 7 am Freitag noch frei?", "Nein, er ist bis Sonntag vergeben."
    graph = graph_of([
        span(1, None, "anfrage", 0, 9, {question: asked, answer: said}),
        model(2, 1, 1, f"Beantworte: {asked}", said),
    ])  # fmt: skip
    assert final(graph) == said
    assert f"input:{1:016x}:{question}" in {node.id for node in graph.nodes}


def test_a_root_that_records_only_its_result_is_believed() -> None:
    graph = graph_of([
        span(1, None, "lauf", 0, 9, {"ergebnis": "Drei Plätze sind frei: 9, 11 und 14."}),
        oi(2, 1, "TOOL", 1, "frei?", "belegt: 7, 8; frei: 9, 11, 14", "suche"),
    ])  # fmt: skip
    assert final(graph) == "Drei Plätze sind frei: 9, 11 und 14."


def test_short_texts_of_scripts_without_spaces_are_recognised() -> None:
    graph = graph_of([
        span(1, None, "翻訳", 0, 9),
        oi(2, 1, "CHAIN", 1, "注文番号を確認", "東京支店在庫三個", "在庫"),
        oi(3, 1, "CHAIN", 3, "次の情報を丁寧に伝える東京支店在庫三個をお願いします", "かしこまりました", "返信"),
        oi(4, 1, "CHAIN", 5, "ส่งข้อความนี้かしこまりましたให้ลูกค้า", "ok", "send"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (3, 4)}


def test_the_halves_of_what_was_split_are_of_who_split_it() -> None:
    first, second = "東京の天気は晴れのち曇り", "大阪の天気は雨のち晴れ"
    graph = graph_of([
        span(1, None, "split", 0, 20, {"input.value": f"{first}。{second}。"}),
        oi(2, 1, "CHAIN", 1, f"{first}。{second}。", json.dumps([first, second], ensure_ascii=False), "分割"),
        model(3, 1, 3, f"要約してください: {first}", "晴れのち曇り"),
        model(4, 1, 5, f"要約してください: {second}", "雨のち晴れ"),
    ])  # fmt: skip
    assert {(2, 3), (2, 4)} <= flows(graph)


@pytest.mark.parametrize("said", ["Rechnung", '{"kategorie": "Rechnung", "grund": "Es geht um Geld."}'])
def test_a_parser_is_a_step_whether_or_not_the_text_is_json(said: str) -> None:
    answer = f"Antwort: {said} — mehr ist nicht zu sagen."
    graph = graph_of([
        span(1, None, "kette", 0, 9),
        model(2, 1, 1, "Worum geht es? Die Gutschrift fehlt.", answer),
        oi(3, 1, "CHAIN", 3, answer, answer, "StrOutputParser"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_steps_that_read_the_same_question_do_not_follow_from_each_other() -> None:
    question = "Wie wird das Wetter am Samstag in Kiel?"
    graph = graph_of([
        span(1, None, "frage", 0, 9, {"input.value": question}),
        span(2, 1, "wetter", 1, 2.5, {"openinference.span.kind": "CHAIN"}),
        oi(3, 2, "TOOL", 1, question, "Regen, acht Grad", "lookup"),
        span(4, 1, "tide", 3, 4.5, {"openinference.span.kind": "CHAIN"}),
        oi(5, 4, "TOOL", 3, question, "Hochwasser um 14 Uhr", "table"),
    ])  # fmt: skip
    assert flows(graph) == set()


def test_a_link_counts_though_what_it_names_lasts_longer() -> None:
    graph = graph_of([
        span(1, None, "run", 0, 30),
        span(2, 1, "queue", 1, 20, {"job.name": "stream"}),
        span(3, 1, "worker", 3, 4, links=[2]),
        span(4, 1, "worker", 5, 6, links=[2, 3]),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (2, 4), (3, 4)}


def test_links_in_a_circle_are_not_believed() -> None:
    graph = graph_of([span(1, None, "run", 0, 30), span(2, 1, "a", 1, 5, links=[3]), span(3, 1, "b", 2, 4, links=[2])])
    assert len(flows(graph)) == 1


@pytest.mark.parametrize("key", ["gen_ai.chat.turns", "llm.conversation", "traceloop.payload", "acme.gespräch"])
def test_messages_are_read_under_any_key(key: str) -> None:
    system = "Du fasst Hafenmeldungen in einem Satz zusammen."
    turns = [{"role": "system", "content": system}, {"role": "user", "content": f"Meldung: {DOCUMENT}"}]
    answer = [{"role": "assistant", "content": "Platz 9 ist frei, Platz 7 nicht."}]
    graph = graph_of([
        span(1, None, "lauf", 0, 9),
        oi(2, 1, "RETRIEVER", 1, "frei?", DOCUMENT),
        span(3, 1, "modell", 3, 4, {key: json.dumps(turns), f"{key}.x": json.dumps(answer)}),
        oi(4, 1, "CHAIN", 5, "Gesagt wurde: Platz 9 ist frei, Platz 7 nicht.", "ok", "weiter"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (3, 4)}
    assert [text for text, _ in parameters(graph).values()] == [system]


def test_a_placeholder_of_a_tool_s_result_follows_the_tool() -> None:
    tool: dict[str, AnyValue] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "gezeiten",
        "gen_ai.tool.call.result": "14:10 3,2 m",
    }
    graph = graph_of([
        span(1, None, "agent", 0, 9),
        span(2, 1, "execute_tool gezeiten", 1, 2, tool),
        model(3, 1, 3, "Wann ist Hochwasser?\n[tool-result: gezeiten]", "Um zehn nach zwei."),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_structured_attributes_of_no_convention_are_read() -> None:
    event = Event("done", 3, {"antwort": {"text": DOCUMENT}})
    graph = graph_of([
        span(1, None, "lauf", 0, 9),
        span(2, 1, "holen", 1, 2, {"daten": {"absatz": DOCUMENT}}, events=[event]),
        oi(3, 1, "CHAIN", 3, f"Fasse zusammen: {DOCUMENT}", "Platz 9 ist frei."),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}
