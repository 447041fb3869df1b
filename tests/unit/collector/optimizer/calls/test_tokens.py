"""Tokens are counted by whoever knows them, and prompts stay within their number."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from collector.core.errors import OptimizerError
from collector.optimizer.calls.llm import Completion, Messages, ModelSettings
from collector.optimizer.calls.tokens import Absent, Counted, Ratio, Served, Tiktoken, Tokens
from collector.optimizer.drafting.fitting import fitted_prompt

MESSAGES = ({"role": "system", "content": "be brief"}, {"role": "user", "content": "a b c"})
SCHEMA = {"type": "object"}


@contextmanager
def serving(status: int, document: Any) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """An endpoint that answers everything alike; its address, and what it was asked."""
    asked: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, body))
            told = document(body) if callable(document) else document
            answer = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def words(body: dict[str, Any]) -> dict[str, Any]:
    return {"tokens": list(range(len(str(body["content"]).split())))}


@pytest.mark.parametrize("document", [words, {"count": 2, "max_model_len": 10}])
async def test_the_endpoint_counts_with_its_own_tokenizer(document: Any) -> None:
    with serving(200, document) as (address, asked):
        found = await Served(ModelSettings("m", base_url=address), {}).tokens(["a b", "c d"])
    assert found == 4
    assert [path for path, _ in asked] == ["/tokenize", "/tokenize"]
    assert asked[0][1]["model"] == "m"


@pytest.mark.parametrize(("status", "document"), [(404, {}), (400, {"error": "no"}), (200, {"ok": True}), (200, [])])
async def test_an_endpoint_without_a_tokenizer_is_asked_once(status: int, document: Any) -> None:
    with serving(status, document) as (address, asked):
        tokens = Tokens((Served(ModelSettings("m", base_url=address), {}),), Ratio(2.0))
        assert [await tokens.count(MESSAGES) for _ in range(3)] == [7, 7, 7]
    assert len(asked) == 1


async def test_an_endpoint_that_fails_is_asked_again() -> None:
    with serving(503, {}) as (address, asked):
        tokens = Tokens((Served(ModelSettings("m", base_url=address), {}),), Ratio(2.0))
        assert [await tokens.count(MESSAGES) for _ in range(2)] == [7, 7]
    assert len(asked) == 2
    assert await tokens.count(MESSAGES) == 7  # nobody listens any more


async def test_without_an_address_nobody_is_asked() -> None:
    with pytest.raises(Absent):
        await Served(ModelSettings("m"), {}).tokens(["a"])


async def test_a_model_that_tiktoken_does_not_know_is_not_counted_by_it() -> None:
    with pytest.raises(Absent):
        await Tiktoken("my-own-model").tokens(["a"])


class Usage:
    """A model that says how many tokens it took."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens = list(tokens)

    async def complete(self, *_: Any, **__: Any) -> Completion:
        return Completion("", "stop", self._tokens.pop(0), 1, 0.1)


async def test_without_a_tokenizer_earlier_calls_say_how_long_tokens_are() -> None:
    ratio = Ratio()
    model = Counted(Usage([5, 5, 0]), ratio)
    messages = [{"role": "user", "content": "x" * 20}]
    assert await ratio.count(messages) == 7  # 3 characters each until anything is known
    for _ in range(3):  # an endpoint that does not count teaches nothing
        await model.complete(messages, SCHEMA, 1)
    assert ratio.chars_per_token == pytest.approx(4.0)
    assert await ratio.count(messages) == 5


class Words:
    """A counter of words."""

    async def count(self, messages: Messages) -> int:
        return sum(len(message["content"].split()) for message in messages)


def filler(least: int, most: int = 10**9) -> Any:
    """Fills its room with words of two characters; what must be shown takes `least`; there is no more than `most`."""

    async def prompting(_: int, chars: int) -> Messages:
        if chars < least:
            raise OptimizerError(f"option max_prompt_chars: {least - chars} too many", permanent=True)
        return [{"role": "user", "content": ("a " * (min(chars, most) // 2)).strip()}]

    return prompting


@pytest.mark.parametrize("tokens", [100, 1_000, 33_333])
async def test_a_prompt_fills_its_tokens_and_has_no_more(tokens: int) -> None:
    counter = Words()
    found = await counter.count(await fitted_prompt(filler(10), 0, tokens, 10**6, counter))
    assert tokens * 0.8 < found <= tokens


async def test_characters_are_a_limit_of_their_own_and_a_short_prompt_stays_short() -> None:
    cut = await fitted_prompt(filler(10), 0, 1_000, 500, Words())
    assert len(cut[0]["content"]) <= 500
    short = await fitted_prompt(filler(10, most=100), 0, 1_000, 10**6, Words())
    assert len(short[0]["content"]) < 100


async def test_what_cannot_fit_is_said_in_tokens() -> None:
    with pytest.raises(OptimizerError, match="option max_prompt_tokens: 50 tokens") as caught:
        await fitted_prompt(filler(1_000), 0, 50, 10**6, Words())
    assert caught.value.permanent
