"""A language model whose calls are paid for: written down before their answer is used, and none beyond a cap."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from collector.core.calls import CallBook, ModelCall
from collector.core.errors import BudgetSpent, OptimizerError
from collector.core.span import AnyValue, SpanContext
from collector.core.study import Cost
from collector.optimizer.calls.llm import Completion, LanguageModel, Messages

_PRICED_TOKENS = 1_000_000
_CHARS_PER_TOKEN = 3
"""Of a prompt that has not been counted yet; few, so that a cap holds."""


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

    def broken_by(self, spent: Cost, call: Cost) -> str:
        """Which cap one more call could go beyond, in words; empty if there is room for it.

        Args:
            spent: What was, and what calls that are under way may come to.
            call: What it may come to itself.
        """
        tokens, more = spent.input_tokens + spent.output_tokens, call.input_tokens + call.output_tokens
        if self.calls and spent.calls + call.calls > self.calls:
            return f"max_calls: {spent.calls} calls were made, {self.calls} are allowed"
        if self.tokens and tokens + more > self.tokens:
            return f"max_study_tokens: {tokens} tokens were used, a call may take {more}, {self.tokens} are allowed"
        if self.money and spent.money + call.money > self.money:
            return (
                f"max_money: {spent.money:.4g} was spent, a call may take {call.money:.4g}, {self.money:g} is allowed"
            )
        return ""


@dataclass
class Bill:
    """All calls that one request for proposals makes, whichever model they are of.

    Args:
        book: Where calls are written down.
        caps: Looked at before each call, calls that are under way included with the most that they can take.
    """

    book: CallBook
    caps: Caps = Caps()
    _under_way: Cost = field(default=Cost(), init=False)
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def admit(self, most: Cost) -> None:
        """Lets a call pass that takes so much at most.

        Raises:
            BudgetSpent: it could go beyond a cap; it must not be made.
        """
        async with self._gate:
            broken = self.caps.broken_by(await self.book.spent() + self._under_way, most)
            if broken:
                raise BudgetSpent(f"the budget of the study is spent: option {broken}")
            self._under_way += most

    async def settle(self, most: Cost, call: ModelCall) -> None:
        """Writes down what became of a call that was let pass."""
        async with self._gate:
            self._under_way += _negative(most)
            await self.book.record(call)


def _negative(cost: Cost) -> Cost:
    return Cost(-cost.calls, -cost.input_tokens, -cost.output_tokens, -cost.seconds, -cost.money)


@dataclass
class Metered:
    """A `LanguageModel` on one study's bill.

    Args:
        model: Answers.
        name: Of the model, for the book.
        bill: Of the request.
        prices: Of the model.
        max_tokens: Of an answer.
        purpose: What the calls are for, for the book.
        about: The outputs that they are about.
    """

    model: LanguageModel
    name: str
    bill: Bill
    prices: Prices = Prices()
    max_tokens: int = 0
    purpose: str = ""
    about: tuple[SpanContext, ...] = ()

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        """See `LanguageModel`.

        Raises:
            BudgetSpent: a cap is reached; no call was made.
        """
        most = self._most(messages)
        await self.bill.admit(most)
        asked: dict[str, AnyValue] = {"seed": seed}
        asked |= {"max_tokens": self.max_tokens} if self.max_tokens else {}
        asked |= {} if temperature is None else {"temperature": temperature}
        call = ModelCall(self.name, Cost(), "", self.purpose, messages, asked_for=asked, about=self.about)
        begun = time.monotonic()
        try:
            completion = await self.model.complete(messages, schema, seed, temperature)
        except OptimizerError as error:
            failed = replace(call, cost=Cost(calls=1, seconds=time.monotonic() - begun), failure=str(error))
            await self.bill.settle(most, failed)
            raise
        except BaseException as error:  # cancelled: the endpoint may have worked all the same
            failed = replace(call, cost=Cost(calls=1, seconds=time.monotonic() - begun), failure=repr(error))
            await asyncio.shield(self.bill.settle(most, failed))
            raise
        cost = self._cost(completion)
        made = replace(call, cost=cost, answer=completion.text, finish_reason=completion.finish_reason)
        await self.bill.settle(most, made)
        return replace(completion, money=cost.money)

    def _most(self, messages: Messages) -> Cost:
        into = sum(len(message["content"]) for message in messages) // _CHARS_PER_TOKEN
        return Cost(1, into, self.max_tokens, 0.0, self.prices.of(into, self.max_tokens))

    def _cost(self, completion: Completion) -> Cost:
        money = self.prices.of(completion.input_tokens, completion.output_tokens)
        tokens = completion.input_tokens, completion.output_tokens
        return Cost(completion.requests, *tokens, completion.seconds, money)
