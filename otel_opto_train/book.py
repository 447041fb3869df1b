"""The calls of language models that one process made."""

from collector.core.calls import ModelCall
from collector.core.study import Cost


class Book:
    """A `CallBook` in memory.

    Args:
        before: What was spent in earlier processes.
    """

    def __init__(self, before: Cost = Cost()) -> None:  # noqa: B008 - frozen
        self.cost = before
        self.calls: list[ModelCall] = []

    async def record(self, call: ModelCall) -> None:
        """See `CallBook`."""
        self.calls.append(call)
        self.cost = self.cost + call.cost

    async def spent(self) -> Cost:
        """See `CallBook`."""
        return self.cost
