"""What a study will take, before it begins: candidates, calls, tokens, money, judged outputs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.core.study import Study
from collector.optimizer.calls.critics import CRITIC_OPTIONS, CRITIQUE_CHARS, PROMPT_CHARS
from collector.optimizer.calls.metered import Prices
from collector.optimizer.calls.models import MODEL_OPTIONS, drafts_of
from collector.optimizer.options import Option

_CHARS_PER_TOKEN = 4.0
_PROMPT_CHARS = Option((int,), 16_000, "a whole number from 4000 to 1000000", 4_000, 1_000_000)
_PROMPT_TOKENS = Option((int,), 0, "a whole number, 0 for max_prompt_chars alone", 0, 1_000_000)
_KNOWN = {
    **MODEL_OPTIONS, **CRITIC_OPTIONS, "max_prompt_chars": _PROMPT_CHARS, "max_prompt_tokens": _PROMPT_TOKENS,
}  # fmt: skip
_ANSWER_TOKENS = 300
"""Of reasons and values; few answers come near to their limit."""

FEW = 3
"""Candidates below which a study is hardly worth its baseline."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """About what a study comes to. Zero calls: it asks no model.

    Attributes:
        candidates: That can be made and tried.
        judged: Outputs that have to be judged, those of the baseline included.
        limit: What ends it, in words.
        unknown: What comes beside it and cannot be told before there are runs, in words; empty for nothing.
    """

    candidates: int
    judged: int
    calls: int
    tokens: int
    money: float
    limit: str
    unknown: str = ""

    def words(self) -> str:
        """On one line, for people."""
        said = f"baseline + {self.candidates} candidates, about {self.judged:,} judged outputs"
        if self.calls:
            said += f", about {self.calls:,} calls of models, at most about {self.tokens:,} tokens"
        if self.money:
            said += f", at most about {self.money:.4g} in the unit of the prices"
        said += f"; beside that {self.unknown}" if self.unknown else ""
        return f"{said}; what ends it is {self.limit}"

    @property
    def warning(self) -> str:
        """Empty where it is worth to begin."""
        if self.candidates >= FEW:
            return ""
        return f"only {self.candidates} candidates can be tried, a study wants {FEW} at least; raise {self.limit}"


def estimate_of(study: Study) -> Estimate:
    """From the study's options alone: prompts as long as they may be, one call for each draft, all critics.

    Options that are not allowed count as if they were not there: who begins the study is told of them.
    """
    given = {
        name: value for name, value in study.optimizer_options.items() if name in _KNOWN and _KNOWN[name].accepts(value)
    }
    if not (given.get("model") or given.get("models")):
        return Estimate(study.max_trials, study.batch_size * (study.max_trials + 1), 0, 0, 0.0, "max_trials")
    drafts = drafts_of(given)
    asked = [(count, *_call(given, name, *_draft(given))) for name, count in drafts.items()]
    asked += _critics(study, given, next(iter(drafts)))
    calls = sum(count for count, *_ in asked)
    tokens = sum(count * each for count, each, _ in asked)
    money = sum(count * each for count, _, each in asked)
    made = sum(drafts.values())
    rounds = {
        "max_trials": math.ceil(study.max_trials / made),
        "option max_calls": _within(given.get("max_calls"), calls),
        "option max_study_tokens": _within(given.get("max_study_tokens"), tokens),
        "option max_money": _within(given.get("max_money"), money),
    }
    limit = min(rounds, key=lambda name: rounds[name])
    times = int(rounds[limit])
    candidates = min(study.max_trials, times * made)
    if study.optimizer == "hybrid" and limit != "max_trials":
        candidates, limit = study.max_trials, f"max_trials; {limit} ends what the model writes, and the search goes on"
    judged = study.batch_size * (candidates + 1)
    return Estimate(candidates, judged, times * calls, times * tokens, times * money, limit, _unknown(study))


def _within(cap: object, each: float) -> float:
    return cap // each if isinstance(cap, int | float) and cap and each else math.inf


def _draft(given: Mapping[str, Any]) -> tuple[int, int]:
    """Tokens in and out of one draft."""
    most = given.get("max_tokens", MODEL_OPTIONS["max_tokens"].default)
    into = given.get("max_prompt_tokens") or _tokens(given, given.get("max_prompt_chars", _PROMPT_CHARS.default))
    return into, min(int(most), _ANSWER_TOKENS)


def _critics(study: Study, given: Mapping[str, Any], model: str) -> list[tuple[int, int, float]]:
    """Calls that a request makes before its drafts: how many at most, tokens and money of one."""
    if study.optimizer != "textgrad":
        return []
    runs, edges = (given.get(name, CRITIC_OPTIONS[name].default) for name in ("examples", "max_edges"))
    return [(runs * edges, *_call(given, model, _tokens(given, PROMPT_CHARS), _tokens(given, CRITIQUE_CHARS)))]


def _unknown(study: Study) -> str:
    if study.optimizer != "trace_opt" or study.optimizer_options.get("algorithm") != "textgrad":
        return ""
    return "each draft makes a call for each edge of the runs that it sees"


def _tokens(given: Mapping[str, Any], chars: int) -> int:
    return int(chars / given.get("chars_per_token", _CHARS_PER_TOKEN))


def _call(given: Mapping[str, Any], model: str, into: int, out: int) -> tuple[int, float]:
    """Tokens and money of one call."""
    pair = given.get("prices", {}).get(model, (given.get("input_price", 0.0), given.get("output_price", 0.0)))
    return into + out, Prices(*pair).of(into, out)
