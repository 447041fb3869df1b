"""The texts of a trace: what its operations were given, and what they made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.core.span import AnyValue
from collector.graph.exceptions import exceptions_of
from collector.graph.reading.facts import Facts, Message, Role
from collector.graph.reading.messages import messages
from collector.graph.spans.trace import Trace
from collector.graph.texts import MIN_LENGTH, MIN_LINE, record, significant, texts, weight


class Maker(NamedTuple):
    """Who made a text.

    Attributes:
        end: When it had ended.
        part: The text is only a line of a value of its output.
    """

    end: int
    span_id: str
    part: bool


@dataclass(slots=True)
class Made:
    """A distinct text among the outputs and who made it, in order of ending.

    Attributes:
        is_part: Nobody made it as a whole value.
    """

    text: str
    makers: list[Maker] = field(default_factory=list)
    is_part: bool = True


class Taken(NamedTuple):
    """A text among a span's inputs."""

    text: str
    span_id: str
    argument: str


class Corpus:
    """Every text of a trace.

    Attributes:
        made: By text.
        taken: What is looked for as it is and in parts.
        composed: What may be an output, or a prompt, and may have been composed of others' outputs: looked for in
            parts only.
        weak: Short lines, looked for as they are.
        own: By span, the texts of its inputs.
        whole: By span, the one text that is its output.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.made: dict[str, Made] = {}
        self.taken: list[Taken] = []
        self.composed: list[Taken] = []
        self.weak: list[Taken] = []
        self.own: dict[str, set[str]] = {}
        self.whole: dict[str, str] = {}
        facts = trace.facts
        self._names = {word for said in facts.values() for word in (said.name, said.name.rpartition(" ")[2])}
        self._instructions = frozenset(_instructions(facts))
        self._faults = {one.span_id: one.message for one in exceptions_of(trace)}
        for span_id in sorted(facts, key=lambda one: (trace.ends[one], one)):
            self.own[span_id] = set()
            if not self._hands_on(span_id):
                self._collect_inputs(span_id, facts[span_id])
                self._collect_outputs(span_id, facts[span_id])

    def _hands_on(self, span_id: str) -> bool:
        """Whether a step makes nothing: it says which one comes next, or its caller's result is what it was given.

        So do conditions, and parsers at the end of a chain, whether the text happens to be JSON or not.
        """
        facts, forest = self._trace.facts, self._trace.forest
        said, around = facts[span_id], forest.parent(span_id)
        if said.role is not Role.STEP or forest.children[span_id] or not said.has_output or around is None:
            return False
        if isinstance(said.output, str) and said.output in self._names:
            return True
        made = texts(said.output)
        if any(said.output in value for value in _lists(said)):
            return False  # it chose
        given = [text for text in texts([*said.inputs.values()]) if text in made]
        return bool(made) and sorted(given) == sorted(made) and texts(facts[around].output) == made

    def _collect_inputs(self, span_id: str, said: Facts) -> None:
        own = self.own[span_id]
        for argument, value in _inputs(said):
            if argument in said.hearsay and self._repeats(span_id, value):
                continue
            lines: list[str] = []
            for text in texts(value, lines):
                own.add(text)
                self.taken.append(Taken(text, span_id, argument))
            for line in lines:
                if weight(line) >= MIN_LINE and not significant(line):
                    self.weak.append(Taken(line, span_id, argument))
        if whole := record(said.inputs):
            self.taken.append(Taken(whole, span_id, ""))
        called_prompts = [(use.key, use.value) for use in said.uses if use.discovered and not use.prompt]
        for name, value in (*said.both.items(), *called_prompts):
            self.composed += [Taken(text, span_id, name) for text in texts(value)]

    def _repeats(self, span_id: str, value: AnyValue) -> bool:
        """Whether a value repeats what the operation or one in it made: a raw answer beside the stated output.

        What is made inside did not come from outside, whatever the key says under which it stands.
        """
        said = self._trace.facts[span_id]
        own = () if said.both else texts(said.output)
        for text in texts(value):
            makers = self.made[text].makers if text in self.made else ()
            inside = any(self._trace.forest.encloses(span_id, maker.span_id) for maker in makers)
            if weight(text) >= MIN_LENGTH and (inside or (text in own and not makers)):
                return True
        return False

    def _collect_outputs(self, span_id: str, said: Facts) -> None:
        lines: list[str] = []
        made = [text for value in _outputs(said) for text in texts(value, lines)]
        made = made or texts(self._faults.get(span_id))  # what went wrong is what came out
        if isinstance(said.output, Mapping) and not messages(said.output):
            made = [text for text in made if text not in self._instructions]
            lines = [line for line in lines if not any(line in one for one in self._instructions)]
        if len(made) == 1 or (made and self.chose(span_id, made[0])):
            self.whole[span_id] = made[0]
        end = self._trace.ends[span_id]
        for part, found in ((False, made), (True, lines)):
            for text in found:
                if not part or weight(text) >= MIN_LINE:
                    self._make(text, Maker(end, span_id, part))

    def chose(self, span_id: str, text: str) -> bool:
        """Whether its output is a text that was one of several in a list that it was given."""
        said = self._trace.facts[span_id]
        if text not in self.own[span_id] or not said.has_output or texts(said.output)[:1] != [text]:
            return False
        return any(texts(item)[:1] == [text] for value in _lists(said) for item in value)

    def _make(self, text: str, maker: Maker) -> None:
        known = self.made.get(text)
        if known is None:
            known = self.made[text] = Made(text)
        elif known.makers[-1].span_id == maker.span_id:
            return
        known.makers.append(maker)
        known.is_part = known.is_part and maker.part


def _lists(said: Facts) -> Iterator[Sequence[AnyValue]]:
    """Of its inputs, and of their members, those that hold several things to choose from."""
    for value in said.inputs.values():
        for one in (value, *(value.values() if isinstance(value, Mapping) else ())):
            if isinstance(one, list | tuple) and len(one) > 1:
                yield one


def _instructions(facts: Mapping[str, Facts]) -> Iterator[str]:
    """What models are told by their system's messages: a constant that others carry around, and that none made.

    A model may write what another one is told, and a template may be filled in.
    """
    for said in facts.values():
        for message in said.taken:
            if message.role == "system":
                yield from texts(message.content)


def _inputs(said: Facts) -> Iterator[tuple[str, AnyValue]]:
    for message in said.taken:
        yield "messages" if message.role != "system" else "system", _contents(message)
    for name, value in said.inputs.items():
        if not said.taken or name != "messages":
            yield name, value


def _outputs(said: Facts) -> Sequence[AnyValue]:
    if said.given:
        return [*map(_contents, said.given)]
    return [said.output, *said.both.values()] if said.has_output else ()


def _contents(message: Message) -> AnyValue:
    return [message.content, *(call.arguments for call in message.calls)]
