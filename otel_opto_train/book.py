"""The calls of language models that one process made."""

from collector.core.calls import CallBook, ModelCall
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


class Counted:
    """Another book, whose sum is known without waiting.

    Args:
        book: Keeps the calls.
    """

    def __init__(self, book: CallBook) -> None:
        self._book = book
        self.cost = Cost()

    async def record(self, call: ModelCall) -> None:
        """See `CallBook`."""
        await self._book.record(call)
        self.cost = self.cost + call.cost

    async def spent(self) -> Cost:
        """See `CallBook`."""
        self.cost = await self._book.spent()
        return self.cost


def words(cost: Cost) -> str:
    """What was spent, for people."""
    tokens = cost.input_tokens + cost.output_tokens
    said = [f"{cost.calls} calls of models"]
    said += [f"{tokens} tokens"] if tokens else []
    said += [f"{cost.money:.4g} spent"] if cost.money else []
    return ", ".join(said)
