"""Stores to try: each implementation, and those that can be opened again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.core.protocols import Store
from tests.clocks import TickingClock
from tests.contract.stores import DURABLE, STORES


@dataclass
class Opened:
    """A store that can be closed and opened again on what it kept."""

    kind: str
    directory: Path
    store: Store

    async def again(self) -> Store:
        await self.store.stop()
        self.store = DURABLE[self.kind](self.directory, TickingClock())
        await self.store.start()
        return self.store


@pytest.fixture(params=sorted(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made = STORES[request.param](tmp_path, TickingClock())
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=sorted(DURABLE))
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    held = Opened(request.param, tmp_path, DURABLE[request.param](tmp_path, TickingClock()))
    await held.store.start()
    yield held
    await held.store.stop()
