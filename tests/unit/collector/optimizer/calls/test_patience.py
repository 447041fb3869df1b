"""Trying again: at the endpoint's pace, with each try on the bill."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from collector.core.errors import OptimizerError
from collector.optimizer.calls.llm import Busy, Completion, Messages
from collector.optimizer.calls.patience import Pace, Patient

DONE = Completion("fine", "stop", 1, 1, 0.0)


@dataclass
class Clock:
    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    def pace(self, per_minute: float = 0.0) -> Pace:
        return Pace(per_minute, self.now, self.sleep)


@dataclass
class Model:
    answers: Sequence[Completion | Exception]
    asked: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def patient(model: Model, clock: Clock, *, retries: int = 2, at_once: int = 1, per_minute: float = 0.0) -> Patient:
    return Patient(model, asyncio.Semaphore(at_once), clock.pace(per_minute), retries, lambda: 0.5)


async def test_it_tries_again_and_waits_longer_each_time() -> None:
    clock, model = Clock(), Model([Busy("later"), Busy("later"), DONE])
    assert await patient(model, clock).complete([], {}, 1) == DONE
    assert clock.slept == [0.5 * 1.25, 1.0 * 1.25]


async def test_it_waits_as_long_as_the_endpoint_says() -> None:
    clock, model = Clock(), Model([Busy("later", 7.0), DONE])
    await patient(model, clock).complete([], {}, 1)
    assert sum(clock.slept) >= 7.0


async def test_in_the_end_it_says_what_the_endpoint_said() -> None:
    model = Model([Busy("later")])
    with pytest.raises(Busy, match="later"):
        await patient(model, Clock(), retries=3).complete([], {}, 1)
    assert model.asked == 4


@pytest.mark.parametrize("error", [Busy("tomorrow", 3_600.0), OptimizerError("wrong key", permanent=True)])
async def test_what_does_not_pass_soon_is_not_waited_for(error: OptimizerError) -> None:
    model, clock = Model([error]), Clock()
    with pytest.raises(OptimizerError):
        await patient(model, clock).complete([], {}, 1)
    assert (model.asked, clock.slept) == (1, [])


async def test_no_more_calls_at_once_than_are_allowed() -> None:
    model = Model([DONE])
    asked = patient(model, Clock(), at_once=3)
    await asyncio.gather(*(asked.complete([], {}, seed) for seed in range(9)))
    assert (model.asked, model.most_at_once) == (9, 3)


async def test_a_rate_is_kept_by_all_who_ask() -> None:
    clock, model = Clock(), Model([DONE])
    asked = patient(model, clock, at_once=1, per_minute=30)
    for seed in range(4):
        await asked.complete([], {}, seed)
    assert clock.time == 6.0


async def test_a_wish_of_the_endpoint_holds_for_others_too() -> None:
    clock, model = Clock(), Model([Busy("later", 5.0), DONE])
    pace = clock.pace()
    first, second = (Patient(model, asyncio.Semaphore(1), pace, 0, lambda: 0.0) for _ in range(2))
    with pytest.raises(Busy):
        await first.complete([], {}, 1)
    await second.complete([], {}, 2)
    assert clock.time == 5.0
