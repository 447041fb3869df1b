"""Calls on a bill: written down before their answer is used, and none beyond a cap."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import pytest

from collector.core.calls import ModelCall
from collector.core.errors import BudgetSpent, OptimizerError
from collector.core.study import Cost
from collector.optimizer.calls.llm import Completion, Messages
from collector.optimizer.calls.metered import Bill, Caps, Metered, Prices


@dataclass
class Book:
    calls: list[ModelCall] = field(default_factory=list)

    async def record(self, call: ModelCall) -> None:
        self.calls.append(call)

    async def spent(self) -> Cost:
        await asyncio.sleep(0)
        return reduce(Cost.__add__, (call.cost for call in self.calls), Cost())


@dataclass
class Model:
    failures: int = 0
    asked: int = 0
    called: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event | None = None

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        self.asked += 1
        self.called.set()
        if self.go_on is not None:
            await self.go_on.wait()
        if self.asked <= self.failures:
            raise OptimizerError("no answer")
        return Completion("fine", "stop", 1_000, 100, 0.5)


async def test_a_call_is_written_down_with_what_it_cost() -> None:
    book = Book()
    completion = await Metered(Model(), "tiny", Bill(book), Prices(2.0, 10.0)).complete([], {}, 1)
    assert completion.money == pytest.approx(0.003)
    made = ModelCall("tiny", Cost(1, 1_000, 100, 0.5, completion.money), answer="fine", finish_reason="stop")
    assert book.calls == [replace(made, messages=[], asked_for={"seed": 1})]


async def test_a_failed_call_is_a_call() -> None:
    book, model = Book(), Model(failures=1)
    metered = Metered(model, "tiny", Bill(book, Caps(calls=2)))
    with pytest.raises(OptimizerError, match="no answer"):
        await metered.complete([], {}, 1)
    await metered.complete([], {}, 2)
    assert [(call.cost.calls, call.failure) for call in book.calls] == [(1, "no answer"), (1, "")]
    with pytest.raises(BudgetSpent):
        await metered.complete([], {}, 3)


@pytest.mark.parametrize(
    ("caps", "made", "words"),
    [
        (Caps(calls=3), 3, "max_calls: 3 calls were made, 3 are allowed"),
        (Caps(tokens=2_000), 2, "max_study_tokens: 2200 tokens were used, a call may take 0, 2000 are allowed"),
        (Caps(money=0.004), 2, "max_money: 0.006 was spent, a call may take 0, 0.004 is allowed"),
    ],
)
async def test_no_call_is_made_beyond_a_cap(caps: Caps, made: int, words: str) -> None:
    book, model = Book(), Model()
    metered = Metered(model, "tiny", Bill(book, caps), Prices(2.0, 10.0))
    for seed in range(made):
        await metered.complete([], {}, seed)
    with pytest.raises(BudgetSpent, match=words) as spent:
        await metered.complete([], {}, 9)
    assert spent.value.permanent
    assert model.asked == len(book.calls) == made


async def test_calls_beside_each_other_keep_the_cap_and_use_it_up() -> None:
    book, model = Book(), Model()
    metered = Metered(model, "tiny", Bill(book, Caps(calls=5)))
    await asyncio.gather(*(metered.complete([], {}, seed) for seed in range(20)), return_exceptions=True)
    assert model.asked == len(book.calls) == 5


async def test_a_call_that_was_cancelled_is_a_call() -> None:
    book, model = Book(), Model(go_on=asyncio.Event())
    task = asyncio.ensure_future(Metered(model, "tiny", Bill(book)).complete([], {}, 1))
    await model.called.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [call.cost.calls for call in book.calls] == [1]


async def test_a_call_that_could_go_beyond_a_cap_is_not_made() -> None:
    book, model = Book(), Model()
    metered = Metered(model, "tiny", Bill(book, Caps(tokens=1_500)), max_tokens=500)
    await metered.complete([{"role": "user", "content": "x" * 300}], {}, 1)
    with pytest.raises(BudgetSpent, match="1100 tokens were used, a call may take 600, 1500 are allowed"):
        await metered.complete([{"role": "user", "content": "x" * 300}], {}, 2)
    assert model.asked == 1


async def test_several_models_share_one_bill() -> None:
    book, small, large = Book(), Model(), Model()
    bill = Bill(book, Caps(calls=3))
    models = [Metered(small, "small", bill), Metered(large, "large", bill)]
    asked = [models[n % 2].complete([], {}, n) for n in range(8)]
    await asyncio.gather(*asked, return_exceptions=True)
    assert small.asked + large.asked == 3
    assert {call.model for call in book.calls} == {"small", "large"}
