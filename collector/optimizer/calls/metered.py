"""A language model whose calls are paid for: written down before their answer is used, and none beyond a cap."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from collector.core.calls import CallBook, ModelCall
from collector.core.errors import BudgetSpent, OptimizerError
from collector.core.study import Cost
from collector.optimizer.calls.llm import Completion, LanguageModel, Messages

_PRICED_TOKENS = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens, in any currency; the caps are in the same."""

    input: float = 0.0
    output: float = 0.0

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """What one call costs."""
        return (input_tokens * self.input + output_tokens * self.output) / _PRICED_TOKENS


@dataclass(frozen=True, slots=True)
class Caps:
    """On all calls of a study together; 0: none."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0

    def reached(self, spent: Cost, under_way: int) -> str:
        """Which one, in words; empty if there is room for another call."""
        tokens = spent.input_tokens + spent.output_tokens
        if self.calls and spent.calls + under_way >= self.calls:
            return f"max_calls: {spent.calls} calls were made, {self.calls} are allowed"
        if self.tokens and tokens >= self.tokens:
            return f"max_study_tokens: {tokens} tokens were used, {self.tokens} are allowed"
        if self.money and spent.money >= self.money:
            return f"max_money: {spent.money:.4g} was spent, {self.money:g} is allowed"
        return ""


@dataclass
class Metered:
    """A `LanguageModel` on one study's bill.

    Args:
        model: Answers.
        name: Of the model, for the book.
        book: Where calls are written down.
        prices: Of the model.
        caps: Looked at before each call, calls that are under way included.
    """

    model: LanguageModel
    name: str
    book: CallBook
    prices: Prices = Prices()
    caps: Caps = Caps()
    _under_way: int = field(default=0, init=False)
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        """See `LanguageModel`.

        Raises:
            BudgetSpent: a cap is reached; no call was made.
        """
        async with self._gate:
            reached = self.caps.reached(await self.book.spent(), self._under_way)
            if reached:
                raise BudgetSpent(f"the budget of the study is spent: option {reached}")
            self._under_way += 1
        begun = time.monotonic()
        try:
            completion = await self.model.complete(messages, schema, seed, temperature)
        except OptimizerError as error:
            await self._written(Cost(calls=1, seconds=time.monotonic() - begun), str(error))
            raise
        except BaseException as error:  # cancelled: the endpoint may have worked all the same
            await asyncio.shield(self._written(Cost(calls=1, seconds=time.monotonic() - begun), repr(error)))
            raise
        cost = self._cost(completion)
        await self._written(cost, "")
        return replace(completion, money=cost.money)

    async def _written(self, cost: Cost, failure: str) -> None:
        async with self._gate:
            self._under_way -= 1
            await self.book.record(ModelCall(self.name, cost, failure))

    def _cost(self, completion: Completion) -> Cost:
        money = self.prices.of(completion.input_tokens, completion.output_tokens)
        return Cost(1, completion.input_tokens, completion.output_tokens, completion.seconds, money)
