"""A language model behind any OpenAI-compatible endpoint (``/v1/chat/completions``)."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opentelemetry import trace

from collector.core.errors import OptimizerError

_LADDER = ("json_schema", "json_object", "text")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is asked.

    Attributes:
        base_url: Empty for OPENAI_BASE_URL, and without that the openai package's own default.
        token_limit_parameter: ``max_tokens``, or ``max_completion_tokens`` for models that demand it.
        temperature: None: not sent.
        response_format: ``auto`` walks down from json_schema to text, as far as the endpoint makes it.
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
    """An answer. Token counts are 0 where the endpoint does not say. `finish_reason` "length": it was cut off."""

    text: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    seconds: float


Messages = Sequence[Mapping[str, str]]


class LanguageModel(Protocol):
    """Answers messages."""

    async def complete(self, messages: Messages, schema: Mapping[str, Any], seed: int) -> Completion:
        """An answer that should fit the JSON schema; whether it does is the caller's to check.

        Raises:
            OptimizerError: permanent for a wrong key, model or request; else after the retries of the client.
        """
        ...


class OpenAIModel:
    """A `LanguageModel` through the `openai` package, which retries and times out.

    It remembers which response format the endpoint takes. Each call is a span in GenAI's words where the process has
    an OpenTelemetry SDK set up.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        wanted = settings.response_format
        self._formats = list(_LADDER) if wanted == "auto" else [wanted]
        self._tracer = trace.get_tracer("otel_opto.optimizer")

    async def complete(self, messages: Messages, schema: Mapping[str, Any], seed: int) -> Completion:
        """See `LanguageModel`."""
        openai = _openai()
        base_url = self._settings.base_url or os.environ.get("OPENAI_BASE_URL")
        # Local servers want no key; the package wants one.
        key = os.environ.get("OPENAI_API_KEY") or ("none" if base_url else None)
        with self._tracer.start_as_current_span(f"chat {self._settings.model}") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.request.model", self._settings.model)
            try:
                async with openai.AsyncOpenAI(
                    base_url=base_url, api_key=key, timeout=self._settings.timeout_seconds
                ) as client:
                    completion = await self._down_the_ladder(client, messages, schema, seed)
            except openai.OpenAIError as error:
                raise self._failed(openai, error) from error
            span.set_attribute("gen_ai.usage.input_tokens", completion.input_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", completion.output_tokens)
        return completion

    async def _down_the_ladder(
        self, client: Any, messages: Messages, schema: Mapping[str, Any], seed: int
    ) -> Completion:
        openai = _openai()
        while True:
            last = len(self._formats) == 1
            # A refused format must show at once; the client would repeat a 500 several times.
            asking = client if last else client.with_options(max_retries=0)
            try:
                return await self._ask(asking, messages, schema, seed)
            except openai.APIStatusError as error:
                if last or not _refuses_format(error):
                    raise
                self._formats.pop(0)

    async def _ask(self, client: Any, messages: Messages, schema: Mapping[str, Any], seed: int) -> Completion:
        settings = self._settings
        extra: dict[str, Any] = {settings.token_limit_parameter: settings.max_tokens}
        if settings.temperature is not None:
            extra["temperature"] = settings.temperature
        if self._formats[0] == "json_schema":
            extra["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "proposal", "schema": schema, "strict": True},
            }
        elif self._formats[0] == "json_object":
            extra["response_format"] = {"type": "json_object"}
        begun = time.monotonic()
        answer = await client.chat.completions.create(model=settings.model, messages=list(messages), seed=seed, **extra)
        choice, usage = answer.choices[0], answer.usage
        return Completion(
            text=choice.message.content or "",
            finish_reason=choice.finish_reason or "",
            input_tokens=usage.prompt_tokens if usage else 0,
            output_tokens=usage.completion_tokens if usage else 0,
            seconds=time.monotonic() - begun,
        )

    def _failed(self, openai: Any, error: Exception) -> OptimizerError:
        lasting = (
            openai.AuthenticationError,
            openai.PermissionDeniedError,
            openai.NotFoundError,
            openai.BadRequestError,
        )
        passing = (openai.APIError,)
        permanent = isinstance(error, lasting) or not isinstance(error, passing)
        return OptimizerError(f"model {self._settings.model!r}: {type(error).__name__}: {error}", permanent=permanent)


def _openai() -> Any:
    try:
        import openai  # noqa: PLC0415 - an extra, and almost a second to import
    except ModuleNotFoundError as error:
        raise OptimizerError(
            f"this optimizer needs {error.name}: pip install 'otel-opto[llm]'", permanent=True
        ) from error
    return openai


def _refuses_format(error: Any) -> bool:
    """400, 404 and 422 are how endpoints refuse a format; some say 500 and name it."""
    text = str(error)
    about_format = "response_format" in text or "json_schema" in text or "json_object" in text or "grammar" in text
    return (error.status_code in (400, 404, 422) and "context" not in text) or (
        error.status_code >= 500 and about_format
    )
