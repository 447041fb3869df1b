"""Calls of language models, and the book that they are written down in."""

from dataclasses import dataclass
from typing import Protocol

from collector.core.study import Cost


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a language model, whatever became of it.

    Attributes:
        failure: Why there was no answer; empty if there was one.
    """

    model: str
    cost: Cost
    failure: str = ""


class CallBook(Protocol):
    """The calls of language models that one study made."""

    async def record(self, call: ModelCall) -> None:
        """Keeps it. Durable on return, so that a collector that is killed then knows what was spent."""
        ...

    async def spent(self) -> Cost:
        """All calls together, failed ones too."""
        ...
