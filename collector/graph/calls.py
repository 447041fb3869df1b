"""Tool calls: the model that wished for one, the tool that carried it out, the model that got the result."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from collector.core.span import AnyValue
from collector.graph.clock import Times
from collector.graph.doubled import Records
from collector.graph.forest import Forest
from collector.graph.loops import Loops
from collector.graph.reading.facts import Facts, Role
from collector.graph.rules import CALL_ARGUMENTS, CALL_ID, CALL_NAME, Find

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
