"""The endpoint that the environment names, as the task's model, and what the optimizer said to it."""

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from collector.optimizer.calls.llm import Completion, Messages, ModelSettings, OpenAIModel

BASE_URL, MODEL = "OTEL_OPTO_TEST_LLM_BASE_URL", "OTEL_OPTO_TEST_LLM_MODEL"
MISSING = f"set {BASE_URL} (and {MODEL}) to an OpenAI-compatible endpoint; see docs/llm.md"


def options() -> Mapping[str, Any] | None:
    """Of a study's optimizer; None where no endpoint is named."""
    address = os.environ.get(BASE_URL)
    named = {"model": os.environ.get(MODEL, "m"), "base_url": address}
    return {**named, "temperature": 0.7, "max_tokens": 250, "timeout_seconds": 600} if address else None


@lru_cache(maxsize=100_000)
def answer(instruction: str, text: str) -> str:
    """The task's model, without chance."""
    body = {
        "model": os.environ.get(MODEL, "m"),
        "messages": [{"role": "system", "content": instruction}, {"role": "user", "content": text}],
        "temperature": 0,
        "seed": 1,
        "max_tokens": 6,
    }
    sent = urllib.request.Request(  # noqa: S310 - the address is the user's own
        f"{os.environ[BASE_URL]}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(sent, timeout=600) as answered:  # noqa: S310
        said: str = json.load(answered)["choices"][0]["message"]["content"]
    return said.strip()


@dataclass
class Heard:
    """Every answer of the optimizer's model."""

    texts: list[str] = field(default_factory=list)
    prompts: list[Messages] = field(default_factory=list)
    cut_off: int = 0

    def model(self, settings: ModelSettings) -> "_Listened":
        """For `OptoPrime`."""
        return _Listened(OpenAIModel(settings), self)


class _Listened:
    def __init__(self, model: OpenAIModel, heard: Heard) -> None:
        self._model, self._heard = model, heard

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        completion = await self._model.complete(messages, schema, seed, temperature)
        self._heard.texts.append(completion.text)
        self._heard.prompts.append(messages)
        self._heard.cut_off += completion.finish_reason == "length"
        return completion
