"""Calls of language models, and the book that they are written down in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.core.span import AnyValue, SpanContext
from collector.core.study import Cost


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a language model, whatever became of it.

    Attributes:
        failure: Why there was no answer; empty if there was one.
        purpose: What it was for, in words: ``optoprime, draft 2``.
        messages: What was said to the model: ``role`` and ``content``.
        answer: What it said.
        finish_reason: Why it stopped; ``length`` where it was cut off.
        asked_for: Beside the messages: ``seed``, ``temperature``, ``max_tokens``.
        about: Outputs that the call was about.
    """

    model: str
    cost: Cost
    failure: str = ""
    purpose: str = ""
    messages: Sequence[Mapping[str, str]] = ()
    answer: str = ""
    finish_reason: str = ""
    asked_for: Mapping[str, AnyValue] = field(default_factory=dict)
    about: tuple[SpanContext, ...] = ()


class CallBook(Protocol):
    """The calls of language models that one study made."""

    async def record(self, call: ModelCall) -> None:
        """Keeps it. Durable on return, so that a collector that is killed then knows what was spent."""
        ...

    async def spent(self) -> Cost:
        """All calls together, failed ones too."""
        ...
