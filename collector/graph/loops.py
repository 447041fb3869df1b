"""Agents' loops of model, tool and model again, where what they said to each other was cut."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from collector.graph.clock import Times
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, Message, Role
from collector.graph.rules import CUT_RESULT, CUT_WISH, Find

MAX_ROUNDS: Final = 64
"""Results of so many tools are looked for in one cut list of messages."""


class Loops:
    """Goes through the spans in the order in which they began.

    Of messages that were cut behind a model's wish the tool's answer was lost: it had to follow, as no model takes a
    wish without one. A tool that nobody is known to have wished for was wished for by the model before it, if that
    one's answer was cut away.

    Args:
        forest: The spans.
        readings: What they say.
        times: When they ran.
    """

    def __init__(self, forest: Forest, readings: Mapping[str, Facts], times: Times) -> None:
        self._forest = forest
        self._readings = readings
        self._times = times
        self._tools: dict[str, list[str]] = {}
        self._silenced: dict[str | None, str] = {}

    def wish(self, tool: str) -> Iterator[Find]:
        """By the model that ran before it under the same parent, if its answer cannot be read."""
        model = self._silenced.get(self._forest.parent(tool))
        if model is not None and self._ended(model, tool):
            yield Find(model, tool, CUT_WISH, next(iter(self._readings[tool].inputs), ""), CUT_WISH.why)

    def ran(self, tool: str, wishes: Sequence[Find]) -> None:
        """A tool carried these wishes out."""
        for wish in wishes:
            self._tools.setdefault(_beginning(self._readings[wish.producer]), []).append(tool)

    def results(self, span_id: str) -> Iterator[Find]:
        """What tools of its conversation returned before it, if its messages end before an answer of theirs.

        Where nothing at all is left of the loop its tools are those that ran beside it.
        """
        taken = self._readings[span_id].taken
        whole = any(message.role in ("assistant", "tool") for message in taken)
        if not taken or (whole and not _unanswered(taken)):
            return
        parent = self._forest.parent(span_id)
        for tool in self._tools.get(_beginning(self._readings[span_id]), ())[-MAX_ROUNDS:]:
            if self._ended(tool, span_id) and (whole or self._forest.parent(tool) == parent):
                yield Find(tool, span_id, CUT_RESULT, "messages", CUT_RESULT.why)

    def went_on(self, span_id: str) -> None:
        """A model is the one whose wishes the tools after it carry out."""
        reading = self._readings[span_id]
        if reading.role is Role.MODEL:
            parent = self._forest.parent(span_id)
            self._silenced.pop(parent, None)
            if reading.incomplete and not any(message.content or message.calls for message in reading.given):
                self._silenced[parent] = span_id

    def _ended(self, one: str, other: str) -> bool:
        return self._times.ends[one] <= self._times.starts[other]


def _beginning(reading: Facts) -> str:
    """By how its messages begin the rounds of one conversation are known."""
    return repr([message.content for message in reading.taken[:2]])


def _unanswered(messages: Sequence[Message]) -> bool:
    """Whether there is a wish for a call without its answer, as only cutting leaves it."""
    asked = [call.id for message in messages for call in message.calls]
    answered = [message.answers for message in messages if message.role == "tool"]
    return len(asked) > len(answered) or not set(asked) <= {*answered, ""}
