"""Tool calls: the model that wished for one, the tool that carried it out, the model that got the result.

Where messages were cut behind a wish, the result was there, too.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from collector.core.span import AnyValue
from collector.graph.reading.facts import Facts, Message, Role
from collector.graph.rules import CALL_ARGUMENTS, CALL_ID, CALL_NAME, CUT_RESULT, Find
from collector.graph.spans.trace import Trace

MAX_ROUNDS: Final = 64
"""Results of so many tools are looked for in one cut list of messages."""

MAX_WISHES: Final = 16
"""Of more wishes for one call the latest that many are considered."""

_Wish: TypeAlias = tuple[str, str]
"""A span and the id of the call that it wished for or carried out."""


def tool_calls(trace: Trace) -> Iterator[Find]:
    """Edges from models to tools and from tools to models, by the call's id, else by tool and arguments.

    Ids come from the model and may repeat; the latest call before the tool began is meant.
    """
    return _Calls(trace).finds()


class _Calls:
    """What was asked for, and what ran, of the spans in the order in which they began."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._asked: dict[tuple[str, str], list[_Wish]] = {}
        self._ran: dict[str, list[_Wish]] = {}
        self._rounds: dict[str, list[str]] = {}

    def finds(self) -> Iterator[Find]:
        facts, starts = self._trace.facts, self._trace.starts
        for span_id in sorted(facts, key=lambda one: (starts[one], one)):
            said = facts[span_id]
            if said.role is Role.TOOL:
                yield from self._carried_out(span_id, said)
            elif said.incomplete:
                yield from self._cut(span_id, said)
            for message in said.taken:
                if message.role == "tool" and message.answers:
                    tool = self._latest(self._ran.get(message.answers, ()), span_id)
                    if tool is not None:
                        yield Find(tool[0], span_id, CALL_ID, "messages", f"the result of call {message.answers}")
            for call in (call for message in said.given for call in message.calls):
                for key in (("id", call.id), ("arguments", _shown(call.name, call.arguments)), ("name", call.name)):
                    if key[1]:
                        self._asked.setdefault(key, []).append((span_id, call.id))

    def _carried_out(self, span_id: str, said: Facts) -> Iterator[Find]:
        if said.call_id:
            self._ran.setdefault(said.call_id, []).append((span_id, said.call_id))
        arguments = next(iter(said.inputs.values()), None)
        for key, rule in (
            (("id", said.call_id), CALL_ID),
            (("arguments", _shown(said.name, arguments)), CALL_ARGUMENTS),
            (("arguments", _shown(said.name, dict(said.inputs))), CALL_ARGUMENTS),
            (("name", said.name), CALL_NAME),
        ):
            wish = self._latest(self._asked.get(key, ()) if key[1] else (), span_id)
            if wish is not None:
                model, call_id = wish
                if call_id and not said.call_id:
                    self._ran.setdefault(call_id, []).append((span_id, call_id))
                self._rounds.setdefault(_beginning(self._trace.facts[model]), []).append(span_id)
                yield Find(model, span_id, rule, next(iter(said.inputs), ""), rule.why)
                return

    def _cut(self, span_id: str, said: Facts) -> Iterator[Find]:
        """What tools of its conversation returned before it, if its messages end before an answer of theirs.

        The answer had to follow, as no model takes a wish without one. Where nothing at all is left of the loop its
        tools are those that ran beside it.
        """
        whole = any(message.role in ("assistant", "tool") for message in said.taken)
        if not said.taken or (whole and not _unanswered(said.taken)):
            return
        trace, parent = self._trace, self._trace.forest.parent(span_id)
        for tool in self._rounds.get(_beginning(said), ())[-MAX_ROUNDS:]:
            if trace.ends[tool] <= trace.starts[span_id] and (whole or trace.forest.parent(tool) == parent):
                yield Find(tool, span_id, CUT_RESULT, "messages", CUT_RESULT.why)

    def _latest(self, found: Sequence[_Wish], span_id: str) -> _Wish | None:
        """The latest that ended before a span began and does not enclose it, of its own record if there is one."""
        trace, forest = self._trace, self._trace.forest
        before = [
            wish
            for wish in reversed(found[-MAX_WISHES:])
            if trace.ends[wish[0]] <= trace.starts[span_id] and not forest.encloses(wish[0], span_id)
        ]
        own = (wish for wish in before if not trace.records.apart(forest, wish[0], span_id))
        return next(own, next(iter(before), None))


def _beginning(said: Facts) -> str:
    """By how its messages begin the rounds of one conversation are known."""
    return repr([message.content for message in said.taken[:2]])


def _unanswered(messages: Sequence[Message]) -> bool:
    """Whether there is a wish for a call without its answer, as only cutting leaves it."""
    asked = [call.id for message in messages for call in message.calls]
    answered = [message.answers for message in messages if message.role == "tool"]
    return len(asked) > len(answered) or not set(asked) <= {*answered, ""}


def _shown(name: str, arguments: AnyValue) -> str:
    """Tool and arguments as one text; arguments that LangChain wrote as Python's repr too."""
    if not arguments:
        return ""
    if isinstance(arguments, str):
        said = arguments.replace("'", '"')
    else:
        said = json.dumps(arguments, ensure_ascii=False, default=str)
    return f"{name} {''.join(said.split())}"
