"""A language model behind any OpenAI-compatible endpoint (``/v1/chat/completions``)."""

import asyncio
import itertools
import os
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from collector.core.errors import OptimizerError
from collector.optimizer.answers.schema import without_bounds
from collector.optimizer.options import masked

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MISSING = "this optimizer needs the package openai: pip install 'otel-opto[llm]'"

ADDRESS = r"https?://([\w.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?(/[\w./~%-]*)?"
"""An endpoint's address: no user, password or query, which can be secrets."""

_MOST_TOKENS = 2**53
_SAID_CHARS = 500
_BOUNDED = "json_schema with bounds"
_LADDER = (_BOUNDED, "json_schema", "json_object", "text")
_OVERFLOW = re.compile(r"context.{0,20}(size|length|window)|exceed_context|context_length", re.IGNORECASE)
_PASSING = (408, 409, 429)
_FORMAT = re.compile(r"response_format|json_schema|json_object|grammar", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is asked.

    Attributes:
        base_url: Empty for OPENAI_BASE_URL, and without that the openai package's own default.
        token_limit_parameter: ``max_tokens``, or ``max_completion_tokens`` for models that demand it.
        temperature: None: not sent.
        response_format: ``auto`` walks down from json_schema, with and without bounds, to text, as far as the endpoint
            makes it.
    """

    model: str
    base_url: str = ""
    temperature: float | None = None
    max_tokens: int = 1024
    token_limit_parameter: str = "max_tokens"  # noqa: S105 - tokens of text
    timeout_seconds: float = 120.0
    response_format: str = "auto"


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer. Token counts are 0 where the endpoint does not say, `money` where no price is known.

    Attributes:
        finish_reason: "length": it was cut off.
        requests: How often the endpoint was asked: more than once where it refused a manner first.
    """

    text: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    seconds: float
    money: float = 0.0
    requests: int = 1


class Busy(OptimizerError):
    """A passing fault of an endpoint: the same call may be answered later.

    Attributes:
        retry_after_seconds: When, if the endpoint says so.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


Messages = Sequence[Mapping[str, str]]


class LanguageModel(Protocol):
    """Answers messages."""

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        """An answer that should fit the JSON schema; whether it does is the caller's to check.

        Args:
            messages: What was said so far.
            schema: Of the answer; empty: it may be any text.
            seed: For endpoints that take one.
            temperature: Of this call; the settings' own where it is None.

        Raises:
            OptimizerError: permanent for a wrong key, model or request.
            Busy: trying again may help.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Manner:
    """What an endpoint is asked for beside the messages.

    Attributes:
        formats: The response formats that it has not refused, the one in use first.
        seeded: Whether a seed is sent.
    """

    formats: tuple[str, ...]
    seeded: bool = True

    def conceding(self, status: int, text: str) -> "_Manner | None":
        """The next manner after a refusal; None if the refusal is about something else.

        400, 404 and 422 are how endpoints refuse a format; some say 500 and name it.
        """
        refused = status in (400, 404, 422) and not _OVERFLOW.search(text)
        if refused and self.seeded and re.search(r"\bseed\b", text):
            return replace(self, seeded=False)
        if len(self.formats) > 1 and (refused or (status >= 500 and _FORMAT.search(text))):
            return replace(self, formats=self.formats[1:])
        return None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one call is about."""

    messages: Messages
    schema: Mapping[str, Any]
    seed: int
    temperature: float | None


@dataclass
class _Kept:
    """The client of those who are within `OpenAIModel.kept` on one event loop.

    Attributes:
        users: How many they are.
        client: None before the first call.
        gate: So that only one is made.
    """

    users: int = 0
    client: "AsyncOpenAI | None" = None
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)


class OpenAIModel:
    """A `LanguageModel` through the `openai` package, one attempt a call: who asks decides about trying again.

    It remembers which response format the endpoint takes.

    Args:
        settings: What is asked, and where.
        environ: OPENAI_API_KEY and OPENAI_BASE_URL, read when a client is made.
    """

    def __init__(self, settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._environ = environ
        self._loops: dict[asyncio.AbstractEventLoop, _Kept] = {}
        wanted = settings.response_format
        self._manner = _Manner(_LADDER if wanted == "auto" else _LADDER[:2] if wanted == "json_schema" else (wanted,))

    @property
    def response_format(self) -> str:
        """What is asked for at the next call: ``json_schema with bounds`` at first, as far as the endpoint takes it."""
        return self._manner.formats[0]

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        """See `LanguageModel`."""
        warmth = self._settings.temperature if temperature is None else temperature
        # Importing openai and loading the trust store would hold up the event loop for most of a second.
        openai = await asyncio.to_thread(_openai)
        try:
            async with self.kept():
                client = await self._shared()
                return await self._answer(client, _Asked(messages, schema, seed, warmth))
        except openai.OpenAIError as error:
            raise self._failed(error) from error
        except ValueError as error:  # what the package lets through where a body is no JSON
            raise Busy(f"{self._endpoint()} answered something that is no completion: {error}") from error

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Calls within it share one client and its connections, whoever makes them; closed when the last one leaves."""
        loop = asyncio.get_running_loop()
        kept = self._loops.setdefault(loop, _Kept())
        kept.users += 1
        try:
            yield
        finally:
            kept.users -= 1
            if not kept.users:
                del self._loops[loop]
                if kept.client is not None:
                    await kept.client.close()

    async def _shared(self) -> "AsyncOpenAI":
        kept = self._loops[asyncio.get_running_loop()]
        async with kept.gate:
            if kept.client is None:
                kept.client = await asyncio.to_thread(self._client)
            return kept.client

    def _base_url(self) -> str:
        return self._settings.base_url or self._environ.get("OPENAI_BASE_URL", "")

    def _client(self) -> "AsyncOpenAI":
        base_url = self._base_url() or None
        if base_url is not None and not re.fullmatch(ADDRESS, base_url):
            raise OptimizerError(
                f"base_url or OPENAI_BASE_URL: found {masked(repr(base_url[:200]))}, allowed: an http or https address "
                "such as http://127.0.0.1:8080/v1, without a password in it",
                permanent=True,
            )
        # Local servers want no key; the package wants one.
        key = self._environ.get("OPENAI_API_KEY") or ("none" if base_url else None)
        client: AsyncOpenAI = _openai().AsyncOpenAI(
            base_url=base_url, api_key=key, timeout=self._settings.timeout_seconds, max_retries=0
        )
        return client

    async def _answer(self, client: "AsyncOpenAI", asked: "_Asked") -> Completion:
        """Concedes what the endpoint refuses, and remembers it once there is an answer."""
        manner, begun = self._manner if asked.schema else replace(self._manner, formats=_LADDER[-1:]), time.monotonic()
        for requests in itertools.count(1):
            body = self._body(manner, asked)
            try:
                completion = await self._create(client, body)
            except _openai().APIStatusError as error:
                conceded = manner.conceding(error.status_code, str(error))
                if conceded is None:
                    raise
                manner = conceded
            else:
                self._manner = manner if asked.schema else replace(self._manner, seeded=manner.seeded)
                return replace(completion, requests=requests, seconds=time.monotonic() - begun)
        raise AssertionError

    def _body(self, manner: _Manner, asked: "_Asked") -> Mapping[str, Any]:
        settings = self._settings
        body: dict[str, Any] = {
            "model": settings.model,
            "messages": list(asked.messages),
            settings.token_limit_parameter: settings.max_tokens,
        }
        if manner.seeded:
            body["seed"] = asked.seed
        if asked.temperature is not None:
            body["temperature"] = asked.temperature
        if manner.formats[0] in (_BOUNDED, "json_schema"):
            bounded = manner.formats[0] == _BOUNDED
            schema = asked.schema if bounded else without_bounds(asked.schema)
            described = {"name": "proposal", "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        elif manner.formats[0] == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    async def _create(self, client: Any, body: Mapping[str, Any]) -> Completion:
        answer = await client.chat.completions.create(**body)
        choices, usage = getattr(answer, "choices", None), getattr(answer, "usage", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise Busy(f"{self._endpoint()} answered something that is no completion: {str(answer)[:200]!r}")
        return Completion(
            text=choices[0].message.content or "",
            finish_reason=choices[0].finish_reason or "",
            input_tokens=_tokens(usage, "prompt_tokens"),
            output_tokens=_tokens(usage, "completion_tokens"),
            seconds=0.0,
        )

    def _endpoint(self) -> str:
        where = self._base_url()
        return f"model {self._settings.model!r}" + (f" at {where}" if where else "")

    def _failed(self, error: Exception) -> OptimizerError:
        openai = _openai()
        said = f"{type(error).__name__}: {str(error)[:_SAID_CHARS]}"
        if isinstance(error, openai.APIConnectionError) and error.__cause__ is not None:
            said += f" ({error.__cause__})"
        key = self._environ.get("OPENAI_API_KEY")
        if key:
            said = said.replace(key, "***")
        if _OVERFLOW.search(said):
            said += "; set the option max_prompt_chars lower, or give the model a longer context"
        unanswered = isinstance(error, openai.APIError) and not isinstance(error, openai.APIStatusError)
        if unanswered or _passes(error):
            return Busy(f"{self._endpoint()}: {said}", _retry_after(error))
        return OptimizerError(f"{self._endpoint()}: {said}", permanent=True)


def _tokens(usage: Any, name: str) -> int:
    """What an endpoint says of them; 0 where that is no number of tokens: below 0 it would pay for other calls."""
    said = getattr(usage, name, None)
    return int(said) if isinstance(said, int | float) and 0 <= said <= _MOST_TOKENS else 0


def _passes(error: Exception) -> bool:
    status = getattr(error, "status_code", None)
    return isinstance(status, int) and (status in _PASSING or status >= 500)


def _retry_after(error: Exception) -> float | None:
    """Seconds until the endpoint wants to be asked again, as its headers say: in either unit, or as a date."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        if "retry-after-ms" in headers:
            return float(headers["retry-after-ms"]) / 1e3
        said = headers.get("retry-after", "")
        return float(said) if said.strip()[:1].isdigit() else parsedate_to_datetime(said).timestamp() - time.time()
    except (TypeError, ValueError):
        return None


def _openai() -> Any:
    try:
        import openai  # noqa: PLC0415 - an extra, and almost a second to import
    except ModuleNotFoundError as error:
        raise OptimizerError(MISSING, permanent=True) from error
    return openai
