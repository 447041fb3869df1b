"""One computation for all who ask for the same at one time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class _Run:
    task: asyncio.Task[Any]
    waiting: int = 0


class Shared:
    """Goes on while one of those who asked still waits; is cancelled when the last of them has left."""

    def __init__(self) -> None:
        self._runs: dict[Hashable, _Run] = {}

    async def run(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """The result of what is running under the key, or is begun."""
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = _Run(asyncio.create_task(begin()))
            run.task.add_done_callback(lambda _: self._forget(key, run))
        run.waiting += 1
        try:
            return await asyncio.shield(run.task)
        finally:
            run.waiting -= 1
            if not run.waiting:
                self._forget(key, run)
                run.task.cancel()

    def _forget(self, key: Hashable, run: _Run | None) -> None:
        if self._runs.get(key) is run:
            del self._runs[key]
