import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from retrieval_qa.application import Application
from retrieval_qa.server import Server


@pytest.fixture
def connection(application: Application) -> Iterator[http.client.HTTPConnection]:
    server = Server("127.0.0.1", 0, application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
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


def test_a_labelled_question_has_a_score(connection: http.client.HTTPConnection) -> None:
    status, document = call(connection, "POST", "/ask", '{"question_id": "q001", "split": "train"}')
    assert status == 200
    assert set(document) == {"answer", "score", "trace_id", "span_id", "release"}
    assert isinstance(document["score"], float)
    assert document["release"] is None


def test_a_free_question_has_none(connection: http.client.HTTPConnection) -> None:
    status, document = call(connection, "POST", "/ask", '{"question": "How tall is the lighthouse?"}')
    assert (status, document["score"]) == (200, None)


def test_the_status_shows_values_and_why(connection: http.client.HTTPConnection) -> None:
    status, document = call(connection, "GET", "/status")
    assert (status, document["release"], len(document["parameters"])) == (200, None, 7)
    assert document["parameters"]["retriever.top_k"] == {"value": 1, "reason": "default"}


def test_health_and_unknown_paths(connection: http.client.HTTPConnection) -> None:
    assert call(connection, "GET", "/healthz") == (200, {"alive": True})
    assert call(connection, "GET", "/other")[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/ask", "{", "not JSON"),
        ("/ask", "\xff", "not JSON"),
        ("/ask", "[]", "found list"),
        ("/ask", "{}", "wanted is"),
        ("/ask", '{"question": " "}', "wanted is"),
        ("/ask", '{"question": 3}', "wanted is"),
        ("/ask", '{"question_id": "q999"}', "found 'q999', known are q001 to"),
        ("/ask", '{"question_id": ["q001"]}', "known are q001 to"),
        ("/ask", '{"question_id": "q001", "split": 1}', "split: found 1"),
        ("/ask", " " * 100_001, "Content-Length: found '100001'"),
        ("/other", "{}", "POST /ask"),
    ],
)
def test_bad_requests_are_refused_in_words_and_the_next_one_is_served(
    connection: http.client.HTTPConnection, path: str, body: str, said: str
) -> None:
    status, document = call(connection, "POST", path, body)
    assert status == 400
    assert said in document["error"]
    assert call(connection, "GET", "/healthz")[0] == 200
