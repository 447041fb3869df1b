"""The application over HTTP, on loopback."""

import json
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import otel_opto

from . import parameters
from .application import Application
from .corpus import Question

_MAX_BODY_BYTES = 100_000


class BadRequest(Exception):
    """What was asked makes no sense; the text says why."""


class Server(ThreadingHTTPServer):
    """POST /ask, GET /status, GET /healthz."""

    daemon_threads = True

    def __init__(self, host: str, port: int, application: Application) -> None:
        super().__init__((host, port), _Handler)
        self.application = application


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    # Headers and body go out in two writes; without this the second waits for the first one's acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"alive": True})
        elif self.path == "/status":
            self._answer(HTTPStatus.OK, _status())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"{self.path}: served are /ask, /status and /healthz"})

    def do_POST(self) -> None:
        try:
            if self.path != "/ask":
                raise BadRequest(f"{self.path}: served is POST /ask")
            self._answer(HTTPStatus.OK, self._ask(self._document()))
        except BadRequest as error:
            self.close_connection = True  # its body may not have been read
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _document(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            raise BadRequest(f"Content-Length: found {length!r}, allowed is 0 to {_MAX_BODY_BYTES}")
        try:
            document = json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from None
        if not isinstance(document, dict):
            raise BadRequest(f"found {type(document).__name__}, allowed is an object")
        return document

    def _ask(self, document: dict[str, Any]) -> dict[str, object]:
        user = document.get("user")
        if not isinstance(user, str) or not user:
            return self._answered(document)
        with otel_opto.targeting_key(user):  # a user stays with one release while it is rolled out
            return self._answered(document)

    def _answered(self, document: dict[str, Any]) -> dict[str, object]:
        application = self.server.application
        if "question_id" in document:
            return asdict(application.ask_labelled(self._labelled(document["question_id"]), _split(document)))
        question = document.get("question")
        if not isinstance(question, str) or not question.strip():
            raise BadRequest(f'found {document}, wanted is {{"question": "..."}} or {{"question_id": "q001"}}')
        return asdict(application.ask(question))

    def _labelled(self, question_id: object) -> Question:
        questions = self.server.application.questions
        if not isinstance(question_id, str) or question_id not in questions:
            raise BadRequest(f"question_id: found {question_id!r}, known are {min(questions)} to {max(questions)}")
        return questions[question_id]

    def _answer(self, status: HTTPStatus, document: dict[str, object]) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet: the traces tell what was asked."""


def _split(document: dict[str, Any]) -> str:
    split = document.get("split", "")
    if not isinstance(split, str):
        raise BadRequest(f"split: found {split!r}, wanted is a text such as train")
    return split


def _status() -> dict[str, object]:
    shown = {}
    release = None
    for parameter in parameters.ALL:
        resolved = parameter.resolve()
        release = resolved.release
        shown[parameter.spec.key] = {"value": resolved.value, "reason": resolved.reason}
    return {"release": release, "parameters": shown}
