"""The example application: its data, its steps, its server."""

import http.client
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))

from retrieval_qa import parameters
from retrieval_qa.application import Application
from retrieval_qa.corpus import load_corpus, load_questions
from retrieval_qa.evaluation import evaluate
from retrieval_qa.server import Server

GOOD = ((parameters.METHOD, "bm25"), (parameters.TOP_K, 5), (parameters.TEMPLATE, "{answer}"))


@pytest.fixture(scope="module")
def application() -> Application:
    return Application(load_corpus(), load_questions())


def test_every_answer_stands_in_its_passage() -> None:
    passages = load_corpus().passages
    questions = load_questions().values()
    assert len(questions) > 100
    assert [q.id for q in questions if q.answer.lower() not in passages[q.passage].text.lower()] == []


def mean_score(application: Application) -> float:
    questions = list(application.questions.values())
    return sum(application.ask_labelled(question, "train").score or 0.0 for question in questions) / len(questions)


def test_better_parameters_give_much_better_answers(application: Application) -> None:
    before = mean_score(application)
    with ExitStack() as overrides:
        for parameter, value in GOOD:
            overrides.enter_context(parameter.override(value))  # type: ignore[arg-type]
        after = mean_score(application)
    assert before < 0.3
    assert after > 0.6


@pytest.mark.parametrize("method", ["overlap", "bm25", "trigram"])
def test_each_method_answers(application: Application, method: str) -> None:
    with parameters.METHOD.override(method), parameters.TEMPLATE.override("{answer}"), parameters.TOP_K.override(3):
        assert application.ask("Who was the last keeper of the lighthouse?").answer == "Anselm Roe"


@pytest.mark.parametrize("template", ["{answer} {nothing}", "{answer}{", "{answer}{0}", "{answer}{answer.missing}"])
def test_a_template_that_cannot_be_filled_gives_the_bare_answer(application: Application, template: str) -> None:
    with parameters.TEMPLATE.override(template), parameters.METHOD.override("bm25"):
        assert application.ask("How high is the lighthouse?").answer == "37 metres high"


@pytest.mark.parametrize("question", ["", "?", "xyzzy", "1" * 500])
def test_a_question_that_makes_no_sense_is_answered_with_something(application: Application, question: str) -> None:
    assert isinstance(application.ask(question).answer, str)


def test_the_evaluation_says_what_was_wrong(application: Application) -> None:
    question = application.questions["q001"]
    judged = evaluate(question, "four", [])
    assert judged.score == pytest.approx(2 / 3)
    assert judged.text == (
        "Expected 'four knots' but answered 'four'. The right passage was not among the 0 kept."
    )  # fmt: skip


@pytest.fixture
def connection(application: Application) -> Iterator[http.client.HTTPConnection]:
    server = Server("127.0.0.1", 0, application)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    opened = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    yield opened
    opened.close()
    server.shutdown()
    server.server_close()
    thread.join()


def call(connection: http.client.HTTPConnection, method: str, path: str, body: str = "") -> tuple[int, Any]:
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_questions_over_http(connection: http.client.HTTPConnection) -> None:
    status, document = call(connection, "POST", "/ask", json.dumps({"question_id": "q001", "split": "train"}))
    assert (status, isinstance(document["score"], float), document["release"]) == (200, True, None)
    assert call(connection, "POST", "/ask", '{"question": "How high is the lighthouse?"}')[1]["score"] is None
    status, document = call(connection, "GET", "/status")
    assert document["parameters"]["retriever.top_k"] == {"value": 1, "reason": "default"}
    assert call(connection, "GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/ask", "{", "not JSON"),
        ("/ask", "[]", "found list"),
        ("/ask", "{}", "wanted is"),
        ("/ask", '{"question_id": "q999"}', "'q999'"),
        ("/other", "{}", "POST /ask"),
    ],
)
def test_bad_requests_are_refused_in_words(
    connection: http.client.HTTPConnection, path: str, body: str, said: str
) -> None:
    status, document = call(connection, "POST", path, body)
    assert status == 400
    assert said in document["error"]
