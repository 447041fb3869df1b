"""The models that a generator asks: one for each draft, on the study's bill, each as patient as its endpoint wants."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from collector.core.protocols import OptimizationRequest
from collector.core.study import Study
from collector.optimizer.calls.llm import ADDRESS, MISSING, LanguageModel, ModelSettings, OpenAIModel
from collector.optimizer.calls.metered import Bill, Caps, Metered, Prices
from collector.optimizer.calls.patience import Pace, Patient
from collector.optimizer.calls.tokens import UNMEASURED, Counted, Ratio, Served, Tiktoken, TokenCounter, Tokens
from collector.optimizer.options import Option

_LIMITS = ("max_tokens", "max_completion_tokens")
_FORMATS = ("auto", "json_schema", "json_object", "text")
_MOST_DRAFTS = 16
_NO_TABLE: Mapping[str, Any] = {}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_DRAFTS


def _is_price(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one < float("inf") for one in value)
    )


MODEL_OPTIONS = {
    "model": Option((str,), "", "the model's name at the endpoint", pattern=".+"),
    "models": Option((Mapping,), _NO_TABLE, "a table of models, each with 1 to 16 drafts", each=_is_count),
    "base_url": Option(
        (str,),
        "",
        "an http or https address without a password in it, or nothing for OPENAI_BASE_URL",
        pattern=f"|{ADDRESS}",
    ),
    "temperature": Option((int, float), None, "a number from 0 to 2", 0, 2),
    "max_tokens": Option((int,), 1024, "a whole number from 16 to 100000", 16, 100_000),
    "token_limit_parameter": Option((str,), "max_tokens", " or ".join(_LIMITS), choices=_LIMITS),
    "timeout_seconds": Option((int, float), 120.0, "a number from 1 to 3600", 1, 3600),
    "response_format": Option((str,), "auto", "auto, json_schema, json_object or text", choices=_FORMATS),
    "concurrency": Option((int,), 2, "a whole number from 1 to 32", 1, 32),
    "requests_per_minute": Option((int, float), 0, "a number, 0 for as they come", 0, 100_000),
    "chars_per_token": Option((int, float), UNMEASURED, "a number from 1 to 20", 1, 20),
    "retries": Option((int,), 2, "a whole number from 0 to 10", 0, 10),
    "input_price": Option((int, float), 0.0, "what a million tokens cost, 0 or more", 0),
    "output_price": Option((int, float), 0.0, "what a million tokens cost, 0 or more", 0),
    "prices": Option((Mapping,), _NO_TABLE, "a table of models, each with its two prices", each=_is_price),
    "max_calls": Option((int,), 0, "a whole number, 0 for no cap", 0),
    "max_study_tokens": Option((int,), 0, "a whole number, 0 for no cap", 0),
    "max_money": Option((int, float), 0.0, "a number in the unit of the prices, 0 for no cap", 0),
    "candidates": Option((int,), 1, "a whole number from 1 to 16", 1, _MOST_DRAFTS),
}
_SETTINGS = tuple(name for name in ModelSettings.__dataclass_fields__ if name != "model")


def model_faults(study: Study) -> Sequence[str]:
    """What is wrong with a study's options about models, beyond each of them alone."""
    given = study.optimizer_options
    faults = []
    if not given.get("model") and "model" not in given and not given.get("models"):
        faults.append("option model: missing; it must be the model's name at the endpoint")
    if given.get("models") and ("model" in given or "candidates" in given):
        faults.append("option models: it says which models and how many drafts; leave out model and candidates")
    if given.get("temperature") == 0 and sum(drafts_of(given).values()) != 1:
        faults.append("option candidates: with temperature 0 all answers are alike; raise the temperature")
    if given.get("max_money") and not (given.get("input_price") or given.get("output_price") or given.get("prices")):
        faults.append("option max_money: without input_price, output_price or prices nothing is known to cost money")
    if importlib.util.find_spec("openai") is None:
        faults.append(MISSING)
    return faults


def drafts_of(given: Mapping[str, Any]) -> Mapping[str, int]:
    """How many drafts each model makes, the first model first."""
    table = given.get("models")
    if isinstance(table, Mapping) and table:
        return {str(name): count for name, count in table.items() if _is_count(count)}
    count = given.get("candidates", 1)
    return {str(given.get("model", "")): count if _is_count(count) else 1}


@dataclass(frozen=True, slots=True)
class Seat:
    """A place for one draft: the model that makes it, that model's name, and who counts its tokens."""

    name: str
    model: LanguageModel
    tokens: TokenCounter


class Models:
    """The models of one generator, kept from request to request, so that they remember what their endpoints take.

    Args:
        connect: Gives the model for some settings.
    """

    def __init__(self, connect: Callable[[ModelSettings], LanguageModel]) -> None:
        self._connect = connect
        self._known: dict[ModelSettings, LanguageModel] = {}
        self._tokens: dict[tuple[ModelSettings, float], Tokens] = {}
        self._paces: dict[tuple[ModelSettings, float], Pace] = {}

    @asynccontextmanager
    async def seated(
        self, request: OptimizationRequest, options: Mapping[str, Any], purpose: str
    ) -> AsyncIterator[Sequence[Seat]]:
        """One seat for each draft that the options ask for; as long as they are taken, models keep their connections.

        Args:
            request: Whose bill it is.
            options: `MODEL_OPTIONS`, defaults filled in.
            purpose: What the calls are for, for the bill.
        """
        async with AsyncExitStack() as stack:
            seats = self._seats(request, options, purpose)
            for settings in self._settings(options).values():
                model = self._known[settings]
                if isinstance(model, OpenAIModel):
                    await stack.enter_async_context(model.kept())
            yield seats

    def _model(self, settings: ModelSettings) -> LanguageModel:
        if settings not in self._known:
            self._known[settings] = self._connect(settings)
        return self._known[settings]

    @staticmethod
    def _settings(options: Mapping[str, Any]) -> Mapping[str, ModelSettings]:
        """By the model's name."""
        fields = {field: options[field] for field in _SETTINGS}
        return {name: ModelSettings(name, **fields) for name in drafts_of(options)}

    def _seats(self, request: OptimizationRequest, options: Mapping[str, Any], purpose: str) -> Sequence[Seat]:
        limit = asyncio.Semaphore(options["concurrency"])
        caps = Caps(options["max_calls"], options["max_study_tokens"], options["max_money"])
        bill = None if request.calls is None else Bill(request.calls, caps)
        about = tuple(item.feedback.target for item in request.batch)
        seats: list[Seat] = []
        every = self._settings(options)
        for name, count in drafts_of(options).items():
            settings = every[name]
            ratio = float(options["chars_per_token"])
            counters = (Served(settings), Tiktoken(name))
            tokens = self._tokens.setdefault((settings, ratio), Tokens(counters, Ratio(ratio)))
            model: LanguageModel = Counted(self._model(settings), tokens.ratio)
            pace = self._paces.setdefault(
                (settings, options["requests_per_minute"]), Pace(options["requests_per_minute"])
            )
            if bill is not None:
                prices = Prices(*options["prices"].get(name, (options["input_price"], options["output_price"])))
                model = Metered(model, name, bill, prices, settings.max_tokens, purpose, about)
            seats += [Seat(name, Patient(model, limit, pace, options["retries"]), tokens)] * count
        return seats
