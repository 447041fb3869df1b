"""What a study will take, before it begins: candidates, calls, tokens, money, judged outputs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.core.study import Study
from collector.optimizer.calls.metered import Prices
from collector.optimizer.calls.models import MODEL_OPTIONS, drafts_of
from collector.optimizer.options import Option

_CHARS_PER_TOKEN = 4.0
_PROMPT_CHARS = Option((int,), 16_000, "a whole number from 4000 to 1000000", 4_000, 1_000_000)
_PROMPT_TOKENS = Option((int,), 0, "a whole number, 0 for max_prompt_chars alone", 0, 1_000_000)
_KNOWN = {**MODEL_OPTIONS, "max_prompt_chars": _PROMPT_CHARS, "max_prompt_tokens": _PROMPT_TOKENS}
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
    """

    candidates: int
    judged: int
    calls: int
    tokens: int
    money: float
    limit: str

    def words(self) -> str:
        """On one line, for people."""
        said = f"baseline + {self.candidates} candidates, about {self.judged:,} judged outputs"
        if self.calls:
            said += f", about {self.calls:,} calls of models, at most about {self.tokens:,} tokens"
        if self.money:
            said += f", at most about {self.money:.4g} in the unit of the prices"
        return f"{said}; what ends it is {self.limit}"

    @property
    def warning(self) -> str:
        """Empty where it is worth to begin."""
        if self.candidates >= FEW:
            return ""
        return f"only {self.candidates} candidates can be tried, a study wants {FEW} at least; raise {self.limit}"


def estimate_of(study: Study) -> Estimate:
    """From the study's options alone: prompts as long as they may be, one call for each draft.

    Options that are not allowed count as if they were not there: who begins the study is told of them.
    """
    given = {
        name: value for name, value in study.optimizer_options.items() if name in _KNOWN and _KNOWN[name].accepts(value)
    }
    if not (given.get("model") or given.get("models")):
        return Estimate(study.max_trials, study.batch_size * (study.max_trials + 1), 0, 0, 0.0, "max_trials")
    drafts = drafts_of(given)
    each = {name: _call(given, name) for name in drafts}
    tokens = sum(count * (each[name][0] + each[name][1]) for name, count in drafts.items())
    money = sum(count * each[name][2] for name, count in drafts.items())
    made = sum(drafts.values())
    rounds = {
        "max_trials": math.ceil(study.max_trials / made),
        "option max_calls": _within(given.get("max_calls"), made),
        "option max_study_tokens": _within(given.get("max_study_tokens"), tokens),
        "option max_money": _within(given.get("max_money"), money),
    }
    limit = min(rounds, key=lambda name: rounds[name])
    times = int(rounds[limit])
    candidates = min(study.max_trials, times * made)
    judged = study.batch_size * (candidates + 1)
    return Estimate(candidates, judged, times * made, times * tokens, times * money, limit)


def _within(cap: object, each: float) -> float:
    return cap // each if isinstance(cap, int | float) and cap and each else math.inf


def _call(given: Mapping[str, Any], model: str) -> tuple[int, int, float]:
    """Tokens in, tokens out, and money of one call."""
    chars = given.get("max_prompt_chars", _PROMPT_CHARS.default)
    most = given.get("max_tokens", MODEL_OPTIONS["max_tokens"].default)
    into = given.get("max_prompt_tokens") or int(chars / given.get("chars_per_token", _CHARS_PER_TOKEN))
    out = min(int(most), _ANSWER_TOKENS)
    pair = given.get("prices", {}).get(model, (given.get("input_price", 0.0), given.get("output_price", 0.0)))
    return into, out, Prices(*pair).of(into, out)
