"""A scripted OpenAI-compatible server: real HTTP, answers as told."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Answer = str | tuple[int, str] | Callable[[dict[str, Any]], "str | tuple[int, str]"]


@dataclass
class ScriptedOpenAI:
    """Answers chat completions in turn; the last answer repeats. A (status, text) pair is an error."""

    answers: list[Answer]
    finish_reason: str = "stop"
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                scripted.requests.append({**request, "authorization": self.headers.get("Authorization")})
                answer = scripted.answers.pop(0) if len(scripted.answers) > 1 else scripted.answers[0]
                said = answer(request) if callable(answer) else answer
                status, document = (200, scripted.completion(said)) if isinstance(said, str) else _error(*said)
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def completion(self, text: str) -> dict[str, Any]:
        return {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "scripted",
            "choices": [
                {"index": 0, "finish_reason": self.finish_reason, "message": {"role": "assistant", "content": text}}
            ],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }


def _error(status: int, text: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"message": text, "type": "scripted", "code": status}}
