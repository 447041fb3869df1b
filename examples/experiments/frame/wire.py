"""The wire to a model: everything that is said on it is counted and remembered, whoever says it.

A small HTTP server on the loopback interface stands between the experiment and the endpoint. So OptoPrime, a baseline
of somebody else's and the task itself are measured by the same ruler, and what a killed run has been answered is not
asked again: the same request in the same run is answered from the record.
"""

import hashlib
import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_TIMEOUT_SECONDS = 600
_PASSING, _SERVERS = (408, 409, 429), 500
"""Statuses that say nothing about what was asked: these, and from there on."""
_SIDES = ("optimizer", "task")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has said so far, by the endpoint's own count; a remembered answer counts like the first time.

    Attributes:
        calls: By the optimizer.
        tokens: In both directions, of these calls.
        task_calls: By the program that is optimized.
        task_tokens: The same of them.
        prompts: The hashes of the optimizer's requests, in order.
        answers: What the model said to it.
    """

    calls: int = 0
    tokens: int = 0
    task_calls: int = 0
    task_tokens: int = 0
    prompts: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A model as an experiment sees it.

    Attributes:
        name: At the endpoint.
        address: For optimizers: an OpenAI-compatible base URL.
        task_address: For the program that is optimized.
    """

    name: str
    address: str
    task_address: str

    def answer(self, messages: Sequence[Mapping[str, str]], *, most: int, seed: int = 1, warmth: float = 0.0) -> str:
        """The task's model.

        Raises:
            ConnectionError: the endpoint does not answer, or refuses.
        """
        return _said(self.task_address, self.name, messages, (most, seed, warmth))

    def advice(self, messages: Sequence[Mapping[str, str]], *, most: int, seed: int, warmth: float) -> str:
        """The same model in the place of an optimizer, for methods that ask by themselves. Errors as `answer`."""
        return _said(self.address, self.name, messages, (most, seed, warmth))


def _said(address: str, model: str, messages: Sequence[Mapping[str, str]], numbers: tuple[int, int, float]) -> str:
    most, seed, warmth = numbers
    body = {"model": model, "messages": list(messages), "max_tokens": most, "seed": seed, "temperature": warmth}
    sent = urllib.request.Request(  # noqa: S310 - the wire's own address
        f"{address}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(sent, timeout=_TIMEOUT_SECONDS) as answered:  # noqa: S310
            return str(json.load(answered)["choices"][0]["message"]["content"] or "")
    except OSError as error:
        raise ConnectionError(f"model {model!r}: {error}") from error


@dataclass
class Wire:
    """Listens on a free port while it is open.

    Args:
        endpoint: An OpenAI-compatible base URL, such as ``http://127.0.0.1:8080/v1``.
        name: Of the model.
        record: A JSON Lines file that remembers answers; None: only this process does.
    """

    endpoint: str
    name: str
    record: Path | None = None
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _spent: Spent = field(default_factory=Spent)
    _times: Counter[str] = field(default_factory=Counter)
    _run: str = ""
    _fault: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        if self.record is not None and self.record.exists():
            for line in self.record.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):  # the last one may have been cut off
                    known = json.loads(line)
                    self._known[known["key"]] = known
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="wire")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def model(self) -> Model:
        """The endpoint by way of this wire."""
        here = f"http://127.0.0.1:{self._server.server_address[1]}"
        return Model(self.name, f"{here}/optimizer/v1", f"{here}/task/v1")

    def begin(self, run: str) -> None:
        """A run begins: counts are 0."""
        with self._lock:
            self._run, self._spent, self._times, self._fault = run, Spent(), Counter(), ""

    def spent(self) -> Spent:
        """What this run has said so far."""
        with self._lock:
            return self._spent

    def fault(self) -> str:
        """Why the endpoint gave no answer when it was last asked, if that passes: it is not the method's failure."""
        with self._lock:
            return self._fault

    def pass_on(self, path: str, body: bytes) -> tuple[int, bytes]:
        """The endpoint's answer, or the one it gave before: status and body."""
        side, _, rest = path.lstrip("/").partition("/v1/")
        if side not in _SIDES:
            return 404, b'{"error": {"message": "no such path"}}'
        asked = json.loads(body)
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        with self._lock:
            key = self._key(digest, asked)
            known = self._known.get(key)
        if known is None:
            status, said = self._asked(rest, body)
            with self._lock:
                passing = status in _PASSING or status >= _SERVERS
                self._fault = f"{status} {said.decode(errors='replace')[:200]}" if passing else ""
            if status != 200:
                return status, said
            known = {"key": key, **_essence(json.loads(said))}
            with self._lock:
                self._remember(known)
        with self._lock:
            self._spent = _added(self._spent, side, digest, known)
        return 200, json.dumps(_completion(known, self.name)).encode()

    def _key(self, digest: str, asked: Mapping[str, Any]) -> str:
        """Without chance the same question has the same answer in any run; else in its turn, in its run."""
        if asked.get("temperature") == 0:
            return digest
        self._times[digest] += 1
        return f"{digest}/{self._run}/{self._times[digest]}"

    def _remember(self, known: dict[str, Any]) -> None:
        self._known[known["key"]] = known
        if self.record is not None:
            self.record.parent.mkdir(parents=True, exist_ok=True)
            with self.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known, ensure_ascii=False) + "\n")

    def _asked(self, rest: str, body: bytes) -> tuple[int, bytes]:
        sent = urllib.request.Request(  # noqa: S310 - the user's own address
            f"{self.endpoint.rstrip('/')}/{rest}", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(sent, timeout=_TIMEOUT_SECONDS) as answered:  # noqa: S310
                return answered.status, answered.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()
        except OSError as error:
            return 503, json.dumps({"error": {"message": f"{self.endpoint}: {error}"}}).encode()


def _essence(answered: Mapping[str, Any]) -> dict[str, Any]:
    choice, usage = answered["choices"][0], answered.get("usage") or {}
    return {
        "text": choice["message"].get("content") or "",
        "finish": choice.get("finish_reason") or "stop",
        "in": usage.get("prompt_tokens") or 0,
        "out": usage.get("completion_tokens") or 0,
    }


def _completion(known: Mapping[str, Any], model: str) -> Mapping[str, Any]:
    message = {"role": "assistant", "content": known["text"]}
    total = known["in"] + known["out"]
    return {
        "id": f"chatcmpl-{known['key'][:16]}", "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": known["finish"]}],
        "usage": {"prompt_tokens": known["in"], "completion_tokens": known["out"], "total_tokens": total},
    }  # fmt: skip


def _added(spent: Spent, side: str, digest: str, known: Mapping[str, Any]) -> Spent:
    tokens = known["in"] + known["out"]
    if side == "task":
        return replace(spent, task_calls=spent.task_calls + 1, task_tokens=spent.task_tokens + tokens)
    return replace(
        spent, calls=spent.calls + 1, tokens=spent.tokens + tokens, prompts=(*spent.prompts, digest),
        answers=(*spent.answers, known["text"]),
    )  # fmt: skip


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = wire.pass_on(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
