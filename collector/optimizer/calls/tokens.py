"""How many tokens a prompt has: the endpoint's own tokenizer says, else tiktoken, else what calls so far came to."""

import asyncio
import importlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from collector.optimizer.calls.llm import Completion, LanguageModel, Messages, ModelSettings

_SECONDS = 20.0
_AROUND = 8
"""Tokens that a chat template puts around a message."""

UNMEASURED = 3.0
"""Characters of a token before any call was made: few, so that a budget holds."""

_LEARNED_FROM = 8
"""Calls; older ones fade."""


class TokenCounter(Protocol):
    """Counts tokens as one model does, or nearly."""

    async def count(self, messages: Messages) -> int:
        """Tokens of a whole prompt, those of the chat template included, about. Never raises."""
        ...


@dataclass
class Ratio:
    """Characters of a token, as the usage of earlier calls has it.

    Args:
        chars_per_token: Before the first call.
    """

    chars_per_token: float = UNMEASURED
    _chars: float = field(default=0.0, init=False)
    _tokens: float = field(default=0.0, init=False)

    def learn(self, chars: int, tokens: int) -> None:
        """Takes a prompt of so many characters and tokens into account."""
        if chars <= 0 or tokens <= 0:
            return
        kept = 1 - 1 / _LEARNED_FROM
        self._chars, self._tokens = self._chars * kept + chars, self._tokens * kept + tokens
        self.chars_per_token = self._chars / self._tokens

    async def count(self, messages: Messages) -> int:
        """See `TokenCounter`. What a template adds is in the ratio."""
        return math.ceil(length(messages) / self.chars_per_token)


class Absent(Exception):
    """There is no such tokenizer for this model, and there will be none."""


class Tokenizer(Protocol):
    """One way to count."""

    async def tokens(self, texts: Sequence[str]) -> int:
        """Of all texts.

        Raises:
            Absent: not for this model.
            OSError, ValueError: not this time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """``/tokenize`` beside ``/v1``, as llama.cpp's server and vLLM have it.

    Args:
        settings: Whose address it is.
        environ: OPENAI_API_KEY and OPENAI_BASE_URL, read at each call.
    """

    settings: ModelSettings
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    async def tokens(self, texts: Sequence[str]) -> int:
        """See `Tokenizer`."""
        where = self.settings.base_url or self.environ.get("OPENAI_BASE_URL", "")
        if not where:
            raise Absent
        # A dependency of openai; imported beside the event loop, like that.
        httpx = await asyncio.to_thread(_imported, "httpx")
        address = f"{where.rstrip('/').removesuffix('/v1')}/tokenize"
        headers = {"authorization": f"Bearer {self.environ.get('OPENAI_API_KEY') or 'none'}"}
        try:
            async with await asyncio.to_thread(httpx.AsyncClient, timeout=_SECONDS, headers=headers) as client:
                return sum([await self._counted(client, address, text) for text in texts])
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error

    async def _counted(self, client: Any, address: str, text: str) -> int:
        """llama.cpp wants `content`, vLLM `model` and `prompt`; each passes over the other's."""
        asked = {"model": self.settings.model, "content": text, "prompt": text, "add_special_tokens": False}
        answer = await client.post(address, json=asked)
        if 400 <= answer.status_code < 500 and answer.status_code not in (408, 429):
            raise Absent
        answer.raise_for_status()
        said = answer.json()
        found = said.get("count", said.get("tokens")) if isinstance(said, dict) else None
        if isinstance(found, list):
            return len(found)
        if isinstance(found, int):
            return found
        raise Absent


@dataclass(frozen=True, slots=True)
class Tiktoken:
    """The package tiktoken, where it is installed and knows the model; it loads the model's table once, and keeps it.

    Args:
        model: Its name.
    """

    model: str

    async def tokens(self, texts: Sequence[str]) -> int:
        """See `Tokenizer`."""
        return await asyncio.to_thread(self._counted, texts)

    def _counted(self, texts: Sequence[str]) -> int:
        try:
            encoding = _imported("tiktoken").encoding_for_model(self.model)
        except (ImportError, KeyError, OSError) as error:  # its own errors of the network are OSErrors
            raise Absent from error
        return sum(len(encoding.encode_ordinary(text)) for text in texts)


class Tokens:
    """A `TokenCounter` that asks tokenizers in turn and remembers which there are not.

    Args:
        tokenizers: The best first.
        ratio: For when none of them answers.
    """

    def __init__(self, tokenizers: Sequence[Tokenizer], ratio: Ratio) -> None:
        self._tokenizers = list(tokenizers)
        self.ratio = ratio

    async def count(self, messages: Messages) -> int:
        """See `TokenCounter`."""
        texts = [message["content"] for message in messages]
        for tokenizer in list(self._tokenizers):
            try:
                return await tokenizer.tokens(texts) + _AROUND * len(texts)
            except Absent:
                if tokenizer in self._tokenizers:
                    self._tokenizers.remove(tokenizer)
            except (OSError, ValueError):
                continue
        return await self.ratio.count(messages)


@dataclass(frozen=True, slots=True)
class Counted:
    """A `LanguageModel` whose usage teaches a ratio.

    Args:
        model: Answers.
        ratio: Learns.
    """

    model: LanguageModel
    ratio: Ratio

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        """See `LanguageModel`."""
        completion = await self.model.complete(messages, schema, seed, temperature)
        self.ratio.learn(length(messages), completion.input_tokens)
        return completion


def length(messages: Messages) -> int:
    """Characters of a prompt."""
    return sum(len(message["content"]) for message in messages)


def _imported(name: str) -> Any:
    return importlib.import_module(name)
