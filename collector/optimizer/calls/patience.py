"""Waiting for an endpoint: its pace, its wish to be left alone, and trying again, so that each try is on the bill."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.optimizer.calls.llm import Busy, Completion, LanguageModel, Messages

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_LONGEST_WISH = 60.0
"""Seconds; an endpoint that wants to be left alone for longer is for the study to come back to."""


@dataclass
class Pace:
    """How fast one endpoint is asked, by all who ask it.

    Args:
        per_minute: Calls; 0: as they come.
        now: Seconds, rising.
        sleep: Waits for seconds.
    """

    per_minute: float = 0.0
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _free: float = field(default=0.0, init=False)

    async def turn(self) -> None:
        """Waits for the next place in the row."""
        now = self.now()
        place = max(now, self._free)
        if self.per_minute:
            self._free = place + 60.0 / self.per_minute
        if place > now:
            await self.sleep(place - now)

    def leave_alone(self, seconds: float) -> None:
        """Nobody's turn comes before that time is over."""
        self._free = max(self._free, self.now() + seconds)


@dataclass
class Patient:
    """A `LanguageModel` that tries again where that may help.

    Args:
        model: Answers; each try is a call of it.
        limit: Of calls at once.
        pace: Of the endpoint.
        retries: After the first try.
        chance: A number from 0 to 1, another one each time: those who failed together must not come back together.
    """

    model: LanguageModel
    limit: asyncio.Semaphore
    pace: Pace
    retries: int = 2
    chance: Callable[[], float] = random.random

    async def complete(
        self, messages: Messages, schema: Mapping[str, Any], seed: int, temperature: float | None = None
    ) -> Completion:
        """See `LanguageModel`.

        Raises:
            Busy: it did not help, or the endpoint wants to be left alone for more than a minute.
        """
        tries = 0
        while True:
            async with self.limit:
                await self.pace.turn()
                try:
                    return await self.model.complete(messages, schema, seed, temperature)
                except Busy as busy:
                    wish = max(busy.retry_after_seconds or 0.0, 0.0)
                    self.pace.leave_alone(min(wish, _LONGEST_WISH))
                    if tries >= self.retries or wish > _LONGEST_WISH:
                        raise
            await self.pace.sleep(max(wish, min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE)) * (1 + self.chance() / 2))
            tries += 1
