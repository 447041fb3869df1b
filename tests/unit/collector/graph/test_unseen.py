"""Small workflows of kinds that are easily read wrong, in languages that no rule was made for."""

import json

import pytest

from collector.core.graph import EdgeOrigin, TraceGraph
from collector.core.span import AnyValue, Event, Span
from tests.unit.collector.graph.workflows import final, flows, graph_of, record, span


def chat(number: int, parent: int | None, begin: float, asked: str, said: str, end: float = 0, **more: str) -> Span:
    """A call of a model in the GenAI conventions; further attributes with ``__`` for a dot."""
    attributes: dict[str, AnyValue] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": asked}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": said}]}]),
    }
    named = {key.replace("__", "."): value for key, value in more.items()}
    return span(number, parent, "chat m", begin, end or begin + 1, {**attributes, **named})


def step(
    number: int,
    parent: int | None,
    name: str,
    begin: float,
    taken: str,
    made: str,
    kind: str = "CHAIN",
    *,
    end: float = 0,
) -> Span:
    """An OpenInference span."""
    said: dict[str, AnyValue] = {"openinference.span.kind": kind, "input.value": taken, "output.value": made}
    return span(number, parent, name, begin, end or begin + 1, said)


def controls(graph: TraceGraph) -> set[tuple[int, int]]:
    return {
        (int(edge.source[5:], 16), int(edge.target[5:], 16))
        for edge in graph.edges
        if edge.origin is EdgeOrigin.CONTROL
    }


LIST = "Szanowny Panie, paczka numer 7 czeka w oddziale przy ulicy Długiej do piątku."
NOTICE = "서울 창고에 재고가 세 개 남아 있습니다"
THAI = "ร้านปิดทำการวันจันทร์ถึงวันพุธ"
HINDI = "आपका पार्सल शुक्रवार की सुबह दिल्ली कार्यालय में पहुँचेगा।"


def test_a_judge_in_polish_that_speaks_in_a_sentence_judges_the_call_that_its_evaluation_names() -> None:
    verdict = "Odpowiedź jest zgodna z dokumentami i uprzejma, można ją wysłać."
    said = {"gen_ai__evaluation__name": "zgodność", "gen_ai__response__id": "odp-1"}
    spans = [
        span(1, None, "obsługa", 0, 9),
        chat(2, 1, 1, "Gdzie jest moja paczka?", LIST, gen_ai__response__id="odp-1"),
        span(3, 1, "ocena", 3, 5),
        chat(4, 3, 3.5, f"Oceń tę odpowiedź: {LIST}", verdict, gen_ai__response__id="odp-2"),
    ]
    graph = graph_of(spans, [record(3, "gen_ai.evaluation.result", 5, **said)])
    assert final(graph) == LIST
    assert flows(graph) == {(2, 4)}


@pytest.mark.parametrize("answer", ["Tak", "Nie.", "네", "아니요", "ใช่", "ไม่", "हाँ", "नहीं", "12", "B"])
def test_a_short_answer_from_documents_is_the_output_in_any_language(answer: str) -> None:
    question = "Czy oddział przy Długiej jest dziś otwarty?"
    graph = graph_of([
        step(1, None, "pytanie", 0, question, answer, end=9),
        step(2, 1, "szukaj", 1, question, LIST, "RETRIEVER"),
        chat(3, 1, 3, f"Dokument: {LIST}\nPytanie: {question}", answer),
    ])  # fmt: skip
    assert final(graph) == answer
    assert (2, 3) in flows(graph)
    graph = graph_of([
        span(1, None, "pytanie", 0, 9, {"app.pytanie": question, "app.odpowiedz": answer}),
        step(2, 1, "szukaj", 1, question, LIST, "RETRIEVER"),
        chat(3, 1, 3, f"Dokument: {LIST}\nPytanie: {question}", answer),
    ])  # fmt: skip
    assert final(graph) == answer


@pytest.mark.parametrize("verdict", ["ZATWIERDZONE", "승인", "อนุมัติ", "स्वीकृत", "9/10"])
def test_a_bare_verdict_is_not_the_output(verdict: str) -> None:
    graph = graph_of([
        span(1, None, "pismo", 0, 9),
        chat(2, 1, 1, "Napisz do klienta o paczce numer 7.", LIST),
        span(3, 1, "recenzja", 3, 5),
        chat(4, 3, 3.5, f"Sprawdź: {LIST}", verdict),
    ])  # fmt: skip
    assert final(graph) == LIST


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("zwroty", "zwroty"),
        ("Zwroty", "obsluga_zwroty"),
        ("환불", "환불 처리"),
        ("คืนเงิน", "คืนเงิน"),
        ('{"dział": "zwroty", "powód": "Klient oddaje buty."}', "ZwrotyAgent"),
        ("वापसी", "वापसी"),
    ],
)
def test_a_router_decides_what_runs_next(said: str, name: str) -> None:
    asked = "Chcę oddać buty, co mam zrobić?"
    graph = graph_of([
        span(1, None, "obsługa", 0, 9),
        chat(2, 1, 1, asked, said),
        step(3, 1, name, 3, asked, "Proszę odesłać buty w ciągu dwóch tygodni."),
    ])  # fmt: skip
    assert controls(graph) == {(2, 3)}
    assert flows(graph) == set()


def test_a_word_that_happens_to_be_a_name_decides_nothing_after_it_was_said_by_who_ran_later() -> None:
    graph = graph_of([
        span(1, None, "lauf", 0, 9),
        step(2, 1, "zwroty", 1, "Chcę oddać buty.", "Proszę odesłać buty."),
        chat(3, 1, 3, "Nazwij dział.", "zwroty"),
    ])  # fmt: skip
    assert controls(graph) == set()


def test_two_lookups_that_share_a_constant_do_not_feed_each_other() -> None:
    graph = graph_of([
        span(1, None, "zamówienie", 0, 9),
        step(2, 1, "stan", 1, '{"sku": "A-17"}', '{"magazyn": "Gdańsk Południe", "sztuk": 12}', "TOOL"),
        step(3, 1, "cena", 3, '{"sku": "B-20", "magazyn": "Gdańsk Południe"}', '{"cena": 88}', "TOOL"),
        step(4, 1, "stan", 5, '{"sku": "C-1", "magazyn": "Gdańsk Południe"}', '{"magazyn": "Gdańsk Południe"}', "TOOL"),
    ])  # fmt: skip
    assert (2, 4) not in flows(graph)


def test_a_raw_http_answer_beside_a_stated_output_is_no_input() -> None:
    raw = json.dumps(
        {"id": "x", "choices": [{"message": {"role": "assistant", "content": NOTICE}}]}, ensure_ascii=False
    )
    made: dict[str, AnyValue] = {
        "openinference.span.kind": "LLM", "input.value": "재고를 확인해 주세요", "output.value": NOTICE,
        "http.raw": raw,
    }  # fmt: skip
    graph = graph_of([
        span(1, None, "작업", 0, 9),
        span(2, 1, "호출", 1, 2, made),
        step(3, 1, "알림", 3, f"고객에게 전하기: {NOTICE}", "보냈습니다"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_a_caller_that_repeats_what_was_made_in_it_did_not_bring_it() -> None:
    graph = graph_of([
        span(1, None, "작업", 0, 9, {"audit.payload": NOTICE}),
        step(2, 1, "재고", 1, "재고를 확인해 주세요", NOTICE),
        step(3, 1, "알림", 3, NOTICE, "보냈습니다"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_the_halves_of_a_split_input_are_of_who_split_it() -> None:
    halves = [HINDI, "दूसरा पार्सल सोमवार को मुंबई से भेजा जाएगा।"]
    whole = " ".join(halves)
    graph = graph_of([
        step(1, None, "काम", 0, whole, "हो गया", end=20),
        step(2, 1, "विभाजन", 1, whole, json.dumps(halves, ensure_ascii=False)),
        chat(3, 1, 3, f"संक्षेप में लिखो: {halves[0]}", "शुक्रवार, दिल्ली"),
        chat(4, 1, 3, f"संक्षेप में लिखो: {halves[1]}", "सोमवार, मुंबई"),
        step(5, 1, "जोड़", 5, "शुक्रवार, दिल्ली\nसोमवार, मुंबई", "हो गया"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (2, 4), (3, 5), (4, 5)}


@pytest.mark.parametrize("key", ["wynik", "결과", "ผลลัพธ์", "app.परिणाम"])
def test_a_root_that_records_only_its_result_is_believed(key: str) -> None:
    result = "Oddział przy Długiej jest otwarty do osiemnastej."
    graph = graph_of([
        span(1, None, "zadanie", 0, 9, {key: result}),
        step(2, 1, "szukaj", 1, "Długa", "Długa 5: pn-pt 9-18", "RETRIEVER"),
        step(3, 1, "zapisz", 5, "raport", "zapisano", "TOOL"),
    ])  # fmt: skip
    assert final(graph) == result


def test_a_placeholder_stands_for_a_tool_s_result() -> None:
    tool: dict[str, AnyValue] = {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "pogoda", "gen_ai.tool.call.result": "7 C",
    }  # fmt: skip
    graph = graph_of([
        span(1, None, "agent", 0, 9),
        span(2, 1, "execute_tool pogoda", 1, 2, tool),
        chat(3, 1, 3, "Jaka jest pogoda?\n<tool_result: pogoda>", "Siedem stopni."),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_links_to_producers_that_outlive_their_consumers_count() -> None:
    graph = graph_of([
        span(1, None, "kolejka", 0, 20),
        span(2, 1, "producent", 1, 15),
        span(3, 1, "konsument", 2, 3, links=[2]),
        span(4, 1, "konsument", 4, 5, links=[2]),
        span(5, 1, "zapis", 6, 7, links=[3, 4]),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (2, 4), (3, 5), (4, 5)}


def test_two_agents_in_parallel_do_not_feed_each_other_and_both_feed_who_joins_them() -> None:
    asked = "Porównaj ceny lotów do Seulu i do Bangkoku w maju."
    one, other = "Lot do Seulu w maju kosztuje 3100 zł.", "Lot do Bangkoku w maju kosztuje 2700 zł."
    graph = graph_of([
        step(1, None, "wyjazd", 0, asked, f"{one} {other}", end=20),
        step(2, 1, "agent seul", 1, asked, one, "AGENT", end=5),
        chat(3, 2, 2, f"{asked} Zajmij się Seulem.", one),
        step(4, 1, "agent bangkok", 1.1, asked, other, "AGENT", end=6),
        chat(5, 4, 2, f"{asked} Zajmij się Bangkokiem.", other),
        chat(6, 1, 7, f"Połącz:\n- {one}\n- {other}", "Bangkok jest tańszy o 400 zł."),
    ])  # fmt: skip
    assert flows(graph) == {(2, 6), (4, 6)}


@pytest.mark.parametrize("vote", ["Bangkok", "예", "ใช่ครับ"])
def test_parallel_votes_that_are_equal_both_count(vote: str) -> None:
    asked = "Dokąd polecieć w maju?"
    graph = graph_of([
        step(1, None, "głosowanie", 0, asked, vote, end=20),
        chat(2, 1, 1, asked, vote),
        chat(3, 1, 1.1, asked, vote),
        step(4, 1, "wynik", 5, json.dumps([vote, vote], ensure_ascii=False), vote),
    ])  # fmt: skip
    assert flows(graph) == {(2, 4), (3, 4)}


def test_a_retry_feeds_what_follows_and_the_failed_attempt_does_not() -> None:
    failed = span(2, 1, "stan", 1, 2, {"openinference.span.kind": "TOOL", "input.value": "A-17"}, error="timeout")
    graph = graph_of([
        span(1, None, "zamówienie", 0, 9),
        failed,
        step(3, 1, "stan", 3, "A-17", "W magazynie jest dwanaście sztuk.", "TOOL"),
        chat(4, 1, 5, "Odpowiedz: W magazynie jest dwanaście sztuk.", "Mamy dwanaście sztuk."),
    ])  # fmt: skip
    assert flows(graph) == {(3, 4)}
    assert [one.retried for one in graph.exceptions] == [True]


def test_items_of_a_batch_keep_to_themselves() -> None:
    cities = ["Kraków", "Gdynia", "Poznań"]
    spans = [span(1, None, "partia", 0, 40)]
    expected = set()
    for place, city in enumerate(cities):
        at, load, ask = 3 * place, 2 + 2 * place, 3 + 2 * place
        report = f"Sprzedaż w mieście {city}: {place + 3}17 par butów."
        spans += [
            step(load, 1, "wczytaj", 1 + at, f"{city}.csv", report),
            chat(ask, 1, 2 + at, f"Streść raport. {report}", f"{city} sprzedało {place + 3}17 par."),
        ]
        expected.add((load, ask))
    spans.append(
        step(9, 1, "razem", 20, "\n".join(f"{c} sprzedało {n + 3}17 par." for n, c in enumerate(cities)), "ok")
    )
    assert flows(graph_of(spans)) == expected | {(3, 9), (5, 9), (7, 9)}


def test_a_stream_is_read_by_who_began_before_it_ended() -> None:
    graph = graph_of([
        span(1, None, "rozmowa", 0, 9),
        chat(2, 1, 1, "Opowiedz o porcie w Gdyni.", LIST, end=6),
        step(3, 1, "mowa", 2, LIST, "audio", end=7),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_short_texts_without_spaces_between_words_are_found_inside_of_prompts() -> None:
    graph = graph_of([
        span(1, None, "งาน", 0, 9),
        step(2, 1, "ตรวจ", 1, "วันนี้ร้านเปิดไหม", THAI),
        chat(3, 1, 3, f"แจ้งลูกค้าว่า{THAI}ด้วยความเคารพ", "แจ้งแล้ว"),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_instructions_that_two_runs_share_explain_nothing() -> None:
    system = "Jesteś pracownikiem portu. Odpowiadaj krótko, uprzejmie i bez skrótów."
    turns = json.dumps([{"role": "system", "content": system}, {"role": "user", "content": "Ile statków?"}])
    said = json.dumps([{"role": "assistant", "content": "Trzy statki."}])
    kept = json.dumps({"agent": {"polecenie": system}, "wynik": "pierwszy przebieg zakończony"}, ensure_ascii=False)
    graph = graph_of([
        span(1, None, "dzień", 0, 20),
        step(2, 1, "przebieg", 1, "Ile promów?", kept),
        span(3, 1, "chat m", 3, 4, {
            "gen_ai.operation.name": "chat", "gen_ai.input.messages": turns, "gen_ai.output.messages": said,
        }),
    ])  # fmt: skip
    assert flows(graph) == set()


def test_a_table_that_a_tool_returns_is_found_in_a_prompt_row_by_row() -> None:
    rows = [
        {"statek": "Batory", "nabrzeże": 4, "ładunek": "zboże"},
        {"statek": "Piast", "nabrzeże": 7, "ładunek": "rudy"},
    ]
    table = "\n".join(f"| {row['statek']} | {row['nabrzeże']} | {row['ładunek']} |" for row in rows)
    graph = graph_of([
        span(1, None, "port", 0, 9),
        step(2, 1, "nabrzeża", 1, "dziś", json.dumps(rows, ensure_ascii=False), "TOOL"),
        chat(3, 1, 3, f"Opisz:\n{table}", "Batory stoi przy czwórce."),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}


def test_an_event_s_answer_is_an_output() -> None:
    event = Event("gen_ai.choice", 2, {"message": json.dumps({"role": "assistant", "content": LIST})})
    graph = graph_of([
        span(1, None, "obsługa", 0, 9),
        span(2, 1, "chat m", 1, 2, {"gen_ai.operation.name": "chat"}, events=[event]),
        chat(3, 1, 3, f"Przetłumacz: {LIST}", "Dear Sir, parcel number 7 is waiting."),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3)}
