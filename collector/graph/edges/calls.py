"""Tool calls: the model that wished for one, the tool that carried it out, the model that got the result."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from collector.core.span import AnyValue
from collector.graph.edges import Find
from collector.graph.reading.facts import Facts, Message, Role
from collector.graph.spans.trace import Trace
from collector.graph.texts import texts

MAX_ROUNDS: Final = 64
"""Results of so many tools are looked for in one cut list of messages."""

MAX_WISHES: Final = 16
"""Of more wishes for one call the latest that many are considered."""


class _Call(NamedTuple):
    """A call of a tool: of the span that wished for it, or of the one that carried it out."""

    span_id: str
    id: str
    arguments: AnyValue = None


class Calls:
    """What was asked for, and what ran, of the spans in the order in which they began.

    Ids come from the model and may repeat; the latest call before the tool began is meant.

    Attributes:
        by_id: From models to tools and from tools to models, by the call's id.
        by_name: From models to tools, by the tool's name; of several wishes for it by the arguments.
        cut: From tools to models whose messages were cut behind the wish for them.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._asked: dict[tuple[str, str], list[_Call]] = {}
        self._ran: dict[str, list[_Call]] = {}
        self._rounds: dict[str, list[str]] = {}
        self.by_id: list[Find] = []
        self.by_name: list[Find] = []
        self.cut: list[Find] = []
        facts, starts = trace.facts, trace.starts
        for span_id in sorted(facts, key=lambda one: (starts[one], one)):
            said = facts[span_id]
            if said.role is Role.TOOL:
                self._carried_out(span_id, said)
            elif said.incomplete:
                self.cut += self._results(span_id, said)
            for message in said.taken:
                if message.role == "tool" and message.answers:
                    tool = self._latest(self._ran.get(message.answers, ()), span_id)
                    if tool is not None:
                        reason = f"the result of call {message.answers}"
                        self.by_id.append(Find(tool.span_id, span_id, "messages", reason))
            for call in (call for message in said.given for call in message.calls):
                for key in (("id", call.id), ("name", call.name)):
                    if key[1]:
                        self._asked.setdefault(key, []).append(_Call(span_id, call.id, call.arguments))

    def _carried_out(self, span_id: str, said: Facts) -> None:
        if said.call_id:
            self._ran.setdefault(said.call_id, []).append(_Call(span_id, said.call_id))
        found, wish = self.by_id, self._latest(self._asked.get(("id", said.call_id), ()), span_id)
        if wish is None:
            named = self._asked.get(("name", said.name), ())
            given = _leaves([*said.inputs.values()]) if len(named) > 1 else set()
            same = (call for call in named if given and _leaves(call.arguments) == given)
            found, wish = self.by_name, self._latest([*same], span_id) or self._latest(named, span_id)
        if wish is None:
            return
        if wish.id and not said.call_id:
            self._ran.setdefault(wish.id, []).append(_Call(span_id, wish.id))
        self._rounds.setdefault(_beginning(self._trace.facts[wish.span_id]), []).append(span_id)
        found.append(Find(wish.span_id, span_id, next(iter(said.inputs), "")))

    def _results(self, span_id: str, said: Facts) -> Iterator[Find]:
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
                yield Find(tool, span_id, "messages")

    def _latest(self, calls: Sequence[_Call], span_id: str) -> _Call | None:
        """The latest that ended before a span began and does not enclose it, of its own record if there is one."""
        trace, forest = self._trace, self._trace.forest
        before = [call for call in reversed(calls[-MAX_WISHES:]) if trace.before(call.span_id, span_id)]
        own = (call for call in before if not trace.records.apart(forest, call.span_id, span_id))
        return next(own, next(iter(before), None))


def _leaves(arguments: AnyValue) -> set[str]:
    """The values of arguments in whatever form."""
    return {text for text in texts(arguments) if text[0] != "{"}


def _beginning(said: Facts) -> str:
    """By how its messages begin the rounds of one conversation are known."""
    return repr([message.content for message in said.taken[:2]])


def _unanswered(messages: Sequence[Message]) -> bool:
    """Whether there is a wish for a call without its answer, as only cutting leaves it."""
    asked = [call.id for message in messages for call in message.calls]
    answered = [message.answers for message in messages if message.role == "tool"]
    return len(asked) > len(answered) or not set(asked) <= {*answered, ""}
