"""Tool calls: the model that wished for one, the tool that carried it out, the model that got the result; and what is
known of these loops where messages were cut."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from collector.core.span import AnyValue
from collector.graph.clock import Times
from collector.graph.doubled import Records
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, Message, Role
from collector.graph.rules import CALL_ARGUMENTS, CALL_ID, CALL_NAME, CUT_RESULT, CUT_WISH, Find

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


_Wish: TypeAlias = tuple[str, str]
"""A span and the id of the call that it wished for or carried out."""


def carried_out(readings: Mapping[str, Facts]) -> Mapping[str, Sequence[str]]:
    """By model, the tools that carried out what it asked for, by the ids of the calls."""
    tools: dict[str, list[str]] = {}
    for span_id, reading in readings.items():
        if reading.role is Role.TOOL and reading.call_id:
            tools.setdefault(reading.call_id, []).append(span_id)
    if not tools:
        return {}
    return {
        span_id: found
        for span_id, reading in readings.items()
        if (found := [tool for message in reading.given for call in message.calls for tool in tools.get(call.id, ())])
    }


def tool_calls(forest: Forest, readings: Mapping[str, Facts], times: Times, records: Records) -> Iterator[Find]:
    """Edges from models to tools and from tools to models, by the call's id, else by tool and arguments.

    Where messages were cut, what is known of the agent's loop stands in: see `Loops`.

    Ids come from the model and may repeat; the latest call before the tool began is meant.
    """
    asked: dict[tuple[str, str], list[_Wish]] = {}
    ran: dict[str, list[_Wish]] = {}
    loops = Loops(forest, readings, times)
    for span_id in sorted(forest.spans, key=lambda one: (times.starts[one], one)):
        reading = readings[span_id]
        if reading.role is Role.TOOL:
            wished = [*_carried_out(forest, times, records, asked, span_id, reading, ran)] or [*loops.wish(span_id)]
            loops.ran(span_id, wished)
            yield from wished
        elif reading.incomplete:
            yield from loops.results(span_id)
        loops.went_on(span_id)
        for message in reading.taken:
            if message.role == "tool" and message.answers:
                tool = _latest(forest, times, records, ran.get(message.answers, ()), span_id)
                if tool is not None:
                    yield Find(tool[0], span_id, CALL_ID, "messages", f"the result of call {message.answers}")
        for call in (call for message in reading.given for call in message.calls):
            for key in (("id", call.id), ("arguments", _shown(call.name, call.arguments)), ("name", call.name)):
                if key[1]:
                    asked.setdefault(key, []).append((span_id, call.id))


def _carried_out(
    forest: Forest,
    times: Times,
    records: Records,
    asked: Mapping[tuple[str, str], list[_Wish]],
    span_id: str,
    reading: Facts,
    ran: dict[str, list[_Wish]],
) -> Iterator[Find]:
    if reading.call_id:
        ran.setdefault(reading.call_id, []).append((span_id, reading.call_id))
    arguments = next(iter(reading.inputs.values()), None)
    for key, rule in (
        (("id", reading.call_id), CALL_ID),
        (("arguments", _shown(reading.name, arguments)), CALL_ARGUMENTS),
        (("arguments", _shown(reading.name, dict(reading.inputs))), CALL_ARGUMENTS),
        (("name", reading.name), CALL_NAME),
    ):
        wish = _latest(forest, times, records, asked.get(key, ()) if key[1] else (), span_id)
        if wish is not None:
            model, call_id = wish
            if call_id and not reading.call_id:
                ran.setdefault(call_id, []).append((span_id, call_id))
            yield Find(model, span_id, rule, next(iter(reading.inputs), ""), rule.why)
            return


def _shown(name: str, arguments: AnyValue) -> str:
    """Tool and arguments as one text; arguments that LangChain wrote as Python's repr too."""
    if isinstance(arguments, str):
        arguments = arguments.replace("'", '"')
        return f"{name} {''.join(arguments.split())}" if arguments else ""
    if not arguments:
        return ""
    return f"{name} {''.join(json.dumps(arguments, ensure_ascii=False, default=str).split())}"


def _latest(forest: Forest, times: Times, records: Records, found: Sequence[_Wish], span_id: str) -> _Wish | None:
    """The latest that ended before a span began and does not enclose it, of its own record if there is one."""
    before = [
        wish
        for wish in reversed(found[-16:])
        if times.ends[wish[0]] <= times.starts[span_id] and not forest.encloses(wish[0], span_id)
    ]
    return next((wish for wish in before if not records.apart(forest, wish[0], span_id)), next(iter(before), None))
