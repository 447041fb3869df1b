"""A real HTTP server that answers like an OpenAI-compatible endpoint, from a script. The openai package verifies it."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias


@dataclass(frozen=True)
class Reply:
    """One answer: a completion; with another `status` than 200 an error of that text; with `raw` any bytes."""

    text: str = ""
    status: int = 200
    finish_reason: str = "stop"
    usage: tuple[int, int] | None = (11, 7)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"

    def body(self, model: object) -> bytes:
        if self.raw is not None:
            return self.raw
        if self.status != 200:
            return json.dumps({"error": {"message": self.text, "type": "fake", "code": None}}).encode()
        message = {"role": "assistant", "content": self.text}
        document: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
        }
        if self.usage is not None:
            into, out = self.usage
            document["usage"] = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
        return json.dumps(document).encode()


Said: TypeAlias = str | tuple[int, str] | Reply
"""The text of a completion, status and text of an error, or all of it."""

Answer: TypeAlias = Said | Callable[[Mapping[str, Any]], Said]
"""Said, or a function of the request's body."""


class ScriptedOpenAI:
    """Listens on a free port of the loopback interface while it is open.

    Args:
        answers: In turn, the last one again and again.
        finish_reason: Of every completion.
        keep_alive: Whether a connection may be used again.
    """

    def __init__(self, answers: Sequence[Answer], finish_reason: str = "stop", *, keep_alive: bool = False) -> None:
        self.requests: list[dict[str, Any]] = []
        self.connections: list[tuple[str, int]] = []
        self.keep_alive = keep_alive
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        self._answers = list(answers)
        self._finish_reason = finish_reason
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def formats(self) -> list[str]:
        """The response format of each request."""
        return [str(sent.get("response_format", {}).get("type", "text")) for sent in self.requests]

    def reply(self, path: str, headers: Mapping[str, str], sent: dict[str, Any]) -> Reply:
        if path != "/v1/chat/completions":
            return Reply(f"no such path: {path}", status=404)
        with self._lock:
            self.requests.append(sent)
            self.headers.append({name.lower(): value for name, value in headers.items()})
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        said = answer(sent) if callable(answer) else answer
        if isinstance(said, tuple):
            return Reply(said[1], status=said[0], headers={"retry-after-ms": "1"})
        return said if isinstance(said, Reply) else Reply(said, finish_reason=self._finish_reason)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def suggesting(reasoning: str = "because", **values: object) -> str:
    """The text of a good answer."""
    return json.dumps({"reasoning": reasoning, "suggestion": values})


def _handler(fake: ScriptedOpenAI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if fake.keep_alive else "HTTP/1.0"

        def do_POST(self) -> None:
            fake.connections.append(self.client_address)
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = fake.reply(self.path, dict(self.headers), sent)
            content = reply.body(sent.get("model"))
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the client has given up, which a test of time-outs wants

        def log_message(self, *args: object) -> None:
            pass

    return Handler
